// SPDX-License-Identifier: Apache-2.0
package com.lmax.disruptor;

/** See {@link WaitStrategy}. */
public final class BlockingWaitStrategy implements WaitStrategy {}

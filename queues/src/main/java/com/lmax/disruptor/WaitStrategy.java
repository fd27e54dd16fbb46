// SPDX-License-Identifier: Apache-2.0
package com.lmax.disruptor;

/** How a queue's thread would wait. Says nothing here: task loops sleep until they are woken. */
public interface WaitStrategy {}

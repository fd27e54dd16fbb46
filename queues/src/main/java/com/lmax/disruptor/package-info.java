// SPDX-License-Identifier: Apache-2.0
/**
 * The part of LMAX Disruptor's interface (3.3, Apache-2.0) that JRaft's byte code calls, over
 * {@link dev.cairn.queues.TaskLoop}s. Nothing of its code is here, and nothing but JRaft is meant
 * to call it. {@code EngineQueuesTest} finds out when a version of JRaft asks for more.
 *
 * <p>Source: <a href="https://lmax-exchange.github.io/disruptor/">LMAX Disruptor</a>.
 */
package com.lmax.disruptor;

// SPDX-License-Identifier: Apache-2.0
package com.lmax.disruptor;

/** Acts on a queue's events. */
public interface EventHandler<T> {
  /**
   * Acts on one event.
   *
   * @param event what was published
   * @param sequence how many events of this queue were handled before
   * @param endOfBatch whether no other event follows at once: what was put off is to be done now
   */
  void onEvent(T event, long sequence, boolean endOfBatch) throws Exception;
}

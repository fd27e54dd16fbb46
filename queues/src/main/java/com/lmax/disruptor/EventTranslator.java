// SPDX-License-Identifier: Apache-2.0
package com.lmax.disruptor;

/** Puts what is to be published into an event. */
public interface EventTranslator<T> {
  /**
   * Fills an event.
   *
   * @param event where to put it
   * @param sequence always 0: a place in the queue is not known yet
   */
  void translateTo(T event, long sequence);
}

// SPDX-License-Identifier: Apache-2.0
package com.lmax.disruptor;

/** Told what a handler threw. */
public interface ExceptionHandler<T> {
  /** An {@link EventHandler} failed; the queue goes on with the next event. */
  void handleEventException(Throwable failure, long sequence, T event);

  /** Never called: starting a queue calls no handler. */
  void handleOnStartException(Throwable failure);

  /** Never called: shutting a queue down calls no handler. */
  void handleOnShutdownException(Throwable failure);
}

// SPDX-License-Identifier: Apache-2.0
package com.lmax.disruptor.dsl;

import com.lmax.disruptor.EventFactory;
import com.lmax.disruptor.EventHandler;
import com.lmax.disruptor.ExceptionHandler;
import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.WaitStrategy;
import dev.cairn.queues.Placement;
import dev.cairn.queues.TaskLoop;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadFactory;

/**
 * Makes a queue, and ends it. Who serves it is said by the {@link Placement} that is in force when
 * this is made; without one it gets a thread.
 *
 * <p>For one thread, that which opens the group and closes it.
 */
public final class Disruptor<T> {
  private final EventFactory<T> factory;
  private final int size;
  private final ThreadFactory threads;
  private final String name;
  private final Optional<Executor> lent;
  private EventHandler<? super T> handler;
  private ExceptionHandler<? super T> onFailure;
  private RingBuffer<T> queue;
  private TaskLoop own;

  /**
   * A queue to be.
   *
   * @param size events that may wait before the queue counts as full, at least 1
   * @param threads makes the queue's thread, whose name is the queue's
   * @param producers says nothing: any number of threads may publish
   * @param waiting says nothing: the thread sleeps until it is woken
   */
  public Disruptor(
      EventFactory<T> factory,
      int size,
      ThreadFactory threads,
      ProducerType producers,
      WaitStrategy waiting) {
    this.factory = factory;
    this.size = size;
    this.threads = threads;
    name = threads.newThread(() -> {}).getName();
    lent = Placement.now(name);
  }

  /** Names the one handler. */
  @SafeVarargs
  public final EventHandlerGroup handleEventsWith(EventHandler<? super T>... handlers) {
    if (handlers.length != 1 || handler != null) {
      throw new IllegalArgumentException("a queue has one handler");
    }
    handler = handlers[0];
    return new EventHandlerGroup();
  }

  /** Names who is told what the handler throws. */
  public void setDefaultExceptionHandler(ExceptionHandler<? super T> onFailure) {
    this.onFailure = onFailure;
  }

  /** The queue, from now on served. */
  public RingBuffer<T> start() {
    if (handler == null || onFailure == null || queue != null) {
      throw new IllegalStateException("started twice, or without handlers");
    }
    Executor executor = lent.orElseGet(this::ownLoop);
    queue = new RingBuffer<>(name, factory, size, executor, handler, onFailure);
    return queue;
  }

  private Executor ownLoop() {
    own = new TaskLoop(threads);
    return own;
  }

  /**
   * Waits until everything that was published has been handled, and ends the queue's own thread.
   */
  public void shutdown() {
    queue.awaitIdle();
    if (own != null) {
      own.close();
    }
  }
}

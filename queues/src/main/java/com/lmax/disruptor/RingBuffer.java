// SPDX-License-Identifier: Apache-2.0
package com.lmax.disruptor;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A queue of the Raft engine's, served by whichever thread its executor lends, so that many queues
 * share a thread and none needs to wake one while it runs.
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>Events are handled in the order of their publication, one at a time, each after all that
 *       happened before it was published: the queue is one task of its executor at any moment.
 *   <li>The last event before the queue is found empty, or before it lets others have the thread,
 *       is called the end of its batch.
 *   <li>Publishing never blocks, since the publisher may be the thread that serves. The size only
 *       bounds {@link #tryPublishEvent}, and {@link #hasAvailableCapacity}, which the engine asks
 *       before it takes more work. What it publishes without asking is bounded by that work.
 * </ol>
 */
public final class RingBuffer<E> {
  /** Then others that wait for the thread have their turn. */
  private static final int EVENTS_A_TURN = 256;

  private static final long LOOK_AGAIN_NANOS = 1_000_000;
  private static final Logger log = LoggerFactory.getLogger(RingBuffer.class);
  private static final ThreadLocal<RingBuffer<?>> SERVED = new ThreadLocal<>();

  private final String name;
  private final EventFactory<E> factory;
  private final int size;
  private final Executor executor;
  private final EventHandler<? super E> handler;
  private final ExceptionHandler<? super E> onFailure;
  private final Queue<E> events = new ConcurrentLinkedQueue<>();
  private long handled; // by the thread that serves

  /**
   * Published and not handled. The queue is a task of its executor while this is above 0. It may be
   * below for a moment: an event is added before it is counted.
   */
  private final AtomicInteger waiting = new AtomicInteger();

  /**
   * A queue.
   *
   * @param name what the engine calls its thread
   * @param size events that may wait before the queue counts as full, at least 1
   */
  public RingBuffer(
      String name,
      EventFactory<E> factory,
      int size,
      Executor executor,
      EventHandler<? super E> handler,
      ExceptionHandler<? super E> onFailure) {
    this.name = name;
    this.factory = factory;
    this.size = size;
    this.executor = executor;
    this.handler = handler;
    this.onFailure = onFailure;
  }

  /** Whether the current thread is handling an event of a queue whose name begins so. */
  public static boolean serving(String prefix) {
    RingBuffer<?> queue = SERVED.get();
    return queue != null && queue.name.startsWith(prefix);
  }

  /** How many events may wait before the queue counts as full. */
  public int getBufferSize() {
    return size;
  }

  /** How many more may wait before the queue counts as full. */
  public long remainingCapacity() {
    return Math.max(0, size - waiting.get());
  }

  /** Whether so many more may wait before the queue counts as full. */
  public boolean hasAvailableCapacity(int required) {
    return remainingCapacity() >= required;
  }

  /** Publishes an event. */
  public void publishEvent(EventTranslator<E> translator) {
    E event = factory.newInstance();
    translator.translateTo(event, 0);
    events.add(event);
    if (waiting.getAndIncrement() == 0) {
      executor.execute(this::serve);
    }
  }

  /**
   * Publishes an event unless the queue is full.
   *
   * @return whether it was published
   */
  public boolean tryPublishEvent(EventTranslator<E> translator) {
    if (!hasAvailableCapacity(1)) {
      return false;
    }
    publishEvent(translator);
    return true;
  }

  private void serve() {
    RingBuffer<?> outer = SERVED.get(); // where an executor runs tasks inside others
    SERVED.set(this);
    int taken = 0;
    try {
      E event = events.poll();
      while (event != null) {
        taken++;
        E next = taken < EVENTS_A_TURN ? events.poll() : null;
        handle(event, next == null);
        event = next;
      }
    } finally {
      SERVED.set(outer);
      if (waiting.addAndGet(-taken) > 0) {
        executor.execute(this::serve);
      }
    }
  }

  private void handle(E event, boolean endOfBatch) {
    try {
      handler.onEvent(event, handled, endOfBatch);
    } catch (Throwable e) { // the engine's handler decides what stops
      failed(e, event);
    } finally {
      handled++;
    }
  }

  private void failed(Throwable failure, E event) {
    try {
      onFailure.handleEventException(failure, handled, event);
    } catch (Throwable e) {
      log.error("queue={} cannot act on a failure", name, e);
    }
  }

  /** Waits until everything that was published has been handled; not for the thread that serves. */
  public void awaitIdle() {
    boolean interrupted = false;
    while (waiting.get() > 0) {
      LockSupport.parkNanos(this, LOOK_AGAIN_NANOS);
      interrupted |= Thread.interrupted();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}

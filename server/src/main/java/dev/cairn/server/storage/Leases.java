// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/**
 * Who uses a native handle just now, so that it is closed only when nobody does: a closed one would
 * kill the process.
 *
 * <p>Threads: any. Invariant: once {@link #awaitNone} has returned, no lease is left and none can
 * be had.
 */
final class Leases {
  private static final int ENDING = Integer.MIN_VALUE;

  private final AtomicInteger count = new AtomicInteger(); // ENDING + n once they end
  private final CountDownLatch none = new CountDownLatch(1);

  /**
   * Keeps the handle open until {@link #release}. False once leases have ended and nobody holds
   * one: whoever holds one can have another, since a read may be made of several calls.
   */
  boolean tryTake() {
    int before = count.get();
    while (before != ENDING) {
      int seen = count.compareAndExchange(before, before + 1);
      if (seen == before) {
        return true;
      }
      before = seen;
    }
    return false;
  }

  /** Gives one back. */
  void release() {
    if (count.decrementAndGet() == ENDING) {
      none.countDown();
    }
  }

  /** Gives out no more, but to those who hold one. Once. */
  void end() {
    if (count.getAndAdd(ENDING) == 0) {
      none.countDown();
    }
  }

  /** Whether {@link #end} was called. */
  boolean ended() {
    return count.get() < 0;
  }

  /**
   * Waits, after {@link #end}, until nobody holds one; an interrupt is kept for later.
   *
   * @param everyMinute told how many are held, each minute
   */
  void awaitNone(IntConsumer everyMinute) {
    boolean interrupted = false;
    while (true) {
      try {
        if (none.await(1, TimeUnit.MINUTES)) {
          break;
        }
        everyMinute.accept(count.get() - ENDING);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}

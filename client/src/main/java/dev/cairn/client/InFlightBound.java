// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Keeps the requests in flight, and the bytes that they hold, below a bound.
 *
 * <p>Invariant: {@code requests <= requestsMax}, and {@code bytes <= bytesMax} unless a single
 * request is larger than that alone.
 */
final class InFlightBound {
  private final int requestsMax;
  private final long bytesMax;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition room = lock.newCondition();
  private int requests; // guarded by lock
  private long bytes; // guarded by lock

  InFlightBound(int requestsMax, long bytesMax) {
    this.requestsMax = requestsMax;
    this.bytesMax = bytesMax;
  }

  /** Waits for room; false when there was none in time. */
  boolean acquire(long requestBytes, long timeoutNanos) throws InterruptedException {
    long remainingNanos = timeoutNanos;
    lock.lockInterruptibly();
    try {
      while (requests > 0 && (requests >= requestsMax || bytes + requestBytes > bytesMax)) {
        if (remainingNanos <= 0) {
          return false;
        }
        remainingNanos = room.awaitNanos(remainingNanos);
      }
      requests++;
      bytes += requestBytes;
      return true;
    } finally {
      lock.unlock();
    }
  }

  void release(long requestBytes) {
    lock.lock();
    try {
      requests--;
      bytes -= requestBytes;
      room.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits until nothing is in flight; false when something still is. */
  boolean awaitEmpty(long timeout, TimeUnit unit) throws InterruptedException {
    long remainingNanos = unit.toNanos(timeout);
    lock.lockInterruptibly();
    try {
      while (requests > 0) {
        if (remainingNanos <= 0) {
          return false;
        }
        remainingNanos = room.awaitNanos(remainingNanos);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Wakes the generator's thread at a time finer than a selector's millisecond, so that it can wait
 * for answers and for the next operation of a schedule at once without spinning. Late by what the
 * operating system's timer is late, 0.05 to 0.1 ms with Linux' defaults.
 */
final class Ticker implements AutoCloseable {
  private final AtomicLong dueNanos = new AtomicLong(Long.MAX_VALUE);
  private final Runnable wake;
  private final Thread thread;
  private volatile boolean closed;

  Ticker(Runnable wake) {
    this.wake = wake;
    thread = new Thread(this::run, "cairn-bench-ticker");
    thread.setDaemon(true);
    thread.start();
  }

  /** Wakes at this time of {@link System#nanoTime}, and no more at an earlier one. */
  void at(long nanos) {
    if (dueNanos.get() != nanos) {
      dueNanos.set(nanos);
      LockSupport.unpark(thread);
    }
  }

  private void run() {
    while (!closed) {
      long due = dueNanos.get();
      if (due == Long.MAX_VALUE) {
        LockSupport.park(this);
        continue;
      }
      long wait = due - System.nanoTime();
      if (wait > 0) {
        LockSupport.parkNanos(this, wait);
      } else if (dueNanos.compareAndSet(due, Long.MAX_VALUE)) {
        wake.run();
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
  }
}

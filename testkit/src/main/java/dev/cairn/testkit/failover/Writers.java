// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.failover;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Threads that write without end, each the next as soon as the last was answered. */
final class Writers implements AutoCloseable {
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

  private final List<Thread> threads = new ArrayList<>();
  private final LongAdder acknowledged = new LongAdder();
  private volatile boolean stopped;

  /**
   * @param write writes once; whether that was acknowledged
   * @param pause whether to leave the nodes some of the machine
   */
  void add(BooleanSupplier write, boolean pause) {
    Thread thread =
        new Thread(
            () -> {
              while (!stopped) {
                boolean done = write.getAsBoolean();
                if (done) {
                  acknowledged.increment();
                }
                if (pause || !done) {
                  LockSupport.parkNanos(PAUSE_NANOS);
                }
              }
            },
            "writer-" + threads.size());
    threads.add(thread);
    thread.start();
  }

  long acknowledged() {
    return acknowledged.sum();
  }

  @Override
  public void close() {
    stopped = true;
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}

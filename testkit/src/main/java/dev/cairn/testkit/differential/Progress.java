// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.differential;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Says every ten seconds, on the standard error output, how far a long run has come. */
final class Progress implements AutoCloseable {
  private static final long EVERY_SECONDS = 10;

  private final AtomicLong done = new AtomicLong();
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "progress");
            thread.setDaemon(true);
            return thread;
          });

  /**
   * Begins to tell.
   *
   * @param all how many commands there will be
   */
  Progress(long all) {
    long begun = System.nanoTime();
    timer.scheduleAtFixedRate(
        () -> {
          long now = done.get();
          long seconds = Math.max(1, TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun));
          System.err.printf("%,d of %,d commands, %,d a second%n", now, all, now / seconds);
        },
        EVERY_SECONDS,
        EVERY_SECONDS,
        TimeUnit.SECONDS);
  }

  /** So many more were sent. */
  void add(long commands) {
    done.addAndGet(commands);
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}

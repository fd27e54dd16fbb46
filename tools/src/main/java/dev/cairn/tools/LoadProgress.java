// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;

/**
 * Shows how far a load or an export is: a bar that is drawn anew on a terminal, a line now and then
 * elsewhere. Has a thread of its own, ended by {@link #close}.
 */
final class LoadProgress implements AutoCloseable {
  private static final int BAR_WIDTH = 30;
  private static final long BAR_MILLIS = 200;
  private static final long LINE_MILLIS = 5000;

  private final PrintStream err;
  private final boolean terminal;
  private final String what;
  private final LongSupplier count;
  private final DoubleSupplier done;
  private final long startNanos = System.nanoTime();
  private final ScheduledExecutorService timer;
  private long lastNanos = startNanos; // of the timer's thread
  private long lastCount; // of the timer's thread
  private double perSecond; // of the timer's thread

  /**
   * A display that shows nothing before it is started.
   *
   * @param what is counted, as a person is told: "stored"
   * @param count how many so far
   * @param done how much of the whole was read, 0 to 1; negative when that is not known
   */
  LoadProgress(
      PrintStream err, boolean terminal, String what, LongSupplier count, DoubleSupplier done) {
    this.err = err;
    this.terminal = terminal;
    this.what = what;
    this.count = count;
    this.done = done;
    timer =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "cairn-load-progress");
              thread.setDaemon(true);
              return thread;
            });
  }

  void start() {
    long millis = terminal ? BAR_MILLIS : LINE_MILLIS;
    timer.scheduleAtFixedRate(this::show, millis, millis, TimeUnit.MILLISECONDS);
  }

  @Override
  public void close() {
    timer.shutdownNow();
    try {
      timer.awaitTermination(1, TimeUnit.SECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    if (terminal) {
      err.print("\r\u001b[K");
      err.flush();
    }
  }

  private void show() {
    long now = System.nanoTime();
    long counted = count.getAsLong();
    double recent = (counted - lastCount) * 1e9 / Math.max(1, now - lastNanos);
    perSecond = lastCount == 0 || !terminal ? recent : perSecond * 0.8 + recent * 0.2;
    lastNanos = now;
    lastCount = counted;
    String text =
        text(what, counted, perSecond, done.getAsDouble(), (now - startNanos) / 1e9, terminal);
    if (terminal) {
      err.print("\r\u001b[K" + text);
      err.flush();
    } else {
      err.println(text);
    }
  }

  static String text(
      String what,
      long count,
      double perSecond,
      double done,
      double elapsedSeconds,
      boolean withBar) {
    StringBuilder text = new StringBuilder();
    if (withBar && done >= 0) {
      int filled = (int) Math.round(done * BAR_WIDTH);
      text.append('[').append("#".repeat(filled)).append(".".repeat(BAR_WIDTH - filled));
      text.append("] ");
    }
    if (done >= 0) {
      text.append(Math.round(done * 100)).append(" %  ");
    }
    text.append(String.format(Locale.ROOT, "%,d %s  %,.0f/s", count, what, perSecond));
    if (done > 0.01) {
      long seconds = Math.round(elapsedSeconds * (1 - done) / done);
      text.append(String.format(Locale.ROOT, "  ETA %d:%02d", seconds / 60, seconds % 60));
    }
    return text.toString();
  }
}

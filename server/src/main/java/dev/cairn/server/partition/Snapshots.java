// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import java.util.function.LongSupplier;

/** The local snapshots of a node's replicas, as they are measured. Any thread. */
final class Snapshots {
  private static final double NANOS_PER_SECOND = 1e9;
  private static final double MILLIS_PER_SECOND = 1e3;

  private final LongSupplier nanoTime;
  private final LongSupplier wallMillis;
  private final Metrics.Count sent;
  private int underWay; // guarded by this, as all below
  private long begunNanos; // of the one that began last
  private long lastEndedMillis;
  private long lastNanos;
  private boolean lastFailed;

  /**
   * Tells of them; there was none yet.
   *
   * @param wallMillis the wall clock, milliseconds since 1970
   */
  Snapshots(Metrics metrics, LongSupplier nanoTime, LongSupplier wallMillis) {
    this.nanoTime = nanoTime;
    this.wallMillis = wallMillis;
    this.sent = metrics.counter(Metric.SNAPSHOTS_SENT);
    metrics.gauge(Metric.SNAPSHOTS_UNDER_WAY, this::underWay);
    metrics.gauge(Metric.SNAPSHOT_RUNS, this::runsSeconds);
    metrics.gauge(Metric.SNAPSHOT_LAST, () -> lastEndedMillis() / MILLIS_PER_SECOND);
    metrics.gauge(Metric.SNAPSHOT_LAST_DURATION, this::lastSeconds);
    metrics.gauge(Metric.SNAPSHOT_LAST_FAILED, () -> lastFailed() ? 1 : 0);
  }

  /** Writes one. */
  void write(Runnable snapshot) {
    long begun = begin();
    boolean done = false;
    try {
      snapshot.run();
      done = true;
    } finally {
      end(begun, !done);
    }
  }

  /** A copy of the data is made for another replica. */
  void sends() {
    sent.increment();
  }

  private synchronized long begin() {
    underWay++;
    begunNanos = nanoTime.getAsLong();
    return begunNanos;
  }

  private synchronized void end(long begun, boolean failed) {
    underWay--;
    lastNanos = nanoTime.getAsLong() - begun;
    lastEndedMillis = wallMillis.getAsLong();
    lastFailed = failed;
  }

  private synchronized int underWay() {
    return underWay;
  }

  private synchronized double runsSeconds() {
    return underWay == 0 ? 0 : (nanoTime.getAsLong() - begunNanos) / NANOS_PER_SECOND;
  }

  private synchronized long lastEndedMillis() {
    return lastEndedMillis;
  }

  private synchronized double lastSeconds() {
    return lastNanos / NANOS_PER_SECOND;
  }

  private synchronized boolean lastFailed() {
    return lastFailed;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;

/**
 * What came of the operations that started in a window of time: a latency histogram for each kind
 * (three significant digits, from 1 µs to one hour), errors by their code, never among the
 * latencies. An operation belongs to the window in which it started, whenever it ends, so that a
 * stall at the end of the window is not left out. Owned by the generator's thread.
 */
final class Measurement {
  static final long HIGHEST_NANOS = 3_600_000_000_000L;
  private static final long LOWEST_NANOS = 1_000;
  private static final int DIGITS = 3;

  /** Codes beyond so many are counted together. */
  static final int CODES_MAX = 100;

  static final String OTHER_CODES = "OTHER";

  private final long fromNanos;
  private long toNanos;
  private final Map<Kind, Histogram> latencies = new EnumMap<>(Kind.class);
  private final Map<String, ErrorCount> errors = new TreeMap<>();
  private long lastEndNanos;
  private long notFound;
  private long moved;
  private long connectionsLost;

  // Of the last interval, whether in the window or not.
  private final Histogram interval = histogram();
  private long intervalErrors;
  private long succeeded;

  /** Counts what starts from the first time on and before the second. */
  Measurement(long fromNanos, long toNanos) {
    this.fromNanos = fromNanos;
    this.toNanos = toNanos;
    this.lastEndNanos = fromNanos;
  }

  /** The window ends here, if it has not ended before. */
  void endAt(long nanos) {
    toNanos = Math.max(fromNanos, Math.min(toNanos, nanos));
  }

  void succeeded(InFlight operation, long nowNanos) {
    long latency = Math.max(0, Math.min(HIGHEST_NANOS, nowNanos - operation.startNanos));
    interval.recordValue(latency);
    succeeded++;
    if (counts(operation.startNanos)) {
      latencies.computeIfAbsent(operation.kind, kind -> histogram()).recordValue(latency);
      lastEndNanos = Math.max(lastEndNanos, nowNanos);
      if (!operation.found) {
        notFound++;
      }
    }
  }

  /**
   * An operation that was answered with an error, or not at all.
   *
   * @param code its first word
   * @param line all of it, for a person
   */
  void failed(InFlight operation, String code, String line) {
    intervalErrors++;
    if (counts(operation.startNanos)) {
      String key = errors.containsKey(code) || errors.size() < CODES_MAX ? code : OTHER_CODES;
      errors.computeIfAbsent(key, first -> new ErrorCount(line)).count++;
    }
  }

  void moved(long nowNanos) {
    if (counts(nowNanos)) {
      moved++;
    }
  }

  void connectionLost(long nowNanos) {
    if (counts(nowNanos)) {
      connectionsLost++;
    }
  }

  private boolean counts(long nanos) {
    return nanos >= fromNanos && nanos < toNanos;
  }

  long succeeded() {
    return succeeded;
  }

  Map<Kind, Histogram> latencies() {
    return latencies;
  }

  Map<String, ErrorCount> errors() {
    return errors;
  }

  long notFound() {
    return notFound;
  }

  long moved() {
    return moved;
  }

  long connectionsLost() {
    return connectionsLost;
  }

  /** From the window's begin until its end or its last success, whichever is later. */
  double seconds() {
    return Math.max(1, Math.max(toNanos, lastEndNanos) - fromNanos) / 1e9;
  }

  /** What has ended since the last call. */
  Progress.Interval takeInterval(double seconds) {
    Progress.Interval taken =
        new Progress.Interval(
            interval.getTotalCount() / Math.max(1e-9, seconds),
            interval.getValueAtPercentile(50) / 1e6,
            interval.getValueAtPercentile(99) / 1e6,
            intervalErrors);
    interval.reset();
    intervalErrors = 0;
    return taken;
  }

  static Histogram histogram() {
    return new Histogram(LOWEST_NANOS, HIGHEST_NANOS, DIGITS);
  }

  /** How often an error was met, and the line of the first. */
  static final class ErrorCount {
    final String firstLine;
    long count;

    ErrorCount(String firstLine) {
      this.firstLine = firstLine;
    }
  }
}

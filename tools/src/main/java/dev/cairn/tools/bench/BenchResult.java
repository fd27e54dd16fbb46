// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.HdrHistogram.Histogram;

/**
 * What was measured.
 *
 * @param settings of the run
 * @param servers that were asked: masters, or nodes
 * @param seconds that were counted
 * @param interrupted whether it was stopped before its time
 * @param kinds each kind of operation that succeeded at least once
 * @param all all of them together
 * @param errors by code; those of the load too
 * @param notFound reads that succeeded and found no value
 * @param moved answers MOVED that were followed
 * @param connectionsLost connections that ended, were reset, or did not answer in time
 * @param neverStarted operations that were due within the time and could not be sent in it; the
 *     percentiles leave them out
 * @param longestWaitSeconds how long the first of them had been due
 * @param cpu of the servers and of the generator
 */
public record BenchResult(
    BenchSettings settings,
    int servers,
    double seconds,
    boolean interrupted,
    List<OfKind> kinds,
    OfKind all,
    List<Errors> errors,
    long notFound,
    long moved,
    long connectionsLost,
    long neverStarted,
    double longestWaitSeconds,
    Cpu cpu) {

  /** The percentiles that are reported. */
  public static final List<Double> PERCENTILES = List.of(50.0, 90.0, 99.0, 99.9);

  /** Above so much of a core the generator may be what limits. */
  public static final double OWN_SHARE_MAX = 0.9;

  /**
   * Operations of one kind.
   *
   * @param name as reported
   * @param latencies of those that succeeded, nanoseconds
   */
  public record OfKind(String name, Histogram latencies, double seconds) {
    public long count() {
      return latencies.getTotalCount();
    }

    public double perSecond() {
      return count() / seconds;
    }

    /** The latency that this share of the operations did not exceed. */
    public double millis(double percentile) {
      return count() == 0 ? 0 : latencies.getValueAtPercentile(percentile) / 1e6;
    }

    public double maxMillis() {
      return count() == 0 ? 0 : latencies.getMaxValue() / 1e6;
    }

    public double meanMillis() {
      return count() == 0 ? 0 : latencies.getMean() / 1e6;
    }
  }

  /**
   * How often an error was met.
   *
   * @param code its first word
   * @param firstLine the line of the first
   */
  public record Errors(String code, long count, String firstLine) {}

  /**
   * CPU used while it was measured.
   *
   * @param serverSeconds of the processes named; empty if none were, or one ended
   * @param problem why it is empty although processes were named
   * @param ownSeconds of the generator
   * @param wallSeconds of the measurement, its last answers included
   */
  public record Cpu(
      OptionalDouble serverSeconds,
      Optional<String> problem,
      double ownSeconds,
      double wallSeconds) {
    /** Of one core. */
    public double ownShare() {
      return ownSeconds / Math.max(1e-9, wallSeconds);
    }
  }

  public long errorCount() {
    return errors.stream().mapToLong(Errors::count).sum();
  }

  /** CPU of the servers for one operation that succeeded, microseconds. */
  public OptionalDouble serverMicrosPerOperation() {
    return cpu.serverSeconds.isEmpty() || all.count() == 0
        ? OptionalDouble.empty()
        : OptionalDouble.of(cpu.serverSeconds.getAsDouble() * 1e6 / all.count());
  }

  /** CPU of the generator for one operation that succeeded, microseconds. */
  public double ownMicrosPerOperation() {
    return all.count() == 0 ? 0 : cpu.ownSeconds * 1e6 / all.count();
  }
}

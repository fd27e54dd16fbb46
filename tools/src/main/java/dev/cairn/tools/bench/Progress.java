// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import java.util.Locale;

/**
 * Where a run is, told about once a second.
 *
 * @param phase what it does
 * @param seconds since the phase began
 * @param ofSeconds how long the phase lasts; when loading, 0
 * @param keys written so far, when loading
 * @param ofKeys to be written, when loading
 * @param interval what has ended since the last time
 */
public record Progress(
    Phase phase, double seconds, double ofSeconds, long keys, long ofKeys, Interval interval) {

  /** What a run does, in order. */
  public enum Phase {
    LOAD,
    WARM_UP,
    MEASURE
  }

  /**
   * What ended in an interval.
   *
   * @param perSecond operations that succeeded
   * @param p50Millis their median latency, 0 if there were none
   * @param p99Millis their 99th percentile
   * @param errors operations that failed
   */
  public record Interval(double perSecond, double p50Millis, double p99Millis, long errors) {}

  /** As a line for a person. */
  public String line() {
    String where =
        switch (phase) {
          case LOAD ->
              String.format(
                  Locale.ROOT,
                  "load     %3d %%, %,d of %,d keys",
                  100 * keys / Math.max(1, ofKeys),
                  keys,
                  ofKeys);
          case WARM_UP -> String.format(Locale.ROOT, "warm-up  %.0f of %.0f s", seconds, ofSeconds);
          case MEASURE -> String.format(Locale.ROOT, "measure  %.0f of %.0f s", seconds, ofSeconds);
        };
    return String.format(
        Locale.ROOT,
        "%s  %,.0f ops/s  p50 %.2f ms  p99 %.2f ms  errors %,d",
        where,
        interval.perSecond,
        interval.p50Millis,
        interval.p99Millis,
        interval.errors);
  }
}

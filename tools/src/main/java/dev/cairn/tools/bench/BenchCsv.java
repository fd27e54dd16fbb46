// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A result as comma-separated values, a line for each kind of operation, one for all together, and
 * one for each code of error, which has a count only. Numbers have a point whatever the locale.
 */
public final class BenchCsv {
  private static final String TITLES =
      "operation,count,ops_per_second,mean_ms,p50_ms,p90_ms,p99_ms,p99.9_ms,max_ms,"
          + "server_cpu_us_per_op,generator_cpu_share";

  private BenchCsv() {}

  /** The lines, titles first. */
  public static List<String> lines(BenchResult result) {
    List<String> lines = new ArrayList<>();
    lines.add(TITLES);
    result.kinds().forEach(kind -> lines.add(line(kind) + ",,"));
    lines.add(
        line(result.all())
            + ","
            + (result.serverMicrosPerOperation().isPresent()
                ? number(result.serverMicrosPerOperation().getAsDouble())
                : "")
            + ","
            + number(result.cpu().ownShare()));
    for (BenchResult.Errors error : result.errors()) {
      lines.add("error " + quotable(error.code()) + "," + error.count() + ",,,,,,,,,");
    }
    return lines;
  }

  private static String line(BenchResult.OfKind kind) {
    StringBuilder line = new StringBuilder(kind.name());
    line.append(',').append(kind.count()).append(',').append(number(kind.perSecond()));
    line.append(',').append(number(kind.meanMillis()));
    for (double percentile : BenchResult.PERCENTILES) {
      line.append(',').append(number(kind.millis(percentile)));
    }
    return line.append(',').append(number(kind.maxMillis())).toString();
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.3f", value);
  }

  /** A server's word stays one cell. */
  private static String quotable(String code) {
    return code.replaceAll("[\",\\s]", "_");
  }
}

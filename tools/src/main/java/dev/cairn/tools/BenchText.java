// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.tools.bench.BenchResult;
import dev.cairn.tools.bench.BenchSettings;
import dev.cairn.tools.bench.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** What {@code cairn bench} measured, for a person. */
final class BenchText {
  private BenchText() {}

  /** What is going to be measured, the seed included. */
  static List<String> of(BenchSettings settings) {
    String shares =
        settings.shares().entrySet().stream()
            .sorted(java.util.Map.Entry.comparingByKey())
            .map(share -> share.getKey().text() + "=" + share.getValue())
            .collect(Collectors.joining(","));
    return List.of(
        text(
            "%s (%s), %s, %,d keys, values of %,d bytes%s, seed %d",
            settings.workload(),
            shares,
            settings.distribution().name().toLowerCase(Locale.ROOT),
            settings.keys(),
            settings.valueBytes(),
            settings.waitReplicas() > 0 ? ", WAIT " + settings.waitReplicas() : "",
            settings.seed()),
        settings.ratePerSecond() == 0
            ? text(
                "closed loop: %,d clients with %,d in flight each",
                settings.clients(), settings.pipeline())
            : text(
                "%s operations a second, latencies from their scheduled start; at most %,d x %,d"
                    + " in flight",
                number(settings.ratePerSecond()), settings.clients(), settings.pipeline()));
  }

  /** The result: a table, errors, CPU, and whatever makes it doubtful. */
  static List<String> of(BenchResult result) {
    List<String> lines = new ArrayList<>();
    lines.add(
        text(
            "measured %.1f s%s, %d %s",
            result.seconds(),
            result.interrupted() ? " (stopped before its time)" : "",
            result.servers(),
            result.servers() == 1 ? "server" : "servers"));
    lines.add("");
    Table table =
        new Table(
            "operation", "count", "ops/s", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms");
    result.kinds().forEach(kind -> row(table, kind));
    if (result.kinds().size() != 1) {
      row(table, result.all());
    }
    lines.addAll(table.lines());
    lines.add("");
    lines.addAll(errors(result));
    lines.addAll(cpu(result));
    lines.addAll(warnings(result));
    return lines;
  }

  private static void row(Table table, BenchResult.OfKind kind) {
    table.row(
        kind.name(),
        text("%,d", kind.count()),
        text("%,.0f", kind.perSecond()),
        text("%.3f", kind.millis(50)),
        text("%.3f", kind.millis(90)),
        text("%.3f", kind.millis(99)),
        text("%.3f", kind.millis(99.9)),
        text("%.3f", kind.maxMillis()));
  }

  private static List<String> errors(BenchResult result) {
    List<String> lines = new ArrayList<>();
    if (result.errors().isEmpty()) {
      lines.add("errors: none");
    }
    for (BenchResult.Errors error : result.errors()) {
      lines.add(
          text("errors: %,d x %s, the first: %s", error.count(), error.code(), error.firstLine()));
    }
    if (result.connectionsLost() > 0) {
      lines.add(text("connections lost: %,d", result.connectionsLost()));
    }
    if (result.moved() > 0) {
      lines.add(text("MOVED, followed: %,d", result.moved()));
    }
    return lines;
  }

  private static List<String> cpu(BenchResult result) {
    List<String> lines = new ArrayList<>();
    BenchResult.Cpu cpu = result.cpu();
    result
        .serverMicrosPerOperation()
        .ifPresent(
            micros ->
                lines.add(
                    text(
                        "CPU of the servers: %.1f µs an operation, %.2f of a core",
                        micros, cpu.serverSeconds().orElseThrow() / cpu.wallSeconds())));
    cpu.problem().ifPresent(problem -> lines.add("CPU of the servers: unknown, " + problem));
    lines.add(
        text(
            "CPU of this generator: %.1f µs an operation, %.2f of a core",
            result.ownMicrosPerOperation(), cpu.ownShare()));
    return lines;
  }

  private static List<String> warnings(BenchResult result) {
    List<String> lines = new ArrayList<>();
    if (result.cpu().ownShare() > BenchResult.OWN_SHARE_MAX) {
      lines.add(
          "warning: this generator used more than 90 % of a core: it may be what limits, and its"
              + " latencies are its own too");
    }
    if (result.neverStarted() > 0) {
      lines.add(
          text(
              "warning: %,d operations were due and could not be sent in time; the first of them"
                  + " had waited %.1f s, and the percentiles leave them out",
              result.neverStarted(), result.longestWaitSeconds()));
    }
    if (result.notFound() > 0) {
      lines.add(
          text(
              "note: %,d reads found no value%s",
              result.notFound(),
              result.settings().load() || result.settings().shares().containsKey(Kind.INSERT)
                  ? ""
                  : "; --load writes all keys first"));
    }
    return lines;
  }

  private static String number(double value) {
    return value == Math.rint(value) ? text("%,.0f", value) : text("%,.2f", value);
  }

  private static String text(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}

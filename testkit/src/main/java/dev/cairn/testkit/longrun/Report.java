// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.longrun;

import dev.cairn.testkit.LoudLines;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What came of a run.
 *
 * @param operations asked by clients and ended
 * @param writes those of them that change something
 * @param unknown those whose outcome the client was not told
 * @param failed those that certainly did nothing
 * @param malformed answers that were none, each a violation
 * @param checked operations in histories that were decided, the auditor's reads among them
 * @param violations each with its evidence
 */
public record Report(
    long seed,
    Duration lasted,
    long operations,
    long writes,
    long unknown,
    long failed,
    long malformed,
    long checked,
    List<Row> faults,
    List<String> violations) {
  /** A run in which clients were told nothing more often than this has shown nothing. */
  public static final double UNKNOWN_SHARE_MAX = 0.01;

  /**
   * One kind of fault.
   *
   * @param onLeader how often the leader of a key being written to was hit
   * @param medianMillis longest time without an acknowledged write in any partition, median; of a
   *     fault beside others whatever those took is in it
   * @param loudMost the most lines of WARN and ERROR that a node logged of one
   * @param tooLoud each time that a node logged more than {@value LoudLines#MAX}, with the lines
   */
  public record Row(
      String fault,
      int count,
      int onLeader,
      long medianMillis,
      long worstMillis,
      int loudMost,
      List<String> tooLoud) {}

  static List<Row> rows(Map<String, Nemesis.Tally> tallies) {
    List<Row> rows = new ArrayList<>();
    tallies.forEach(
        (fault, tally) ->
            rows.add(
                new Row(
                    fault,
                    tally.count,
                    tally.onLeader,
                    tally.median() / 1_000_000,
                    tally.worst() / 1_000_000,
                    tally.loudMost,
                    List.copyOf(tally.tooLoud))));
    return rows;
  }

  /** Whether too many outcomes are unknown for the run to show anything. */
  public boolean isVoid() {
    return unknown > operations * UNKNOWN_SHARE_MAX;
  }

  /** Whether a plan asked for more: a fault more often, more time or more operations. */
  boolean isLessThan(LongRun.Plan plan) {
    return lasted.compareTo(plan.atLeast()) < 0
        || operations < plan.operations()
        || faults.stream().anyMatch(row -> row.count() < plan.rounds());
  }

  /** The table, as Markdown. */
  public String markdown() {
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            "Seed %d, %d min %02d s: %,d operations (%d %% writes), %,d checked; %.2f %% of unknown"
                + " outcome, %.2f %% refused, %d malformed; %d faults; **%d violations**%s.%n%n",
            seed,
            lasted.toMinutes(),
            lasted.toSecondsPart(),
            operations,
            Math.round(100.0 * writes / Math.max(1, operations)),
            checked,
            100.0 * unknown / Math.max(1, operations),
            100.0 * failed / Math.max(1, operations),
            malformed,
            faults.stream().mapToInt(Row::count).sum(),
            violations.size(),
            isVoid() ? " (void: too many unknown)" : ""));
    text.append(
        "| fault | times | on the leader | without a write, median | worst | lines of WARN and ERROR, most |\n");
    text.append("|---|---|---|---|---|---|\n");
    for (Row row : faults) {
      text.append(
          String.format(
              "| %s | %d | %d | %.2f s | %.2f s | %d |%n",
              row.fault(),
              row.count(),
              row.onLeader(),
              row.medianMillis() / 1e3,
              row.worstMillis() / 1e3,
              row.loudMost()));
    }
    return text.toString();
  }
}

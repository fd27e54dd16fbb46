// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.testkit.fault.Fault;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/**
 * What the nodes of a cluster log under a fault, with writers at every node. A fault is held for
 * {@value #SECONDS_DEFAULT} seconds, or for as many as {@code -Dcairn.logs.seconds} says; the bound
 * is that of a minute either way. Lines that belong to a WARN or an ERROR count too: an event is
 * one line.
 */
final class QuietLog implements AutoCloseable {
  /** The most lines of WARN and ERROR that a node may say of one fault, its end included. */
  static final int LINES_MAX = 20;

  private static final int SECONDS_DEFAULT = 5;
  private static final Duration HELD =
      Duration.ofSeconds(Integer.getInteger("cairn.logs.seconds", SECONDS_DEFAULT));
  private static final int KEYS = 64;
  private static final int PAIRS_PER_SECOND = 100;
  private static final String KEY = "mykey";

  private final ProcessCluster cluster;
  private final List<SteadyLoad> loads = new ArrayList<>();
  private final List<String> values;

  private QuietLog(ProcessCluster cluster) {
    this.cluster = cluster;
    List<Map.Entry<String, String>> pairs = Pairs.packages().subList(0, KEYS);
    values = pairs.stream().map(Map.Entry::getValue).toList();
    for (int node : cluster.indexes()) {
      loads.add(SteadyLoad.start(cluster.clientThrough(node).build(), pairs, PAIRS_PER_SECOND));
    }
  }

  /** Begins to write. */
  static QuietLog of(ProcessCluster cluster) {
    return new QuietLog(cluster);
  }

  /** Lets a fault begin at a leader, last and end, and waits until the cluster is healthy again. */
  void assertQuietUnder(Fault fault) {
    List<Integer> from =
        cluster.indexes().stream().map(node -> cluster.node(node).log().length()).toList();
    int leader = cluster.leaderOf(KEY);
    fault.begin(cluster, leader);
    LockSupport.parkNanos(HELD.toNanos());
    fault.heal(cluster, leader);
    cluster.awaitHealthy();
    for (int node : cluster.indexes()) {
      String log = cluster.node(node).log().substring(from.get(node));
      assertThat(values.stream().filter(log::contains)).as("values in the log").isEmpty();
      List<String> loud = loud(log);
      System.out.printf("%s: node %d said %d lines%n", fault.name(), node, loud.size());
      assertThat(loud.size())
          .as(
              "lines of WARN and ERROR of node %d under %s:%n%s",
              node,
              fault.name(),
              loud.stream().limit(3 * LINES_MAX).collect(Collectors.joining("\n")))
          .isLessThanOrEqualTo(LINES_MAX);
    }
  }

  /** The lines of WARN and ERROR, with those that belong to them. */
  private static List<String> loud(String log) {
    List<String> found = new ArrayList<>();
    boolean loud = false;
    for (String line : log.lines().toList()) {
      if (line.matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z .*")) {
        loud = line.matches("\\S+ (WARN|ERROR) .*");
      }
      if (loud) {
        found.add(line);
      }
    }
    return found;
  }

  /** Writes no more. */
  @Override
  public void close() {
    loads.forEach(SteadyLoad::close);
  }
}

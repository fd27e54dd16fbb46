// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.testkit.fault.Fault;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/**
 * What the nodes of a cluster log under a fault, with writers at every node. A fault is held for
 * {@value #SECONDS_DEFAULT} seconds, or for as many as {@code -Dcairn.logs.seconds} says; the bound
 * is that of a minute either way.
 */
final class QuietLog implements AutoCloseable {
  private static final int SECONDS_DEFAULT = 5;
  private static final String SECONDS = "cairn.logs.seconds";
  private static final Duration HELD =
      Duration.ofSeconds(Integer.getInteger(SECONDS, SECONDS_DEFAULT));
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

  /** Whether a time was asked for: then all faults are of interest, not only those left out. */
  static boolean isAskedFor() {
    return System.getProperty(SECONDS) != null;
  }

  /** Lets a fault begin at a leader, last and end, and waits until the cluster is healthy again. */
  void assertQuietUnder(Fault fault) {
    LoudLines loud = LoudLines.since(cluster);
    int leader = cluster.leaderOf(KEY);
    fault.begin(cluster, leader);
    LockSupport.parkNanos(HELD.toNanos());
    fault.heal(cluster, leader);
    cluster.awaitHealthy();
    for (int node : cluster.indexes()) {
      String log = loud.logOf(node);
      assertThat(values.stream().filter(log::contains)).as("values in the log").isEmpty();
    }
    System.out.printf("%s: at most %d lines a node%n", fault.name(), loud.most());
    assertThat(loud.excesses()).as("under %s", fault.name()).isEmpty();
  }

  /** Writes no more. */
  @Override
  public void close() {
    loads.forEach(SteadyLoad::close);
  }
}

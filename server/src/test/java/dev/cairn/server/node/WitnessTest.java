// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.server.operation.Reply;
import dev.cairn.server.partition.LogLimits;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A partition with copies on A and B and its witness on W. B is away while A and W acknowledge;
 * then A is lost. What was acknowledged is on W only, which has no data, and B must come back with
 * all of it.
 */
@Tag("long")
class WitnessTest {
  private static final int A = 0;
  private static final int B = 1;
  private static final int W = 2;
  private static final int KEYS = 300;

  @TempDir Path folder;

  @Test
  void replicaThatWasAwayLeadsWithEverythingThatOnlyTheWitnessHad() throws Exception {
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, LogLimits.DEFAULT)) {
      int partition = cluster.partitionOn(A, B);
      cluster.stop(B);
      writeAll(cluster, partition);
      cluster.stop(A);
      cluster.start(B);
      cluster.awaitLeader(partition, B);
      assertAllThere(cluster, partition);
    }
  }

  @Test
  void witnessThatIsAskedForSnapshotsKeepsWhatTheReplicaLacks() throws Exception {
    LogLimits eager =
        new LogLimits(
            1,
            LogLimits.DEFAULT.snapshotEntries(),
            LogLimits.DEFAULT.replicaBytesMax(),
            LogLimits.DEFAULT.witnessBytesMax());
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, eager)) {
      int partition = cluster.partitionOn(A, B);
      cluster.stop(B);
      writeAll(cluster, partition);
      for (int i = 0; i < 20; i++) {
        cluster.node(A).partitions().snapshotAll();
        cluster.node(W).partitions().snapshotAll();
        cluster.put(A, RuntimeCluster.key(partition, KEYS + i), "more");
      }
      cluster.stop(A);
      cluster.start(B);
      cluster.awaitLeader(partition, B);
      assertAllThere(cluster, partition);
    }
  }

  @Test
  void replicaTooFarBehindForTheLogIsBroughtUpByTheLeadersSnapshot() throws Exception {
    LogLimits tight = new LogLimits(1, 1, 1, LogLimits.DEFAULT.witnessBytesMax());
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, tight)) {
      int partition = cluster.partitionOn(A, B);
      cluster.stop(B);
      writeAll(cluster, partition);
      awaitLogDropped(cluster, A, partition);
      cluster.start(B);
      cluster.awaitLeaders();
      assertAllThere(cluster, partition);
      // B has it all by itself now: it serves when A is gone for good.
      await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> applied(cluster, B, partition) >= applied(cluster, A, partition));
      cluster.stop(A);
      cluster.awaitLeader(partition, B);
      assertAllThere(cluster, partition);
    }
  }

  @Test
  void withoutTheLogOnTheWitnessThePartitionIsUnavailableAndNeverWrong() throws Exception {
    LogLimits tight = new LogLimits(1, 1, 1, 1);
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, tight)) {
      int partition = cluster.partitionOn(A, B);
      cluster.stop(B);
      writeAll(cluster, partition);
      awaitLogDropped(cluster, W, partition);
      cluster.stop(A);
      cluster.start(B);
      String key = RuntimeCluster.key(partition, 0);
      await()
          .during(Duration.ofSeconds(5))
          .atMost(Duration.ofSeconds(20))
          .until(() -> !(cluster.write(B, key, "forbidden") instanceof Reply.Done));
      cluster.start(A);
      assertAllThere(cluster, partition);
    }
  }

  @Test
  void wipedWitnessIsTakenInAlthoughNobodyWrites() throws Exception {
    // A's log begins behind what B has on disk, so the new witness could not bring B up to date.
    // B has it in memory only, and with nobody writing nothing but the witness makes it flush.
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, LogLimits.DEFAULT)) {
      int partition = cluster.partitionOn(A, B);
      writeAll(cluster, partition);
      awaitLogDropped(cluster, A, partition);
      cluster.stop(W);
      cluster.startWiped(W);
      await().atMost(Duration.ofSeconds(20)).until(() -> cluster.votes(partition, W, 2));
      assertAllThere(cluster, partition);
    }
  }

  @Test
  @Timeout(60)
  void nodeThatIsNotTakenInYetKnowsWhoLeads() throws Exception {
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, LogLimits.DEFAULT)) {
      int partition = cluster.partitionOn(A, B);
      cluster.stop(W);
      cluster.startWiped(W);
      await().until(() -> cluster.node(W).partitions().leaderId(partition).isPresent());
      while (!cluster.votes(partition, W, 2)) {
        assertThat(cluster.node(W).partitions().leaderId(partition)).isPresent();
        Thread.sleep(1);
      }
    }
  }

  private static void writeAll(RuntimeCluster cluster, int partition) {
    for (int i = 0; i < KEYS; i++) {
      cluster.put(A, RuntimeCluster.key(partition, i), "value" + i);
    }
  }

  private static void assertAllThere(RuntimeCluster cluster, int partition) {
    for (int i = 0; i < KEYS; i++) {
      assertThat(cluster.get(B, RuntimeCluster.key(partition, i))).contains("value" + i);
    }
  }

  private static void awaitLogDropped(RuntimeCluster cluster, int node, int partition) {
    await()
        .atMost(Duration.ofSeconds(20))
        .until(
            () -> {
              // The engine keeps one snapshot's worth of log: it drops at the second, which needs
              // something new.
              cluster.put(A, RuntimeCluster.key(partition, KEYS), "more");
              cluster.node(node).partitions().snapshotAll();
              return cluster.node(node).partitions().firstLogIndex(partition) > KEYS / 2;
            });
  }

  private static long applied(RuntimeCluster cluster, int node, int partition) {
    return cluster.node(node).partitions().reports().stream()
        .filter(report -> report.index() == partition)
        .findFirst()
        .orElseThrow()
        .appliedIndex();
  }
}

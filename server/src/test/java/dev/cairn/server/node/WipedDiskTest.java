// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.protocol.Topology;
import dev.cairn.server.operation.Reply;
import dev.cairn.server.partition.LogLimits;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A node whose disk was replaced. It acknowledged writes that it no longer has, so it must not vote
 * as if it had.
 */
@Tag("long")
class WipedDiskTest {
  private static final int A = 0;
  private static final int B = 1;
  private static final int W = 2;
  private static final int KEYS = 100;

  @TempDir Path folder;

  @Test
  void wipedReplicaDoesNotElectTheWitnessesEmptyHanded() throws Exception {
    // A and B acknowledge while W is away; B's disk is wiped; A goes. W and the empty B are two of
    // three voters, and
    // neither has the writes: they must not form a majority.
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, LogLimits.DEFAULT)) {
      int partition = cluster.partitionOn(A, B);
      cluster.stop(W);
      for (int i = 0; i < KEYS; i++) {
        cluster.put(A, RuntimeCluster.key(partition, i), "value" + i);
      }
      cluster.stop(B);
      cluster.stop(A);
      cluster.start(W);
      cluster.startWiped(B);
      await()
          .during(Duration.ofSeconds(4))
          .atMost(Duration.ofSeconds(10))
          .until(() -> !cluster.node(B).router().leads(partition));
      cluster.start(A);
      for (int i = 0; i < KEYS; i++) {
        assertThat(cluster.get(W, RuntimeCluster.key(partition, i))).contains("value" + i);
      }
    }
  }

  @Test
  void wipedNodeIsTakenInAsANewOneAndHoldsEverythingAgain() throws Exception {
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, LogLimits.DEFAULT)) {
      int partition = cluster.partitionOn(A, B);
      for (int i = 0; i < KEYS; i++) {
        cluster.put(A, RuntimeCluster.key(partition, i), "value" + i);
      }
      cluster.stop(B);
      cluster.startWiped(B);
      awaitHolds(cluster, B);
      // The new B counts again: with A gone, it and the witness serve everything.
      cluster.stop(A);
      cluster.awaitLeader(partition, B);
      for (int i = 0; i < KEYS; i++) {
        assertThat(cluster.get(B, RuntimeCluster.key(partition, i))).contains("value" + i);
      }
      assertThat(cluster.write(B, RuntimeCluster.key(partition, 0), "again"))
          .isInstanceOf(Reply.Done.class);
    }
  }

  /**
   * Until the node has a replica or witness of every partition that was placed on it, up to date.
   */
  private static void awaitHolds(RuntimeCluster cluster, int node) {
    await()
        .atMost(Duration.ofSeconds(40))
        .until(
            () -> {
              Topology topology = cluster.node(node).router().topology();
              long leads =
                  topology.partitions().stream()
                      .filter(
                          p ->
                              p.leaderId()
                                  .filter(cluster.node(node).router().nodeId()::equals)
                                  .isPresent())
                      .count();
              return topology.partitions().size() == RuntimeCluster.PARTITIONS && leads == 2;
            });
  }
}

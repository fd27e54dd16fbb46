// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.awaitility.Awaitility.await;

import dev.cairn.server.cluster.NodeReport.PartitionReport;
import dev.cairn.server.partition.LogLimits;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a replica would apply again after a crash is bounded, however small its entries are. */
@Tag("long")
class ReplayTest {
  private static final int A = 0;
  private static final int B = 1;
  private static final int ENTRIES = 100;
  private static final int KEYS = 350;

  @TempDir Path folder;

  @Test
  void bothReplicasFlushOnceTheyHaveAppliedSoManyEntries() throws Exception {
    LogLimits limits =
        new LogLimits(
            LogLimits.DEFAULT.snapshotBytes(),
            ENTRIES,
            LogLimits.DEFAULT.replicaBytesMax(),
            LogLimits.DEFAULT.witnessBytesMax());
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, limits)) {
      int partition = cluster.partitionOn(A, B);
      for (int i = 0; i < KEYS; i++) {
        cluster.put(A, RuntimeCluster.key(partition, i), "value");
      }
      await()
          .atMost(Duration.ofSeconds(20))
          .until(
              () ->
                  toBeAppliedAgain(cluster, A, partition) <= ENTRIES
                      && toBeAppliedAgain(cluster, B, partition) <= ENTRIES);
    }
  }

  @Test
  void replicaWhoseWitnessVotesDoesNotFlushForIt() throws Exception {
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, LogLimits.DEFAULT)) {
      int partition = cluster.partitionOn(A, B);
      for (int i = 0; i < ENTRIES; i++) {
        cluster.put(A, RuntimeCluster.key(partition, i), "value");
      }
      // Each replica is looked after once a second.
      await()
          .during(Duration.ofSeconds(3))
          .atMost(Duration.ofSeconds(20))
          .until(
              () ->
                  toBeAppliedAgain(cluster, A, partition) >= ENTRIES / 2
                      && toBeAppliedAgain(cluster, B, partition) >= ENTRIES / 2);
    }
  }

  private static long toBeAppliedAgain(RuntimeCluster cluster, int node, int partition) {
    Optional<PartitionReport> report =
        cluster.node(node).partitions().reports().stream()
            .filter(held -> held.index() == partition)
            .findFirst();
    return report.map(held -> held.appliedIndex() - held.durableIndex()).orElseThrow();
  }
}

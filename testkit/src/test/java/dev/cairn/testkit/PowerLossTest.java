// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.client.CairnClient;
import dev.cairn.testkit.Observation.Outcome;
import dev.cairn.testkit.fault.ShimmedDisk;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The power fails: what was not fsynced is gone, and nothing that was acknowledged. */
@Tag("faults")
class PowerLossTest {
  private static final List<String> KEYS = List.of("mykey", "b", "c");
  private static final int PAIRS_PER_SECOND = 300;

  @RegisterExtension final Clusters clusters = Clusters.ofEachTest();

  @Test
  @Timeout(300)
  void nothingAcknowledgedIsLostWhenThePowerFailsUnderLoad() {
    ShimmedDisk disk = ShimmedDisk.build();
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3).in(disk));
    long seed = System.nanoTime();
    System.out.println("power loss: seed " + seed);
    History history = new History();
    List<RegisterClient> clients = new ArrayList<>();
    for (int node : cluster.indexes()) {
      clients.add(RegisterClient.of(cluster.client().build()));
      clients.add(RegisterClient.of(cluster.clientThrough(node).build()));
    }
    CairnClient client = cluster.client().deadline(Duration.ofSeconds(10)).build();
    try (SteadyLoad load = SteadyLoad.start(client, Pairs.packages(), PAIRS_PER_SECOND)) {
      Contention.during(
          history,
          clients,
          KEYS,
          seed,
          () -> {
            load.awaitProgress(PAIRS_PER_SECOND);
            for (int round = 0; round < 2; round++) {
              int leader = cluster.leaderOf(KEYS.get(round));
              lose(disk, cluster, List.of(leader), seed + round, load);
              lose(disk, cluster, cluster.indexes(), seed - round, load);
            }
          });
      load.finish();
      try (CairnClient reader = cluster.client().deadline(Duration.ofSeconds(20)).build()) {
        assertThat(load.differences(reader)).isEmpty();
      }
      System.out.printf(
          "power loss: %d pairs acknowledged, %d unknown; contended %d ok, %d unknown%n",
          load.acknowledged(),
          load.unknown(),
          history.count(Outcome.OK),
          history.count(Outcome.UNKNOWN));
    }
    assertThat(Linearizability.check(history.operations())).isEmpty();
  }

  private static void lose(
      ShimmedDisk disk, ProcessCluster cluster, List<Integer> nodes, long seed, SteadyLoad load) {
    disk.losePower(cluster, nodes, seed);
    nodes.forEach(cluster::start);
    cluster.awaitHealthy();
    load.awaitProgress(PAIRS_PER_SECOND / 2);
  }
}

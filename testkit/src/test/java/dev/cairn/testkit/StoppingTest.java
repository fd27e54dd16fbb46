// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.client.CairnClient;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** SIGTERM ends a node in order: what it leads it hands over first, and it ends with status 0. */
@Execution(ExecutionMode.CONCURRENT)
class StoppingTest {
  @RegisterExtension final Clusters clusters = Clusters.ofEachTest();

  @Test
  void eachNodeStopsWithStatusZeroWhileOthersWriteAndIsBackWithItsData() {
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3));
    try (CairnClient client = cluster.client().build();
        SteadyLoad load = SteadyLoad.start(client, Pairs.packages().subList(0, 1_000), 100)) {
      for (int node : cluster.indexes()) {
        load.awaitProgress(50);
        long begun = System.nanoTime();
        int status = cluster.stop(node);
        System.out.printf(
            "node %d stopped in %d ms%n", node, (System.nanoTime() - begun) / 1_000_000);
        assertThat(status).isZero();
        load.awaitProgress(50);
        cluster.start(node);
        cluster.awaitHealthy();
      }
      load.finish();
      System.out.printf(
          "load under orderly stops: %d acknowledged, %d unknown, %d failed %s, longest pause %d ms%n",
          load.acknowledged(),
          load.unknown(),
          load.failed(),
          load.reasons(),
          load.longestPause().toMillis());
      for (int node : cluster.indexes()) {
        try (CairnClient reader = cluster.clientThrough(node).build()) {
          assertThat(load.differences(reader)).isEmpty();
        }
      }
    }
  }

  @Test
  void theLastNodeStopsTooAndAllComeBack() {
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3));
    try (CairnClient client = cluster.client().build()) {
      client.put("mykey", "myvalue");
      for (int node : cluster.indexes()) {
        assertThat(cluster.stop(node)).isZero();
      }
      cluster.indexes().forEach(cluster::start);
      cluster.awaitHealthy();
      assertThat(client.get("mykey")).hasValue("myvalue");
    }
  }
}

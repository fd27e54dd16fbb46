// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.client.CairnClient;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * SIGTERM ends a node with status 0, also the last one that runs. Under load: RollingRestartTest.
 */
class StoppingTest {
  @RegisterExtension final Clusters clusters = Clusters.ofEachTest();

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

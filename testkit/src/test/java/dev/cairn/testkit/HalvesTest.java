// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.testkit.network.PeerNetwork;
import dev.cairn.testkit.network.PeerNetwork.Link;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Nodes that start while only half of them see each other. */
@Tag("long")
class HalvesTest {
  @RegisterExtension final Clusters clusters = Clusters.ofEachTest();

  @Test
  void noHalfBecomesAClusterAndTheWholeBecomesOne() throws IOException {
    ProcessCluster cluster =
        clusters.start(ProcessCluster.of(4).withNetwork(HalvesTest::separateHalves));
    await("each node to miss the other half")
        .atMost(Duration.ofSeconds(60))
        .until(
            () ->
                cluster.indexes().stream()
                    .allMatch(node -> cluster.node(node).log().contains("no answer from")));
    // Each half has had the time to ask and to answer; the first of the list is in one of them.
    for (int node : cluster.indexes()) {
      assertThat(cluster.node(node).log()).doesNotContain("belongs to cluster");
    }
    cluster.network().heal();
    cluster.awaitHealthy();
    Set<String> ids = new TreeSet<>();
    for (int node : cluster.indexes()) {
      ids.add(cluster.status(node).clusterId());
    }
    assertThat(ids).hasSize(1);
  }

  private static void separateHalves(PeerNetwork network) {
    for (int one : List.of(0, 1)) {
      for (int other : List.of(2, 3)) {
        network.setBoth(one, other, Link.HOLD);
      }
    }
  }
}

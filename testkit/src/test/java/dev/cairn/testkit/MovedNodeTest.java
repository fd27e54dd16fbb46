// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.client.CairnClient;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClusterClient;

/** Nodes whose folders are started at other addresses, and folders that are started twice. */
@Tag("nightly")
class MovedNodeTest {
  private static final int KEYS = 60;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @RegisterExtension final Clusters clusters = Clusters.ofEachTest();

  @Test
  void aNodeMovesWhileTheOthersRunAndAnotherMayBeLostThen() {
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3));
    try (CairnClient client = cluster.client().build();
        RedisClusterClient jedis = jedis(cluster)) {
      put(client, "before");
      cluster.stop(1);
      put(client, "meanwhile");
      cluster.move(1);
      cluster.start(1);
      awaitPresentNames(cluster);
      assertThat(cluster.node(0).log()).contains(" has moved from ");
      cluster.kill(0);
      cluster.awaitLeaders();
      assertAll(client, "meanwhile");
      put(client, "after");
      await("a client of the cluster port to follow")
          .atMost(PATIENCE)
          .ignoreExceptions()
          .untilAsserted(
              () -> {
                for (int i = 0; i < KEYS; i++) {
                  assertThat(jedis.get("key" + i)).isEqualTo("after" + i);
                }
              });
      cluster.start(0);
      awaitPresentNames(cluster);
      cluster.kill(2);
      cluster.start(2);
      awaitPresentNames(cluster); // from its own file, though its list names the old address
    }
  }

  @Test
  void allNodesMoveAtOnce() {
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3));
    moveAll(cluster, () -> cluster.indexes().forEach(cluster::move));
  }

  /** At each old address another member answers, which must take nothing that is not for it. */
  @Test
  void twoNodesTakeEachOthersAddress() {
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3));
    moveAll(cluster, () -> cluster.swap(0, 1));
  }

  private static void moveAll(ProcessCluster cluster, Runnable moves) {
    try (CairnClient client = cluster.client().build()) {
      put(client, "before");
    }
    cluster.indexes().forEach(cluster::stop);
    moves.run();
    cluster.listAnew();
    cluster.indexes().forEach(node -> cluster.start(node));
    awaitPresentNames(cluster);
    try (CairnClient client = cluster.client().build()) {
      assertAll(client, "before");
      cluster.kill(2);
      cluster.awaitLeaders();
      assertAll(client, "before");
      put(client, "after");
      cluster.start(2);
      awaitPresentNames(cluster);
      assertAll(client, "after");
    }
  }

  @Test
  void aFolderThatRunsAlreadyIsRefusedAndTheFirstGoesOn() throws IOException {
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3));
    cluster.stop(1);
    NodeProcess copy = cluster.copyOf(1);
    cluster.start(1);
    cluster.awaitHealthy();
    copy.start();
    assertThat(copy.awaitEnd(PATIENCE)).isEqualTo(2);
    assertThat(copy.log()).contains("runs already at " + cluster.node(1).name());
    awaitPresentNames(cluster);
    cluster.kill(0);
    cluster.awaitLeaders();
    try (CairnClient client = cluster.client().build()) {
      put(client, "after");
      assertAll(client, "after");
    }
    assertThat(cluster.node(1).running()).isTrue();
  }

  /** The copy is the node from then on; nothing of what the frozen process sends counts. */
  @Test
  void whoWasFrozenWhileACopyTookItsPlaceEnds() throws IOException {
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3));
    cluster.pause(1);
    await("the others to miss it")
        .atMost(PATIENCE)
        .until(() -> !cluster.status(0).healthy() && !cluster.status(2).healthy());
    NodeProcess copy = cluster.copyOf(1);
    copy.start();
    try {
      await("the copy to be a member")
          .atMost(PATIENCE)
          .ignoreExceptions()
          .until(
              () ->
                  cluster.status(0).healthy()
                      && cluster.status(0).nodes().stream()
                          .anyMatch(node -> node.name().equals(copy.name())));
      cluster.resume(1);
      assertThat(cluster.node(1).awaitEnd(PATIENCE)).isEqualTo(2);
      assertThat(cluster.node(1).log()).contains("runs already at " + copy.name());
      cluster.awaitHealthy();
    } finally {
      copy.kill();
    }
  }

  @Test
  void twoNodesClaimOneAddress() {
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3));
    cluster.stop(1);
    List<Integer> ports = FreePorts.take(2);
    NodeProcess claims = cluster.node(1).at(ports.get(0), cluster.node(0).peerPort(), ports.get(1));
    claims.start("--host", "127.0.0.2", "--announce-host", "127.0.0.1");
    assertThat(claims.awaitEnd(PATIENCE)).isEqualTo(2);
    assertThat(refusals(claims))
        .hasSize(1)
        .allMatch(line -> line.contains("two nodes claim one address"))
        .allMatch(line -> line.contains(cluster.node(0).host()));
    cluster.start(1);
    awaitPresentNames(cluster);
  }

  private static List<String> refusals(NodeProcess node) {
    return node.log().lines().filter(line -> line.startsWith("cairn: ")).toList();
  }

  private static void awaitPresentNames(ProcessCluster cluster) {
    cluster.awaitHealthy();
    Set<String> names =
        cluster.indexes().stream().map(i -> cluster.node(i).name()).collect(Collectors.toSet());
    cluster.awaitStatus(
        "the present names",
        status ->
            status.healthy()
                && status.nodes().stream()
                    .map(Status.Node::name)
                    .collect(Collectors.toSet())
                    .equals(names));
  }

  private static void put(CairnClient client, String value) {
    for (int i = 0; i < KEYS; i++) {
      String key = "key" + i;
      String own = value + i;
      await("a write of " + key)
          .atMost(PATIENCE)
          .ignoreExceptions() // one that timed out is written again: it writes the same
          .untilAsserted(() -> client.put(key, own));
    }
  }

  private static void assertAll(CairnClient client, String value) {
    for (int i = 0; i < KEYS; i++) {
      assertThat(client.get("key" + i)).as("key%d", i).hasValue(value + i);
    }
  }

  private static RedisClusterClient jedis(ProcessCluster cluster) {
    return RedisClusterClient.builder()
        .nodes(
            cluster.indexes().stream()
                .map(node -> new HostAndPort("127.0.0.1", cluster.clusterPort(node)))
                .collect(Collectors.toSet()))
        .build();
  }
}

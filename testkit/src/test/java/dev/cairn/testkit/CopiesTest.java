// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.client.CairnClient;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Other numbers of nodes and copies than the quick start's. */
@Tag("long")
class CopiesTest {
  @RegisterExtension final Clusters clusters = Clusters.ofEachTest();

  @Test
  void oneNodeWithOneCopyKeepsItsDataOverAKill() {
    ProcessCluster cluster =
        clusters.startHealthy(ProcessCluster.of(1).options("--replication-factor", "1"));
    write(cluster, "value");
    cluster.kill(0);
    cluster.start(0);
    cluster.awaitHealthy();
    assertReadsThroughEachNode(cluster, "value");
    assertThat(cluster.status().partitionList())
        .allSatisfy(
            partition -> {
              assertThat(partition.replicas()).hasSize(1);
              assertThat(partition.witness()).isNull();
            });
    assertThat(statusOf(cluster)).contains("It cannot lose another node");
  }

  @Test
  void threeCopiesOnThreeNodesNeedNoWitnessAndSurviveTheLossOfOne() {
    ProcessCluster cluster =
        clusters.startHealthy(ProcessCluster.of(3).options("--replication-factor", "3"));
    assertThat(cluster.status().partitionList())
        .allSatisfy(
            partition -> {
              assertThat(partition.replicas()).hasSize(3);
              assertThat(partition.witness()).isNull();
              assertThat(partition.canLose()).isEqualTo(1);
            });
    write(cluster, "old");
    cluster.kill(1);
    cluster.awaitLeaders();
    write(cluster, "new");
    cluster.start(1);
    cluster.awaitHealthy();
    assertReadsThroughEachNode(cluster, "new");
  }

  @Test
  void twoCopiesOnTwoNodesWorkAndStatusSaysWhatTheyCannotSurvive()
      throws IOException, InterruptedException {
    ProcessCluster cluster =
        clusters.start(ProcessCluster.of(2).options("--replication-factor", "2"));
    cluster.awaitLeaders();
    write(cluster, "value");
    assertReadsThroughEachNode(cluster, "value");
    assertThat(cluster.status().partitionList())
        .allSatisfy(
            partition -> {
              assertThat(partition.replicas()).hasSize(2);
              assertThat(partition.witness()).isNull();
              assertThat(partition.canLose()).isZero();
            });
    assertThat(statusOf(cluster)).contains("It cannot lose another node");
    aNodeWithoutMajorityIsAliveAndReady(cluster);
  }

  /** It reads at ONE, and another's end is no reason to take it away too. */
  private static void aNodeWithoutMajorityIsAliveAndReady(ProcessCluster cluster)
      throws IOException, InterruptedException {
    HttpContract http = new HttpContract();
    awaitReady(http, cluster, 200);
    cluster.kill(1);
    cluster.awaitStatus("no leader is known", status -> status.has("no-majority"));
    assertThat(http.ask(cluster.node(0), "GET /readyz", "").statusCode()).isEqualTo(200);
    assertThat(http.ask(cluster.node(0), "GET /healthz", "").statusCode()).isEqualTo(200);
    http.holdDocuments(cluster.node(0)); // a node that is down, partitions without leaders
    http.ask(cluster.node(0), "GET /v1/kv/key1?consistency=one", "");
    cluster.start(1);
    cluster.awaitLeaders();
  }

  private static HttpResponse<byte[]> awaitReady(
      HttpContract http, ProcessCluster cluster, int status) {
    return await("/readyz answers " + status)
        .atMost(Duration.ofSeconds(60))
        .until(
            () -> http.ask(cluster.node(0), "GET /readyz", ""),
            answer -> answer.statusCode() == status);
  }

  @Test
  void twoCopiesOnFiveNodesSpreadAndSurviveTheLossOfAnyOne() {
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(5));
    Status status = cluster.status();
    assertThat(status.partitionList())
        .hasSize(10)
        .allSatisfy(
            partition -> {
              assertThat(partition.replicas()).hasSize(2);
              assertThat(partition.witness()).isNotNull();
              assertThat(partition.witness().node())
                  .isNotIn(partition.replicas().stream().map(Status.Replica::node).toList());
            });
    assertThat(status.nodes()).allSatisfy(node -> assertThat(node.replicas()).isBetween(2, 5));
    cluster.awaitStatus(
        "leaders spread evenly",
        now -> now.nodes().stream().allMatch(node -> 1 <= node.leads() && node.leads() <= 3));
    write(cluster, "old");
    cluster.kill(4);
    cluster.awaitLeaders();
    write(cluster, "new");
    cluster.start(4);
    cluster.awaitHealthy();
    assertReadsThroughEachNode(cluster, "new");
  }

  private static void write(ProcessCluster cluster, String value) {
    try (CairnClient client = cluster.client().build()) {
      IntStream.range(0, 100).forEach(i -> client.put("key" + i, value + i));
    }
  }

  private static void assertReadsThroughEachNode(ProcessCluster cluster, String value) {
    for (int node : cluster.indexes()) {
      try (CairnClient client = cluster.clientThrough(node).build()) {
        IntStream.range(0, 100).forEach(i -> assertThat(client.get("key" + i)).hasValue(value + i));
      }
    }
  }

  private static String statusOf(ProcessCluster cluster) {
    CommandRun status = CommandRun.tool("", "status", "--nodes", cluster.addresses());
    return status.out() + status.err();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.client.CairnClient;
import dev.cairn.testkit.fault.Fault;
import dev.cairn.testkit.fault.NetworkFaults;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Nodes that send and are not sent to, or the other way round: what is said of them. */
@Tag("nightly")
@Tag("loaded")
@Timeout(400)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class OneWayTest {
  private static final int FAULTY = 2;

  /** How long a fault lasts under load: {@code -Dcairn.held.seconds}. */
  private static final Duration HELD =
      Duration.ofSeconds(Integer.getInteger("cairn.held.seconds", 12));

  private static final List<Integer> OTHERS = List.of(0, 1);

  @RegisterExtension static final Clusters CLUSTERS = Clusters.ofClass();

  /** Healthy before and after each fault. */
  private ProcessCluster withNetwork;

  @BeforeAll
  void start() {
    withNetwork = CLUSTERS.startHealthy(ProcessCluster.of(3).withNetwork());
  }

  static Stream<Fault> oneWay() {
    return Stream.of(NetworkFaults.mute(), NetworkFaults.deaf(), NetworkFaults.block());
  }

  @ParameterizedTest
  @MethodSource("oneWay")
  void aNodeCountsOnlyWhileItIsHeardAndReached(Fault fault)
      throws IOException, InterruptedException {
    ProcessCluster cluster = withNetwork;
    fault.begin(cluster, FAULTY);

    awaitOf(cluster, OTHERS, "it does not count", status -> doesNotCount(cluster, status));
    awaitOf(cluster, List.of(FAULTY), "it knows", now -> !now.healthy() && now.canLose() == 0);
    awaitOf(cluster, OTHERS, "the problem is set", status -> isSet(status, cluster));
    everyKeyIsWrittenThroughTheOthers(cluster);
    HttpContract http = new HttpContract();
    for (int node : cluster.indexes()) {
      for (String path : List.of("/healthz", "/readyz")) {
        assertThat(http.ask(cluster.node(node), "GET " + path, "").statusCode())
            .as("%s of node %d", path, node)
            .isEqualTo(200);
      }
      http.holdDocuments(cluster.node(node));
    }
    fault.heal(cluster, FAULTY);
    cluster.awaitHealthy();
    assertThat(cluster.status().canLose()).isEqualTo(1);
  }

  @ParameterizedTest
  @MethodSource("oneWay")
  void theLossOfAnotherIsNoOutageOrWasForetold(Fault fault) {
    HeldFault.Outcome outcome = new HeldFault(withNetwork, fault).run(HELD);
    assertThat(outcome.warned()).as("%s", outcome).isTrue();
  }

  @Test
  void aNodeAtAnotherAddressThanItAnnouncesIsNotUp() {
    ProcessCluster cluster = CLUSTERS.startHealthy(ProcessCluster.of(3));
    cluster.stop(FAULTY);
    cluster.start(FAULTY, "--host", "127.0.0.2", "--announce-host", "127.0.0.1");

    awaitOf(
        cluster,
        OTHERS,
        "it is heard, and not reached",
        status ->
            doesNotCount(cluster, status)
                && isSet(status, cluster)
                && node(status, cluster, FAULTY).heard()
                && !node(status, cluster, FAULTY).reached());
    assertThat(cluster.status().problems())
        .anyMatch(
            problem ->
                problem.name().equals("node-unreached")
                    && problem.text().contains("127.0.0.1:" + cluster.node(FAULTY).peerPort()));

    cluster.stop(FAULTY);
    cluster.start(FAULTY);
    cluster.awaitHealthy();
  }

  /** Whoever led at the faulty node gives way, or is followed by another. */
  private static void everyKeyIsWrittenThroughTheOthers(ProcessCluster cluster) {
    for (int node : OTHERS) {
      try (CairnClient client =
          cluster.clientThrough(node).deadline(Duration.ofSeconds(30)).build()) {
        for (int i = 0; i < 50; i++) {
          client.put("through-" + i, "node " + node);
        }
      }
    }
  }

  private static boolean doesNotCount(ProcessCluster cluster, Status status) {
    return !node(status, cluster, FAULTY).up() && status.canLose() == 0 && !status.healthy();
  }

  private static boolean isSet(Status status, ProcessCluster cluster) {
    return status.problems().stream()
        .anyMatch(
            problem ->
                problem.subject().equals(cluster.node(FAULTY).name())
                    && problem.state().equals("set")
                    && problem.ageMillis() >= 5_000);
  }

  private static Status.Node node(Status status, ProcessCluster cluster, int node) {
    return status.nodes().stream()
        .filter(one -> one.name().equals(cluster.node(node).name()))
        .findFirst()
        .orElseThrow();
  }

  private static void awaitOf(
      ProcessCluster cluster, List<Integer> nodes, String what, Predicate<Status> condition) {
    for (int node : nodes) {
      await(what + ", says node " + node)
          .atMost(Duration.ofSeconds(60))
          .pollInterval(Duration.ofMillis(100))
          .ignoreExceptions()
          .until(() -> condition.test(cluster.status(node)));
    }
  }
}

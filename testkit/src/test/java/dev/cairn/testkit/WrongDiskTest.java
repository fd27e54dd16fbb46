// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.client.CairnClient;
import dev.cairn.protocol.RespValue;
import java.io.IOException;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Nodes that come back with another disk than the one with which they promised something. */
@Tag("nightly")
class WrongDiskTest {
  private static final String KEY = "mykey";

  @RegisterExtension final Clusters clusters = Clusters.ofEachTest();

  /**
   * A and B acknowledge; B's disk is lost while A is down. B, empty, and the witness are a
   * majority: if they elected a leader, what was acknowledged would be gone.
   */
  @Test
  void aWipedNodeNeitherVotesNorServesWhatItNoLongerHas() {
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3));
    try (CairnClient client = cluster.client().build()) {
      client.put(KEY, "acknowledged");
    }
    List<Integer> replicas = cluster.replicasOf(KEY);
    int a = replicas.get(0);
    int b = replicas.get(1);
    int witness = 3 - a - b;

    cluster.kill(b);
    cluster.wipe(b);
    cluster.kill(a);
    cluster.start(b);
    // Its process answers, or it has refused to start: both are right.
    await("the wiped node to answer or to end")
        .atMost(Duration.ofSeconds(60))
        .until(() -> !cluster.node(b).running() || answersPing(cluster, b));
    Set<String> answers = new TreeSet<>();
    for (int i = 0; i < 20; i++) {
      answers.addAll(askAtOnce(cluster, b, witness));
    }
    assertThat(answers)
        .as("with A down nobody has the value: only errors are right")
        .allMatch(answer -> answer.startsWith("-"));

    cluster.start(a);
    await("what was acknowledged, from A")
        .atMost(Duration.ofSeconds(60))
        .until(() -> ask(cluster, a).equals("acknowledged"));
    if (cluster.node(b).running()) {
      await("what was acknowledged, through B")
          .atMost(Duration.ofSeconds(60))
          .until(() -> ask(cluster, b).equals("acknowledged"));
    }
  }

  /**
   * A and B acknowledge; B's folder is replaced by a copy that was made before. That copy and the
   * witness are a majority too.
   */
  @Test
  void anOlderCopyOfAFolderNeitherVotesNorServesAndIsTakenInAnew() throws IOException {
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3));
    List<Integer> replicas = cluster.replicasOf(KEY);
    int a = replicas.get(0);
    int b = replicas.get(1);
    int witness = 3 - a - b;
    Path copy = Files.createTempDirectory("cairn-older-copy");
    try {
      cluster.kill(b);
      Folders.copy(cluster.node(b).data(), copy);
      cluster.start(b);
      cluster.awaitHealthy();
      try (CairnClient client = cluster.client().build()) {
        client.put(KEY, "acknowledged");
      }
      cluster.kill(b);
      cluster.wipe(b);
      Folders.copy(copy, cluster.node(b).data());
      cluster.kill(a);
      cluster.start(b);
      Set<String> answers = new TreeSet<>();
      await("node B to say what it is, or somebody to answer")
          .atMost(Duration.ofSeconds(60))
          .until(
              () -> {
                answers.addAll(askAtOnce(cluster, b, witness));
                return cluster.node(b).log().contains("is an older copy of this node's")
                    || answers.stream().anyMatch(answer -> !answer.startsWith("-"));
              });
      for (int i = 0; i < 2; i++) {
        answers.addAll(askAtOnce(cluster, b, witness));
      }
      assertThat(answers)
          .as("with A down nobody has the value: only errors are right")
          .allMatch(answer -> answer.startsWith("-"));
      cluster.start(a);
      cluster.awaitHealthy();
      assertThat(ask(cluster, b)).isEqualTo("acknowledged");
    } finally {
      Folders.delete(copy);
    }
  }

  /** Put back all together, as docs/guide/operate.md has it. */
  @Test
  void olderCopiesOfAllFoldersServeWhatTheyHad() throws IOException {
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3));
    try (CairnClient client = cluster.client().build()) {
      client.put(KEY, "before");
    }
    Path copies = Files.createTempDirectory("cairn-older-copies");
    try {
      cluster.killAll();
      for (int node : cluster.indexes()) {
        Folders.copy(cluster.node(node).data(), copies.resolve("node" + node));
      }
      cluster.indexes().forEach(cluster::start);
      cluster.awaitHealthy();
      try (CairnClient client = cluster.client().build()) {
        client.put(KEY, "after");
      }
      cluster.killAll();
      for (int node : cluster.indexes()) {
        cluster.wipe(node);
        Folders.copy(copies.resolve("node" + node), cluster.node(node).data());
      }
      cluster.indexes().forEach(cluster::start);
      cluster.awaitHealthy();
      assertThat(ask(cluster, 0)).isEqualTo("before");
    } finally {
      Folders.delete(copies);
    }
  }

  @Test
  void aNodeWithAnotherClustersDataIsToldSoAndDisturbsNobody() throws IOException {
    ProcessCluster ours = clusters.startHealthy(ProcessCluster.of(3));
    ProcessCluster theirs = clusters.start(ProcessCluster.of(1).options("--partitions", "6"));
    theirs.awaitLeaders();
    try (CairnClient client = ours.client().build()) {
      client.put(KEY, "ours");
    }
    try (CairnClient client = theirs.client().build()) {
      client.put(KEY, "theirs");
    }
    ours.kill(1);
    ours.wipe(1);
    theirs.kill(0);
    Folders.copy(theirs.node(0).data(), ours.node(1).data());
    ours.start(1);
    int status = ours.node(1).awaitEnd(Duration.ofSeconds(60));
    assertThat(status).isEqualTo(2);
    assertThat(ours.node(1).log().lines().filter(line -> line.startsWith("cairn: ")))
        .hasSize(1)
        .allMatch(line -> line.contains("--data"));
    for (int node : List.of(0, 2)) {
      assertThat(ask(ours, node)).isEqualTo("ours");
    }
  }

  private static boolean answersPing(ProcessCluster cluster, int node) throws IOException {
    try (RespConnection connection = cluster.connect(node)) {
      return connection.call("PING") instanceof RespValue.SimpleString;
    } catch (SocketException notYet) { // refused, or reset by a process that ends
      return false;
    }
  }

  /** What those of some nodes that run answer; an answer in vain takes a second and a half. */
  private static List<String> askAtOnce(ProcessCluster cluster, int... nodes) {
    List<CompletableFuture<String>> asked =
        Arrays.stream(nodes)
            .filter(node -> cluster.node(node).running())
            .mapToObj(node -> CompletableFuture.supplyAsync(() -> ask(cluster, node)))
            .toList();
    return asked.stream().map(CompletableFuture::join).toList();
  }

  private static String ask(ProcessCluster cluster, int node) {
    try (RespConnection connection = cluster.connect(node)) {
      return RespConnection.text(connection.call("GET", KEY));
    } catch (IOException e) {
      return "-" + e;
    }
  }
}

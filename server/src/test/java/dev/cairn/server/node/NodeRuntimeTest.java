// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.protocol.Slots;
import dev.cairn.protocol.Topology;
import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Formation;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.partition.Operation;
import dev.cairn.server.partition.Query;
import dev.cairn.server.partition.Reply;
import dev.cairn.server.partition.Result;
import dev.cairn.server.routing.Router;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three nodes in one process, below the client ports. */
class NodeRuntimeTest {
  @TempDir Path folder;

  private final List<NodeRuntime.Spec> specs = new ArrayList<>();
  private final List<NodeRuntime> nodes = new ArrayList<>();
  private final ClusterState[] recorded = new ClusterState[3];

  @AfterEach
  void stopAll() {
    nodes.stream().filter(node -> node != null).forEach(NodeRuntime::close);
  }

  @Test
  void threeNodesFormOneClusterAndServeEveryKeyThroughEveryNode() throws Exception {
    startThree();
    awaitLeaders();
    for (int i = 0; i < 30; i++) {
      assertThat(write(i % 3, "key" + i, "value" + i)).isInstanceOf(Reply.Done.class);
    }
    for (int i = 0; i < 30; i++) {
      for (int node = 0; node < 3; node++) {
        assertThat(read(node, "key" + i)).isEqualTo("value" + i);
      }
    }
  }

  @Test
  void acknowledgedWritesSurviveTheLossOfEachNodeAndARestartOfAll() throws Exception {
    startThree();
    awaitLeaders();
    for (int i = 0; i < 20; i++) {
      assertThat(write(0, "key" + i, "value" + i)).isInstanceOf(Reply.Done.class);
    }
    for (int lost = 0; lost < 3; lost++) {
      nodes.get(lost).close();
      int asked = (lost + 1) % 3;
      for (int i = 0; i < 20; i++) {
        String key = "key" + i;
        await()
            .atMost(Duration.ofSeconds(10))
            .until(() -> ("value" + key.substring(3)).equals(read(asked, key)));
      }
      restart(lost);
      awaitLeaders();
    }
    nodes.forEach(NodeRuntime::close);
    for (int node = 0; node < 3; node++) {
      restart(node);
    }
    awaitLeaders();
    for (int i = 0; i < 20; i++) {
      assertThat(read(i % 3, "key" + i)).isEqualTo("value" + i);
    }
  }

  private void startThree() throws IOException {
    List<Member> members = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      int port = freePort();
      String id = ("" + i).repeat(40);
      members.add(
          new Member(id, "127.0.0.1:" + (5000 + i), "127.0.0.1", 5000 + i, 0, "127.0.0.1", port));
    }
    List<Formation.Address> listed =
        members.stream()
            .map(m -> new Formation.Address(m.name(), m.peerHost(), m.peerPort()))
            .toList();
    for (int i = 0; i < 3; i++) {
      int index = i;
      specs.add(
          new NodeRuntime.Spec(
              members.get(i),
              listed,
              2,
              6,
              folder.resolve("node" + i),
              Optional.empty(),
              state -> recorded[index] = state,
              1_500,
              "test"));
      nodes.add(NodeRuntime.start(specs.get(i)));
    }
  }

  private void restart(int index) throws IOException {
    NodeRuntime.Spec spec = specs.get(index);
    nodes.set(
        index,
        NodeRuntime.start(
            new NodeRuntime.Spec(
                spec.self(),
                spec.listed(),
                2,
                6,
                spec.folder(),
                Optional.of(recorded[index]),
                state -> {},
                1_500,
                "test")));
  }

  private void awaitLeaders() {
    await()
        .atMost(Duration.ofSeconds(20))
        .until(
            () ->
                nodes.stream()
                    .allMatch(
                        node -> {
                          Topology topology = node.router().topology();
                          return topology.partitions().size() == 6
                              && topology.partitions().stream()
                                  .allMatch(p -> p.leaderId().isPresent());
                        }));
  }

  private Reply write(int node, String key, String value) throws Exception {
    Router router = nodes.get(node).router();
    byte[] bytes = key.getBytes(StandardCharsets.UTF_8);
    CompletableFuture<Reply> reply = new CompletableFuture<>();
    router.write(
        partitionOf(router, bytes),
        List.of(new Operation.Put(bytes, value.getBytes(StandardCharsets.UTF_8))),
        reply::complete);
    return reply.get(10, TimeUnit.SECONDS);
  }

  private String read(int node, String key) throws Exception {
    Router router = nodes.get(node).router();
    byte[] bytes = key.getBytes(StandardCharsets.UTF_8);
    CompletableFuture<Reply> reply = new CompletableFuture<>();
    router.read(partitionOf(router, bytes), List.of(new Query.Get(bytes)), reply::complete);
    return reply.get(10, TimeUnit.SECONDS) instanceof Reply.Done done
            && done.results().get(0) instanceof Result.Bytes value
        ? new String(value.value(), StandardCharsets.UTF_8)
        : null;
  }

  private static int partitionOf(Router router, byte[] key) {
    return router.topology().partitionOfSlot(Slots.of(key)).orElseThrow().index();
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.RespWriter;
import dev.cairn.protocol.Slots;
import dev.cairn.testkit.RespConnection;
import dev.cairn.testkit.network.PeerNetwork;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The libraries of the JVM; and at the same cluster, what clients in cluster mode are told. */
@Tag("long")
class JvmLibrariesTest extends LibrariesStory {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @Override
  List<Library> connect(Seed seed) {
    return all(seed);
  }

  /** Those of the JVM. */
  static List<Library> all(Seed seed) {
    return List.of(new JedisLibrary(seed), new LettuceLibrary(seed), new SpringLibrary(seed));
  }

  /** Clients give up at a hole without asking anybody; so there is none, whoever is down. */
  @Order(6)
  @Test
  void withoutAMajorityTheClusterPortSaysSoAndTellsEverySlot() throws IOException {
    cluster.kill(2);
    try (RespConnection connection = toClusterPort(1)) {
      await("CLUSTERDOWN for every key").atMost(PATIENCE).until(() -> allDown(connection, "SET"));
      assertThat(allDown(connection, "GET")).isTrue();
      assertThat(slotsTold(connection)).isEqualTo(Slots.COUNT);
    }
  }

  /** At once, since each waits until its deadline. */
  private static boolean allDown(RespConnection connection, String command) throws IOException {
    int keys = 24;
    for (int i = 0; i < keys; i++) {
      String key = "key" + i;
      connection.send(
          command.equals("SET")
              ? RespWriter.command(command, key, "value")
              : RespWriter.command(command, key));
    }
    boolean all = true;
    for (int i = 0; i < keys; i++) {
      all &= RespConnection.text(connection.read()).startsWith("-CLUSTERDOWN partition ");
    }
    return all;
  }

  private static long slotsTold(RespConnection connection) throws IOException {
    RespValue.Array ranges = (RespValue.Array) connection.call("CLUSTER", "SLOTS");
    return ranges.elements().stream()
        .map(range -> ((RespValue.Array) range).elements())
        .mapToLong(range -> number(range.get(1)) - number(range.get(0)) + 1)
        .sum();
  }

  private static long number(RespValue value) {
    return ((RespValue.Int) value).value();
  }

  /** A node that comes back elsewhere: another address leads to it, and clients are sent there. */
  @Order(7)
  @Test
  void aChangedAnnouncementIsWhereClientsAreSent() throws IOException {
    int port = cluster.node(0).peerPort(); // at this address nobody listens
    InetSocketAddress told = new InetSocketAddress("127.0.0.9", port);
    InetSocketAddress listening = new InetSocketAddress("127.0.0.1", cluster.clusterPort(0));
    try (PeerNetwork way =
        new PeerNetwork(
            1, List.of(new PeerNetwork.Door(0, told, listening, false)), () -> List.of(-1L))) {
      cluster.start(2);
      cluster.start(
          0,
          "--announce-host",
          told.getHostString(),
          "--announce-cluster-port",
          Integer.toString(port));
      cluster.awaitHealthy();
      String key = keyLedBy(0);
      String moved =
          "-MOVED %d %s:%d"
              .formatted(
                  Slots.of(key.getBytes(StandardCharsets.UTF_8)), told.getHostString(), port);
      for (int node : List.of(1, 2)) {
        try (RespConnection connection = toClusterPort(node)) {
          await("node %d to say %s".formatted(node, moved))
              .atMost(PATIENCE)
              .until(() -> RespConnection.text(connection.call("GET", key)).equals(moved));
        }
      }
      long before = way.bytes();
      try (JedisLibrary jedis = new JedisLibrary(Seed.of(cluster, 2, Optional.empty()))) {
        jedis.requests(100);
      }
      assertThat(way.bytes()).as("bytes by the way that was told").isGreaterThan(before);
    }
  }

  private String keyLedBy(int node) {
    return await("node " + node + " to lead something")
        .atMost(PATIENCE)
        .until(
            () -> {
              for (int i = 0; i < 100; i++) {
                if (cluster.leaderOf("key" + i) == node) {
                  return "key" + i;
                }
              }
              return "";
            },
            key -> !key.isEmpty());
  }

  private RespConnection toClusterPort(int node) throws IOException {
    return RespConnection.to(
        cluster.node(node).host(), cluster.clusterPort(node), Duration.ofSeconds(10));
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.protocol.Limits;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.RespWriter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Clients that claim, stall, hoard and overdo, and one that wants to be served meanwhile. */
@Tag("nightly")
@Tag("loaded")
class BadClientsTest {
  private static final int CLAIMING = 1_000;
  private static final long CLAIMING_KILOBYTES_MAX = 50 * 1024;
  private static final int IDLE = 5_000;
  private static final int DOZEN = 12;

  @RegisterExtension static final Clusters CLUSTERS = Clusters.ofClass();
  private static ProcessCluster cluster;

  private final List<RespConnection> open = new ArrayList<>();

  @BeforeAll
  static void start() throws IOException {
    cluster = CLUSTERS.startHealthy(ProcessCluster.of(3));
    // What a node needs to serve at all is not what a client makes it need.
    try (RespConnection connection = cluster.connect(0)) {
      for (int i = 0; i < 2_000; i++) {
        connection.call("SET", "warm" + i, "up");
      }
    }
  }

  @AfterEach
  void othersAreServed() throws IOException {
    othersAreServedMeanwhile();
    for (RespConnection connection : open) {
      connection.close();
    }
  }

  @Test
  void whatAThousandClientsMerelyClaimIsNotAllocated() throws IOException {
    long before = cluster.node(0).residentKilobytes();
    for (int i = 0; i < CLAIMING; i++) {
      connect().send("*1\r\n$16777216\r\n");
    }
    othersAreServedMeanwhile();
    // Each of them was read: the node has nothing more to allocate for.
    long after = cluster.node(0).residentKilobytes();
    assertThat(after - before)
        .as("kilobytes for %d clients", CLAIMING)
        .isLessThanOrEqualTo(CLAIMING_KILOBYTES_MAX);
  }

  @Test
  void thousandsOfIdleClientsTakeNothingFromOthers() throws IOException {
    for (int i = 0; i < IDLE; i++) {
      connect();
    }
    othersAreServedMeanwhile();
    for (RespConnection idle : List.of(open.get(0), open.get(IDLE / 2), open.get(IDLE - 1))) {
      assertThat(RespConnection.text(idle.call("PING"))).isEqualTo("PONG");
    }
  }

  @Test
  void aSlowReaderHoldsUpNobodyAndGetsWhatItAskedFor() throws IOException {
    byte[] value = new byte[256 * 1024];
    new Random(1).nextBytes(value);
    try (RespConnection connection = cluster.connect(0)) {
      connection.call(bytes("SET"), bytes("slow"), value);
    }
    RespConnection slow = connect();
    int asked = 400;
    byte[] get = RespWriter.command("GET", "slow");
    for (int i = 0; i < asked; i++) {
      slow.send(get);
    }
    // It reads nothing for as long as others do all this.
    othersAreServedMeanwhile();
    long before = cluster.node(0).residentKilobytes();
    othersAreServedMeanwhile();
    assertThat(cluster.node(0).residentKilobytes() - before).isLessThan(100 * 1024);
    for (int i = 0; i < asked; i++) {
      assertThat(slow.read()).isEqualTo(new RespValue.Bulk(value));
    }
  }

  /**
   * Each command of a pipeline goes to the partition of its key, and that to any of three nodes.
   */
  @Test
  void aPipelineOfTenThousandCommandsIsAnsweredInOrder() throws Exception {
    int commands = 10_000;
    ByteArrayOutputStream requests = new ByteArrayOutputStream();
    List<RespValue> expected = new ArrayList<>();
    for (int i = 0; i < commands; i++) {
      String key = "pipelined" + i % 100;
      if (i % 5 == 4) {
        requests.write(RespWriter.command("GET", "pipelined" + (i - 1) % 100));
        expected.add(RespValue.bulk("value" + (i - 1)));
      } else {
        requests.write(RespWriter.command("SET", key, "value" + i));
        expected.add(RespValue.OK);
      }
    }
    RespConnection client = connect();
    // Aside, since a node may stop reading until its replies are read.
    Thread sender = new Thread(() -> send(client, requests.toByteArray()));
    sender.start();
    List<RespValue> replies = new ArrayList<>();
    for (int i = 0; i < commands; i++) {
      replies.add(client.read());
    }
    sender.join();
    assertThat(replies).isEqualTo(expected);
  }

  private static void send(RespConnection client, byte[] requests) {
    try {
      client.send(requests);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void keysAndValuesMayHoldAnyBytes() throws IOException {
    byte[] everyByte = new byte[256];
    for (int i = 0; i < everyByte.length; i++) {
      everyByte[i] = (byte) i;
    }
    byte[] key = Arrays.copyOf(everyByte, everyByte.length);
    assertStoredAndReadThroughEachNode(key, everyByte);
    assertStoredAndReadThroughEachNode(new byte[] {0}, new byte[0]);
    assertStoredAndReadThroughEachNode(bytes("\r\n$5\r\n"), bytes("\r\n*1\r\n"));
  }

  @Test
  void aKeyHasItsBounds() throws IOException {
    assertStoredAndReadThroughEachNode(new byte[Limits.KEY_BYTES_MAX], bytes("longest"));
    RespConnection connection = connect();
    for (byte[] key : List.of(new byte[0], new byte[Limits.KEY_BYTES_MAX + 1])) {
      assertThat(RespConnection.text(connection.call(bytes("SET"), key, bytes("v"))))
          .startsWith("-ERR ")
          .contains("key");
      assertThat(RespConnection.text(connection.call(bytes("GET"), key))).startsWith("-ERR ");
    }
    assertThat(RespConnection.text(connection.call("PING"))).isEqualTo("PONG");
  }

  /**
   * Heartbeats travel behind a large value on the same connection. Up to this size no follower may
   * take that for silence; past it, a slow network may cost the partition an election
   * (docs/status.md), and never the value: see {@link #aValueHasItsBound}.
   */
  @Test
  void aLargeValueCostsNoLeaderItsPlace() throws IOException {
    cluster.awaitLeaders();
    List<Long> terms = terms();
    byte[] large = new byte[4 << 20];
    new Random(3).nextBytes(large);
    assertStoredAndReadThroughEachNode(bytes("leader"), large);
    assertThat(terms()).isEqualTo(terms);
  }

  private static List<Long> terms() {
    return cluster.status().partitionList().stream().map(Status.Partition::term).toList();
  }

  @Test
  void aValueHasItsBound() throws IOException {
    byte[] longest = new byte[Limits.VALUE_BYTES_MAX_DEFAULT];
    new Random(2).nextBytes(longest);
    store("longest", longest);
    RespConnection connection = connect();
    cluster.awaitLeaders();
    byte[] tooLong = new byte[Limits.VALUE_BYTES_MAX_DEFAULT + 1];
    assertThat(RespConnection.text(connection.call(bytes("SET"), bytes("longest"), tooLong)))
        .startsWith("-ERR ")
        .contains("16777216");
    assertThat(connection.call(bytes("GET"), bytes("longest")))
        .isEqualTo(new RespValue.Bulk(longest));
  }

  /**
   * Together they have more than a node keeps for its clients: those behind wait for room. On a
   * slow machine one may wait its deadline out, or the partition have no leader for a moment: it is
   * told so, and asks again.
   */
  @Test
  void aDozenAtOnceOfTheLongestValuesOverHttpAreAllAnswered() throws Exception {
    byte[] longest = new byte[Limits.VALUE_BYTES_MAX_DEFAULT];
    new Random(4).nextBytes(longest);
    store("dozen", longest);
    long electionsBefore = elections();
    AtomicBoolean leaderless = new AtomicBoolean();
    ExecutorService clients = Executors.newFixedThreadPool(DOZEN);
    try {
      List<Future<Long>> sums = new ArrayList<>();
      for (int i = 0; i < DOZEN; i++) {
        sums.add(clients.submit(() -> checksumOverHttp("dozen", leaderless)));
      }
      do {
        assertThat(aliveOverHttp()).as("/healthz, whatever the load").isEqualTo(200);
      } while (!sums.stream().allMatch(Future::isDone));
      for (Future<Long> sum : sums) {
        assertThat(sum.get()).isEqualTo(checksum(new ByteArrayInputStream(longest)));
      }
      if (leaderless.get()) {
        assertThat(elections())
            .as("a partition without a leader is told of only where one was elected anew")
            .isGreaterThan(electionsBefore);
      }
    } finally {
      clients.shutdownNow();
    }
  }

  private void store(String key, byte[] value) throws IOException {
    RespConnection connection = connect();
    // Written again after an unknown outcome, as a client may: the value is the same.
    await("a value to be stored")
        .atMost(Duration.ofSeconds(60))
        .until(
            () ->
                RespConnection.text(connection.call(bytes("SET"), bytes(key), value)).equals("OK"));
  }

  /** Reads a value to its end, again where it was refused for a passing reason. */
  private static long checksumOverHttp(String key, AtomicBoolean leaderless) {
    return await("a value over HTTP")
        .atMost(Duration.ofSeconds(60))
        .until(() -> tryChecksumOverHttp(key, leaderless), sum -> sum >= 0);
  }

  /** How often a replica began to lead so far. */
  private static long elections() {
    return cluster.indexes().stream()
        .flatMap(node -> cluster.node(node).log().lines())
        .filter(line -> line.contains("FullReplica: ") && line.endsWith(" leads"))
        .count();
  }

  private static long tryChecksumOverHttp(String key, AtomicBoolean leaderless) throws IOException {
    HttpURLConnection connection = http("/v1/kv/" + key);
    int status = connection.getResponseCode();
    if (status != 200) {
      assertThat(status).isEqualTo(503);
      assertThat(connection.getHeaderField("Retry-After")).isEqualTo("1");
      String refusal = new String(connection.getErrorStream().readAllBytes(), UTF_8);
      boolean noLeader = refusal.contains("CLUSTERDOWN");
      leaderless.compareAndSet(false, noLeader);
      assertThat(refusal)
          .contains("/problems/unavailable", noLeader ? "CLUSTERDOWN" : "TRYAGAIN", "retry");
      return -1;
    }
    try (InputStream body = connection.getInputStream()) {
      return checksum(body);
    }
  }

  private static int aliveOverHttp() throws IOException {
    return http("/healthz").getResponseCode();
  }

  private static HttpURLConnection http(String path) throws IOException {
    String node = "http://%s:%d".formatted(cluster.node(0).listenHost(), cluster.node(0).port());
    HttpURLConnection connection =
        (HttpURLConnection) URI.create(node + path).toURL().openConnection();
    connection.setReadTimeout(60_000);
    return connection;
  }

  private static long checksum(InputStream in) throws IOException {
    CRC32 sum = new CRC32();
    byte[] part = new byte[64 << 10];
    for (int length = in.read(part); length >= 0; length = in.read(part)) {
      sum.update(part, 0, length);
    }
    return sum.getValue();
  }

  @Test
  void lengthsThatAreNoneAreAnsweredAndTheConnectionEnds() throws IOException {
    for (String request :
        List.of(
            "*-5\r\n$3\r\n",
            "*1\r\n$-7\r\n",
            "*99999999999999999999\r\n",
            "*1\r\n$999999999999\r\n",
            "*two\r\n",
            "*1\r\n$three\r\n",
            "*2147483647\r\n",
            "*1\r\n:5\r\n")) {
      RespConnection connection = connect();
      connection.send(request);
      connection.send("*1\r\n$4\r\nPING\r\n");
      assertThat(RespConnection.text(connection.read())).as(request.trim()).matches("-ERR .*|PONG");
      assertThat(request.startsWith("*-5") || closed(connection)).as(request.trim()).isTrue();
    }
  }

  @Test
  void aLineWithoutEndIsRefusedAtItsBound() throws IOException {
    RespConnection connection = connect();
    byte[] part = new byte[1024];
    Arrays.fill(part, (byte) 'x');
    await("the node to refuse")
        .atMost(Duration.ofSeconds(30))
        .until(
            () -> {
              try {
                for (int i = 0; i <= Limits.LINE_BYTES_MAX / part.length; i++) {
                  connection.send(part);
                }
                return RespConnection.text(connection.read()).startsWith("-ERR ");
              } catch (IOException closed) {
                return true;
              }
            });
  }

  private static boolean closed(RespConnection connection) {
    try {
      while (true) {
        connection.read();
      }
    } catch (IOException end) {
      return true;
    }
  }

  private static void othersAreServedMeanwhile() throws IOException {
    for (int node : cluster.indexes()) {
      try (RespConnection connection = cluster.connect(node)) {
        for (int i = 0; i < 50; i++) {
          String value = node + "." + i;
          assertThat(RespConnection.text(connection.call("SET", "other" + i, value)))
              .isEqualTo("OK");
          assertThat(RespConnection.text(connection.call("GET", "other" + i))).isEqualTo(value);
        }
      }
    }
  }

  private static void assertStoredAndReadThroughEachNode(byte[] key, byte[] value)
      throws IOException {
    for (int writer : cluster.indexes()) {
      try (RespConnection connection = cluster.connect(writer)) {
        assertThat(RespConnection.text(connection.call(bytes("SET"), key, value)))
            .as("through node %d", writer)
            .isEqualTo("OK");
      }
    }
    for (int reader : cluster.indexes()) {
      try (RespConnection connection = cluster.connect(reader)) {
        assertThat(connection.call(bytes("GET"), key))
            .as("through node %d", reader)
            .isEqualTo(new RespValue.Bulk(value));
      }
    }
  }

  private RespConnection connect() throws IOException {
    RespConnection connection = cluster.connect(0);
    open.add(connection);
    return connection;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }
}

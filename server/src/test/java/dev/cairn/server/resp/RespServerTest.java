// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.RespReader;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.RespWriter;
import dev.cairn.protocol.Topology;
import dev.cairn.server.TestLoops;
import dev.cairn.server.access.AccessControl;
import dev.cairn.server.command.ClientState;
import dev.cairn.server.command.CommandTable;
import dev.cairn.server.command.PortKind;
import dev.cairn.server.command.ShutdownBy;
import dev.cairn.server.command.SlowLog;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.operation.Reply;
import dev.cairn.server.peer.EventLoops;
import dev.cairn.server.tls.ClientTls;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A real server, real sockets, and a {@link FakeRouter} that answers on threads of its own. */
final class RespServerTest {
  private static final int MIB = 1024 * 1024;

  private final ExecutorService executor = Executors.newSingleThreadExecutor();
  private final FakeRouter router = new FakeRouter(6, executor);
  private final List<AutoCloseable> opened = new ArrayList<>();
  private RespServer server;

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable each : opened) {
      each.close();
    }
    if (server != null) {
      server.stop();
    }
    executor.shutdownNow();
  }

  @Test
  void aPipelineIsAnsweredInOrderAndSeesItsOwnWrites() throws Exception {
    Client client = connect(FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED));
    ByteArrayOutputStream requests = new ByteArrayOutputStream();
    List<RespValue> expected = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      String key = "key" + i % 100;
      requests.write(RespWriter.command("SET", key, "value" + i));
      expected.add(RespValue.OK);
      if (i % 10 == 0) {
        requests.write(RespWriter.command("GET", key));
        expected.add(RespValue.bulk("value" + i));
      }
    }
    client.sendAside(requests.toByteArray());
    for (RespValue value : expected) {
      assertThat(client.receive()).isEqualTo(value);
    }
    await().until(() -> server.requestBytes() == 0);
  }

  @Test
  void writesTravelTogetherAndAReadWaitsForThem() throws Exception {
    router.holding = true;
    Client client = connect(FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED));
    client.send("SET a 1", "SET a 2", "SET b 1", "PING", "GET a", "GET b", "SET a 3");
    await().until(() -> router.held.size() == 3);
    router.release();
    assertThat(client.receive(7))
        .containsExactly(
            RespValue.OK,
            RespValue.OK,
            RespValue.OK,
            new RespValue.SimpleString("PONG"),
            RespValue.bulk("2"),
            RespValue.bulk("1"),
            RespValue.OK);
  }

  @Test
  void aPipelinedTransactionIsOneRequestAndWaitsForWhatCameBefore() throws Exception {
    Client client = connect(FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED));
    router.holding = true;
    client.send(
        "SET {u}a 1",
        "WATCH {u}a",
        "MULTI",
        "INCR {u}a",
        "GET {u}a",
        "SET {u}b 1",
        "EXEC",
        "GET {u}b");
    await().until(() -> router.held.size() == 1);
    router.release();
    assertThat(client.receive(6))
        .containsExactly(
            RespValue.OK,
            RespValue.OK,
            RespValue.OK,
            new RespValue.SimpleString("QUEUED"),
            new RespValue.SimpleString("QUEUED"),
            new RespValue.SimpleString("QUEUED"));
    assertThat(client.receive(2))
        .containsExactly(
            RespValue.array(new RespValue.Int(2), RespValue.bulk("2"), RespValue.OK),
            RespValue.bulk("1"));
    assertThat(router.requests).as("SET, WATCH, EXEC, GET").hasValue(4);
  }

  @Test
  void aTransactionOfUnknownOutcomeSaysSoAndOneWhoseWatchFailedIsNotTried() throws Exception {
    Client client = connect(FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED));
    client.send("CLUSTER KEYSLOT {u}a");
    int slot = (int) ((RespValue.Int) client.receive()).value();
    int partition = router.topology().partitionOfSlot(slot).orElseThrow().index();
    router.failures.put(partition, new Reply.Failed(ErrorCode.UNKNOWN, "may be"));
    client.send("MULTI", "SET {u}a 1", "EXEC", "EXEC");
    assertThat(client.receive(4).subList(2, 4))
        .containsExactly(
            new RespValue.ErrorReply("UNKNOWN may be"),
            new RespValue.ErrorReply("ERR EXEC without MULTI"));

    router.failures.put(partition, new Reply.Failed(ErrorCode.CLUSTERDOWN, "no leader"));
    client.send("WATCH {u}a");
    assertThat(client.receive()).isEqualTo(new RespValue.ErrorReply("CLUSTERDOWN no leader"));
    router.failures.clear();
    int before = router.requests.get();
    client.send("MULTI", "SET {u}a 2", "EXEC");
    assertThat(client.receive(3).get(2))
        .isEqualTo(
            new RespValue.ErrorReply(
                "EXECABORT Transaction discarded because of previous errors."));
    assertThat(router.requests).hasValue(before);
  }

  @Test
  void aTransactionIsAsLargeAsAProposalMayBeAndNoLarger() throws Exception {
    Client client = connect(small(10, 64 * 1024, 4L * MIB, 60_000));
    int beside = 4 * 64 + "SET{u}a".length(); // about what a command takes besides its value
    String value = "v".repeat(2 * MIB / 16 - beside);
    client.send("MULTI");
    assertThat(client.receive()).isEqualTo(RespValue.OK);
    RespValue last = null;
    int queued = 0;
    while (!(last instanceof RespValue.ErrorReply)) {
      client.sendAside(RespWriter.command("SET", "{u}a", value)).join();
      last = client.receive();
      queued++;
    }
    assertThat(queued).as("sixteen of an eighth of a MiB, and one too many").isEqualTo(17);
    assertThat(((RespValue.ErrorReply) last).text())
        .contains("at most 65536 commands and 2097152 bytes");
    client.send("EXEC", "GET {u}a");
    assertThat(client.receive(2))
        .containsExactly(
            new RespValue.ErrorReply("EXECABORT Transaction discarded because of previous errors."),
            RespValue.NIL);
  }

  @Test
  void noMoreThanTheBoundIsInFlightAndTheRestIsNotRead() throws Exception {
    router.holding = true;
    Client client = connect(FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED));
    byte[] all = "SET a 1\n".repeat(200_000).getBytes(StandardCharsets.US_ASCII);
    Thread sender = client.sendAside(all);
    await().until(() -> router.held.size() == 1024);
    assertThat(server.requestBytes()).isLessThan(MIB);
    router.release();
    for (int i = 0; i < 200_000; i++) {
      assertThat(client.receive()).isEqualTo(RespValue.OK);
    }
    sender.join();
  }

  @Test
  void aDrainedConnectionEndsRightBehindItsNextReply() throws Exception {
    Client idle = connect(FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED));
    Client working = connect();
    router.holding = true;
    working.send("SET a 1", "SET a 2");
    await().until(() -> router.held.size() == 2);
    Future<?> drained = server.drain();
    router.release();
    assertThat(working.receive(2)).containsOnly(RespValue.OK);
    assertThat(working.atEnd()).isTrue();

    assertThat(drained.isDone()).isFalse();
    idle.send("GET a");
    assertThat(idle.receive()).isEqualTo(RespValue.bulk("2"));
    assertThat(idle.atEnd()).isTrue();
    await().until(drained::isDone);
  }

  @Test
  void whatWasAskedAndNotStartedWhenTheServerStopsIsRefusedForCertain() throws Exception {
    Client client = connect(FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED));
    router.holding = true;
    client.send("SET a 1", "GET a", "SET a 2");
    await().until(() -> router.held.size() == 1);
    Thread stopping = new Thread(server::stop);
    stopping.start();
    await()
        .until(() -> router.requests.get() == 1 && !stopping.getState().equals(Thread.State.NEW));
    await().until(() -> stopping.getState().equals(Thread.State.TIMED_WAITING));
    router.release();
    assertThat(client.receive()).isEqualTo(RespValue.OK);
    List<RespValue> refused = client.receive(2);
    assertThat(refused)
        .allSatisfy(
            reply -> assertThat(reply.toString()).contains("TRYAGAIN").contains("stopping"));
    assertThat(client.atEnd()).isTrue();
    stopping.join();
    assertThat(router.requests.get()).isEqualTo(1);
  }

  @Test
  void oneConnectionThatWaitsDelaysNoOther() throws Exception {
    router.holding = true;
    Client waiting = connect(FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED));
    waiting.send("SET a 1");
    await().until(() -> router.held.size() == 1);
    router.holding = false;
    Client other = connect();
    other.send("SET b 1", "GET b");
    assertThat(other.receive(2)).containsExactly(RespValue.OK, RespValue.bulk("1"));
    router.release();
    assertThat(waiting.receive()).isEqualTo(RespValue.OK);
  }

  @Test
  void aThousandClaimsCostNothing() throws Exception {
    connect(FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED));
    for (int i = 0; i < 1000; i++) {
      connect().send(i % 2 == 0 ? "*1\r\n$16777216" : "*1048576\r\n$10");
    }
    await().until(() -> server.connections() == 1001);
    Client other = connect();
    other.send("PING");
    assertThat(other.receive()).isEqualTo(new RespValue.SimpleString("PONG"));
    assertThat(server.requestBytes()).isLessThan(MIB);
  }

  @Test
  void aSlowReaderIsBoundedThenCut() throws Exception {
    FrontConfig config = small(1000, 4096, 100L * MIB, 100);
    Client slow = connect(config);
    slow.send("SET big " + "x".repeat(60_000));
    assertThat(slow.receive()).isEqualTo(RespValue.OK);
    int before = router.requests.get();
    slow.sendAside("GET big\n".repeat(100_000).getBytes(StandardCharsets.US_ASCII));
    await().until(() -> server.connections() == 0);
    // 6 GB were asked for: the loop stopped at what socket buffers and the bound hold.
    assertThat(router.requests.get() - before).isLessThan(3000);
  }

  @Test
  void valuesAreBinaryUpToTheBound() throws Exception {
    Client client =
        connect(
            FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED).with(FrontConfig.Bounds.of(MIB)));
    byte[] value = new byte[MIB];
    for (int i = 0; i < value.length; i++) {
      value[i] = (byte) (i * 31 + i / 256);
    }
    byte[] key = {0, '\r', '\n', (byte) 0xff};
    client.sendAside(RespWriter.command("SET".getBytes(StandardCharsets.US_ASCII), key, value));
    assertThat(client.receive()).isEqualTo(RespValue.OK);
    client.sendAside(RespWriter.command("GET".getBytes(StandardCharsets.US_ASCII), key));
    assertThat(client.receive()).isEqualTo(new RespValue.Bulk(value));
    client.sendAside(
        RespWriter.command("SET".getBytes(StandardCharsets.US_ASCII), key, new byte[MIB + 1]));
    assertThat(client.receive())
        .isEqualTo(
            new RespValue.ErrorReply(
                "ERR an argument has 1048577 bytes, this node takes at most 1048576"));
    client.sendAside(
        RespWriter.command("GET".getBytes(StandardCharsets.US_ASCII), new byte[65_537]));
    assertThat(client.receive())
        .isEqualTo(
            new RespValue.ErrorReply("ERR key must be 1 to 65536 bytes, this one has 65537"));
    client.sendAside(
        RespWriter.command("GET".getBytes(StandardCharsets.US_ASCII), new byte[65_536]));
    assertThat(client.receive()).isEqualTo(RespValue.NIL);
  }

  @Test
  void aProtocolErrorIsToldAfterEarlierRepliesAndCloses() throws Exception {
    Client client = connect(FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED));
    client.sendAside("SET a 1\nPING\n*1\r\n$-5\r\nmore".getBytes(StandardCharsets.US_ASCII));
    assertThat(client.receive(3))
        .containsExactly(
            RespValue.OK,
            new RespValue.SimpleString("PONG"),
            new RespValue.ErrorReply("ERR Protocol error: invalid bulk length"));
    assertThat(client.atEnd()).isTrue();
    client.close();
    await().until(() -> server.connections() == 0);
    assertThat(server.requestBytes()).isZero();
  }

  @org.junit.jupiter.api.RepeatedTest(20)
  void aClientThatSaidAllIsStillAnswered() throws Exception {
    router.holding = true;
    Client client = connect(FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED));
    client.send("PUT a b", "GET a");
    client.socket.shutdownOutput();
    await().until(() -> router.held.size() == 1);
    router.release();
    assertThat(client.receive(2)).containsExactly(RespValue.OK, RespValue.bulk("b"));
    assertThat(client.atEnd()).isTrue();
  }

  @Test
  void quitAnswersWhatCameBeforeAndCloses() throws Exception {
    Client client = connect(FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED));
    client.send("SET a 1", "QUIT", "SET a 2");
    assertThat(client.receive(2)).containsExactly(RespValue.OK, RespValue.OK);
    assertThat(client.atEnd()).isTrue();
    assertThat(router.requests).hasValue(1);
  }

  @Test
  void httpIsToldThatItIsNotThereYet() throws Exception {
    Client client = connect(FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED));
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r");
    String answer =
        new String(client.socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    assertThat(answer).startsWith("HTTP/1.1 501 Not Implemented\r\n").endsWith("\n");
    int body = answer.indexOf("\r\n\r\n") + 4;
    assertThat(answer).contains("Content-Length: " + (answer.length() - body) + "\r\n");
  }

  @Test
  void oneConnectionMoreThanTheBoundIsToldSo() throws Exception {
    Client first = connect(small(1, MIB, 100L * MIB, 60_000));
    first.send("PING");
    first.receive();
    Client second = connect();
    assertThat(second.receive())
        .isEqualTo(new RespValue.ErrorReply("ERR max number of clients reached"));
    assertThat(second.atEnd()).isTrue();
    first.close();
    await().until(() -> server.connections() == 0);
    Client third = connect();
    third.send("PING");
    assertThat(third.receive()).isEqualTo(new RespValue.SimpleString("PONG"));
  }

  @Test
  void aPortInUseSaysWhatToDo() throws Exception {
    connect(FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED));
    assertThatThrownBy(
            () ->
                RespServer.start(
                    FrontConfig.of("127.0.0.1", server.port(), "x", TestLoops.SHARED),
                    router,
                    PortKind.CLIENT,
                    new Metrics(),
                    () -> {}))
        .isInstanceOf(BindException.class)
        .hasMessageContaining("is in use: stop what listens there, or choose another port");
  }

  @Test
  void aWriteOverPartitionsNeverClaimsMoreThanIsKnown() throws Exception {
    Client client = connect(FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED));
    // Slots: a 15495 (partition 5), b 3300 (1), c 7365 (2).
    router.failures.put(5, new Reply.Failed(ErrorCode.TRYAGAIN, "busy"));
    client.send("SET a 1", "MSET a 1 b 2", "MGET a b", "EXISTS b", "GET b");
    assertThat(client.receive(5))
        .containsExactly(
            new RespValue.ErrorReply("TRYAGAIN busy"),
            new RespValue.ErrorReply(
                "UNKNOWN possibly partly applied: of 2 partitions 1 applied it, 1 refused it, of 0 it"
                    + " is not known (TRYAGAIN busy); read the keys before writing again"),
            new RespValue.ErrorReply("TRYAGAIN busy"),
            new RespValue.Int(1),
            RespValue.bulk("2"));
    router.failures.put(1, new Reply.Failed(ErrorCode.CLUSTERDOWN, "no leader"));
    client.send("MSET a 1 b 2");
    assertThat(client.receive()).isEqualTo(new RespValue.ErrorReply("TRYAGAIN busy"));
    router.failures.put(1, new Reply.Failed(ErrorCode.UNKNOWN, "no answer"));
    client.send("DEL a b", "DEL b");
    assertThat(((RespValue.ErrorReply) client.receive()).text())
        .startsWith("UNKNOWN possibly partly applied")
        .contains("of 1 it is not known");
    assertThat(client.receive()).isEqualTo(new RespValue.ErrorReply("UNKNOWN no answer"));
    router.failures.remove(5);
    router.failures.put(1, new Reply.Failed(ErrorCode.NOTALL, "one replica is behind"));
    client.send("MSET a 1 b 2");
    assertThat(client.receive())
        .isEqualTo(new RespValue.ErrorReply("NOTALL one replica is behind"));
  }

  @Test
  void whatOneCommandGathersFromAllPartitionsIsBounded() throws Exception {
    Client client = connect(FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED));
    byte[] value = new byte[12 * MIB];
    for (String key : List.of("a", "b", "c")) { // each of another partition
      client.socket.getOutputStream().write(RespWriter.command(bytes("SET"), bytes(key), value));
      assertThat(client.receive()).isEqualTo(RespValue.OK);
    }
    client.send("MGET a b", "MGET a b c", "MGET c nokey", "PING");
    assertThat(((RespValue.Array) client.receive()).elements())
        .containsExactly(new RespValue.Bulk(value), new RespValue.Bulk(value));
    assertThat(client.receive())
        .isEqualTo(
            new RespValue.ErrorReply(
                "ERR the values that this command asks for have more than 32 MiB; ask for fewer keys"
                    + " at once"));
    assertThat(((RespValue.Array) client.receive()).elements())
        .containsExactly(new RespValue.Bulk(value), RespValue.NIL);
    assertThat(client.receive()).isEqualTo(new RespValue.SimpleString("PONG"));
  }

  @Test
  void largeAnswersAreCountedUntilTheyAreReadOrTheClientIsGone() throws Exception {
    Client client = connect(FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED));
    byte[] value = new byte[8 * MIB];
    client.socket.getOutputStream().write(RespWriter.command(bytes("SET"), bytes("a"), value));
    assertThat(client.receive()).isEqualTo(RespValue.OK);
    assertThat(router.replies.bytes()).isZero();
    client.send("GET a", "MGET a nokey", "GET a");
    await().until(() -> router.replies.bytes() > 0);
    assertThat(router.replies.full()).isTrue();
    assertThat(client.receive()).isEqualTo(new RespValue.Bulk(value));
    client.receive(2);
    await().until(() -> router.replies.bytes() == 0);
    // Nobody reads these: sent in part or waiting behind, and not there yet.
    Client gone = connect();
    gone.send("GET a", "GET a");
    await().until(() -> router.replies.bytes() > 0);
    router.holding = true;
    Client goneBefore = connect();
    goneBefore.send("GET a");
    await().until(() -> !router.held.isEmpty());
    gone.close();
    goneBefore.close();
    await().until(() -> router.replies.bytes() == 0);
    router.release();
    await().until(() -> server.connections() == 1);
    assertThat(router.replies.bytes()).isZero();
    client.send("CLIENT REPLY SKIP", "GET a", "PING");
    assertThat(client.receive()).isEqualTo(new RespValue.SimpleString("PONG"));
    assertThat(router.replies.bytes()).isZero();
  }

  @Test
  void aSlowReaderIsCutSoonerWhileAnswersFillTheNode() throws Exception {
    long patienceMillis = 600_000; // more than the test has
    Client slow = connect(small(1000, 4096, 100L * MIB, patienceMillis));
    slow.send("SET big " + "x".repeat(60_000));
    assertThat(slow.receive()).isEqualTo(RespValue.OK);
    router.replies.take(2 * MIB); // what others have not read
    slow.sendAside("GET big\n".repeat(100_000).getBytes(StandardCharsets.US_ASCII));
    await().until(() -> server.connections() == 0);
    await().until(() -> router.replies.bytes() == 2 * MIB);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void onTheClusterPortARequestWaitsBetweenTwoLeaders() throws Exception {
    Client client = connectToClusterPort();
    leads(1, ""); // Slot of b: 3300, of partition 1.
    router.holding = true;
    client.send("SET b 1", "CLUSTER KEYSLOT b");
    await().until(() -> router.held.size() == 1);
    router.release(); // to whoever leads by then
    assertThat(client.receive(2)).containsExactly(RespValue.OK, new RespValue.Int(3300));
    // Only what waited in vain is told so.
    router.failures.put(1, new Reply.Failed(ErrorCode.CLUSTERDOWN, "no leader"));
    client.send("GET b");
    assertThat(client.receive()).isEqualTo(new RespValue.ErrorReply("CLUSTERDOWN no leader"));
  }

  @Test
  void movedNamesWhereTheLeaderSaysThatClientsReachIt() throws Exception {
    Client client = connectToClusterPort();
    announce(new Topology.Node(FakeRouter.NODE_1, "db1.example", 7001, 7101, true));
    client.send("GET b", "MSET {b}1 x {b}2 y");
    assertThat(client.receive(2))
        .containsOnly(new RespValue.ErrorReply("MOVED 3300 db1.example:7101"));
    // No cluster port to send anybody to: passed on, as on the client port.
    announce(new Topology.Node(FakeRouter.NODE_1, "db1.example", 7001, 0, true));
    client.send("SET b 1", "GET b");
    assertThat(client.receive(2)).containsExactly(RespValue.OK, RespValue.bulk("1"));
  }

  private Client connectToClusterPort() throws IOException {
    FrontConfig config = FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED);
    server = RespServer.start(config, router, PortKind.CLUSTER, new Metrics(), () -> {});
    return connect();
  }

  /** Says who leads a partition; nobody for "". */
  private void leads(int partition, String nodeId) {
    Topology old = router.topology;
    List<Topology.Partition> partitions = new ArrayList<>(old.partitions());
    Topology.Partition placed = partitions.get(partition);
    partitions.set(
        partition,
        new Topology.Partition(
            placed.index(),
            placed.firstSlot(),
            placed.lastSlot(),
            placed.replicaIds(),
            placed.witnessId(),
            Optional.of(nodeId).filter(id -> !id.isEmpty())));
    router.topology = new Topology(old.clusterId(), old.epoch(), old.nodes(), partitions);
  }

  private void announce(Topology.Node node) {
    Topology old = router.topology;
    List<Topology.Node> nodes = new ArrayList<>(old.nodes());
    nodes.replaceAll(each -> each.id().equals(node.id()) ? node : each);
    router.topology = new Topology(old.clusterId(), old.epoch(), nodes, old.partitions());
  }

  @Test
  void beforeTheClusterHasFormedNothingIsServed() throws Exception {
    router.topology = Topology.NONE;
    Client client = connect(FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED));
    client.send("GET a", "SET a 1", "DBSIZE", "PING", "INFO", "CLUSTER SLOTS");
    for (int i = 0; i < 3; i++) {
      assertThat(((RespValue.ErrorReply) client.receive()).code()).isEqualTo("CLUSTERDOWN");
    }
    assertThat(client.receive()).isEqualTo(new RespValue.SimpleString("PONG"));
    assertThat(client.receive()).isInstanceOf(RespValue.Bulk.class);
    assertThat(client.receive()).isEqualTo(RespValue.array());
  }

  @Test
  void serversThatAreGivenLoopsShareThemAndLeaveThemRunning() throws Exception {
    try (EventLoops shared = EventLoops.shared(1)) {
      FrontConfig config = FrontConfig.of("127.0.0.1", 0, "x", shared);
      try (Client client = connect(config)) {
        client.send("SET a 1", "GET a");
        assertThat(client.receive()).isEqualTo(RespValue.OK);
        assertThat(client.receive()).isEqualTo(RespValue.bulk("1"));
        server.stop();
        assertThat(client.atEnd()).isTrue();
      }
      try (Client client = connect(config)) {
        client.send("GET a");
        assertThat(client.receive()).isEqualTo(RespValue.bulk("1"));
      }
      server.stop();
      assertThat(shared.threads()).hasSize(1).allMatch(Thread::isAlive);
    }
  }

  @Test
  void stopAnswersWhatIsInFlight() throws Exception {
    router.holding = true;
    Client client = connect(FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED));
    client.send("SET a 1");
    await().until(() -> router.held.size() == 1);
    Thread stopping = new Thread(server::stop);
    stopping.start();
    await().until(() -> !stopping.isAlive() || refusesConnections());
    router.release();
    assertThat(client.receive()).isEqualTo(RespValue.OK);
    assertThat(client.atEnd()).isTrue();
    client.close();
    stopping.join();
  }

  @Test
  void repliesCanBeLeftOutForOneCommandOrForAll() throws Exception {
    Client client = connect(FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED));
    client.send("CLIENT REPLY SKIP", "PING skipped", "PING first");
    client.send("CLIENT REPLY OFF", "SET a 1", "CLIENT REPLY SKIP", "PING b", "CLIENT REPLY ON");
    client.send("GET a");
    assertThat(client.receive()).isEqualTo(RespValue.bulk("first"));
    assertThat(client.receive()).isEqualTo(RespValue.OK);
    assertThat(client.receive()).isEqualTo(RespValue.bulk("1"));
  }

  @Test
  void shutdownIsCarriedOutForWhomItIsEnabledOnBothPorts() throws Exception {
    for (PortKind face : PortKind.values()) {
      for (ShutdownBy by : ShutdownBy.values()) {
        AtomicInteger stopped = new AtomicInteger();
        FrontConfig config =
            FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED)
                .with(
                    new FrontConfig.Rules(
                        ClientState.Defaults.QUORUM,
                        new SlowLog(),
                        by,
                        ClientTls.off(),
                        AccessControl.open(CommandTable.catalog())));
        try (RespServer asked =
                RespServer.start(config, router, face, new Metrics(), stopped::incrementAndGet);
            Client client =
                new Client(new Socket(InetAddress.getLoopbackAddress(), asked.port()))) {
          client.send("SHUTDOWN NOSAVE");
          if (by == ShutdownBy.NO) {
            assertThat(client.receive())
                .isEqualTo(RespValue.error(ErrorCode.ERR, SHUTDOWN_NOT_ALLOWED));
            client.send("SHUTDOWN ABORT", "PING");
            assertThat(client.receive())
                .isEqualTo(RespValue.error(ErrorCode.ERR, SHUTDOWN_NOT_ALLOWED));
            assertThat(client.receive()).isEqualTo(new RespValue.SimpleString("PONG"));
            assertThat(stopped).hasValue(0);
          } else {
            assertThat(client.receive()).isEqualTo(RespValue.OK);
            assertThat(client.atEnd()).isTrue();
            assertThat(stopped).hasValue(1);
          }
        }
      }
    }
  }

  @Test
  void aPatternThatCostsMuchHoldsUpNoOtherClient() throws Exception {
    Client searching = connect(small(100, 64 << 10, 1 << 20, 60_000)); // one loop for all
    Client other = connect();
    for (int i = 0; i < 60; i++) {
      searching.send("SET " + "a".repeat(60_000) + i + " v");
      assertThat(searching.receive()).isEqualTo(RespValue.OK);
    }
    searching.send("KEYS *" + "a".repeat(30_000) + "b*");
    other.send("PING");
    assertThat(other.receive()).isEqualTo(new RespValue.SimpleString("PONG"));
    assertThat(searching.socket.getInputStream().available()).isZero(); // it searches still
    assertThat(searching.receive()).isEqualTo(RespValue.array());
    searching.send("SCAN 0 COUNT 1000 MATCH *" + "a".repeat(30_000) + "b*");
    other.send("PING");
    assertThat(other.receive()).isEqualTo(new RespValue.SimpleString("PONG"));
    assertThat(searching.socket.getInputStream().available()).isZero();
    assertThat(searching.receive())
        .isEqualTo(RespValue.array(RespValue.bulk("0"), RespValue.array()));
  }

  @Test
  void aPatternLongerThanAKeyIsRefused() throws Exception {
    Client client = connect(FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED));
    for (String command : List.of("KEYS %s", "SCAN 0 MATCH %s", "CONFIG GET %s")) {
      for (int bytes : new int[] {65_536, 65_537}) {
        String[] words = command.formatted("x".repeat(bytes)).split(" ");
        client.socket.getOutputStream().write(request(words));
        RespValue reply = client.receive();
        if (bytes == 65_536) {
          assertThat(reply).isNotInstanceOf(RespValue.ErrorReply.class);
        } else {
          assertThat(((RespValue.ErrorReply) reply).message())
              .contains("must be at most 65536 bytes")
              .contains("65537");
        }
      }
    }
  }

  private static byte[] request(String... words) {
    StringBuilder text = new StringBuilder("*" + words.length + "\r\n");
    for (String word : words) {
      text.append("$").append(word.length()).append("\r\n").append(word).append("\r\n");
    }
    return text.toString().getBytes(StandardCharsets.US_ASCII);
  }

  @Test
  void clientsSeeAndCloseEachOther() throws Exception {
    Client first = connect(FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED));
    Client second = connect();
    second.send("CLIENT SETNAME second", "CLIENT ID");
    assertThat(second.receive()).isEqualTo(RespValue.OK);
    long id = ((RespValue.Int) second.receive()).value();
    first.send("CLIENT LIST", "CLIENT LIST ID " + id, "CLIENT KILL ID " + id);
    String all = text(first.receive());
    assertThat(all.lines()).hasSize(2);
    assertThat(text(first.receive())).contains("name=second").contains("cmd=client|id");
    assertThat(first.receive()).isEqualTo(new RespValue.Int(1));
    assertThat(second.atEnd()).isTrue();
    first.send("CLIENT KILL SKIPME no TYPE normal");
    assertThat(first.receive()).isEqualTo(new RespValue.Int(1));
    assertThat(first.atEnd()).isTrue();
  }

  private static String text(RespValue value) {
    return new String(((RespValue.Bulk) value).bytes(), StandardCharsets.UTF_8);
  }

  private boolean refusesConnections() {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      return !socket.isConnected();
    } catch (IOException refused) {
      return true;
    }
  }

  private static FrontConfig small(
      int connectionsMax, int replyBytesHigh, long replyBytesMax, long slowReaderMillis) {
    return new FrontConfig(
        "127.0.0.1",
        0,
        "x",
        TestLoops.SHARED,
        new FrontConfig.Bounds(
            connectionsMax,
            MIB,
            2 * MIB,
            4 * MIB,
            1024,
            replyBytesHigh,
            replyBytesMax,
            slowReaderMillis),
        FrontConfig.Rules.defaults());
  }

  private Client connect(FrontConfig config) throws IOException {
    server = RespServer.start(config, router, PortKind.CLIENT, new Metrics(), () -> {});
    return connect();
  }

  private Client connect() throws IOException {
    Client client = new Client(new Socket(InetAddress.getLoopbackAddress(), server.port()));
    opened.add(client);
    return client;
  }

  private static final String SHUTDOWN_NOT_ALLOWED =
      "SHUTDOWN command not allowed. If the enable-shutdown option is set to \"local\", you can run it"
          + " from a local connection, otherwise you need to set this option in the configuration"
          + " file, and then restart the server.";

  private static final class Client implements AutoCloseable {
    final Socket socket;
    private final RespReader reader = new RespReader();
    private final byte[] chunk = new byte[65_536];

    Client(Socket socket) {
      this.socket = socket;
    }

    void send(String... lines) throws IOException {
      socket
          .getOutputStream()
          .write((String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /** Sends from a thread of its own, as the server may stop reading meanwhile. */
    Thread sendAside(byte[] bytes) throws IOException {
      OutputStream out = socket.getOutputStream();
      Thread thread =
          new Thread(
              () -> {
                try {
                  out.write(bytes);
                } catch (IOException closed) {
                  // the test sees it by what it receives
                }
              });
      thread.setDaemon(true);
      thread.start();
      return thread;
    }

    RespValue receive() throws IOException {
      while (true) {
        Optional<RespValue> value = reader.next();
        if (value.isPresent()) {
          return value.get();
        }
        int count = socket.getInputStream().read(chunk);
        assertThat(count).as("the server closed").isPositive();
        reader.feed(chunk, 0, count);
      }
    }

    List<RespValue> receive(int count) throws IOException {
      List<RespValue> values = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        values.add(receive());
      }
      return values;
    }

    boolean atEnd() throws IOException {
      return socket.getInputStream().read() < 0;
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}

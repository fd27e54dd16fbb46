// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.ReplicaAttribute;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.Slots;
import dev.cairn.protocol.Topology;
import dev.cairn.protocol.TopologyCodec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The client against nodes that answer as each test says: routing, failover and certainty. */
final class CairnClientTest {
  private static final RespValue NO_LEADER =
      new RespValue.ErrorReply("CLUSTERDOWN the partition has no leader");
  private static final Duration GENEROUS = Duration.ofSeconds(20);

  private final List<AutoCloseable> opened = new ArrayList<>();
  private final List<String> events = new CopyOnWriteArrayList<>();
  private final AtomicReference<Topology> topology = new AtomicReference<>(Topology.NONE);
  private FakeNode a;
  private OptionalLong clusterTime = OptionalLong.empty(); // empty: writes have no id
  private FakeNode b;

  @BeforeEach
  void startNodes() throws IOException {
    a = node(words -> new RespValue.ErrorReply("ERR not scripted"));
    b = node(words -> new RespValue.ErrorReply("ERR not scripted"));
    leader(a);
  }

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable resource : opened) {
      resource.close();
    }
  }

  @Test
  void asksTheLeaderDirectly() {
    leader(b);
    b.script(serving(words -> RespValue.bulk("v")));
    CairnClient client = client(GENEROUS);

    assertThat(client.get("k")).contains("v");
    assertThat(a.heard()).isEmpty();
    assertThat(b.heard()).containsExactly(List.of("GET", "k"));
  }

  @Test
  void pagesAndWhatExpires() {
    RespValue record =
        RespValue.array(RespValue.bulk("k"), new RespValue.Int(7), RespValue.bulk("v"));
    RespValue forever =
        RespValue.array(RespValue.bulk("l"), new RespValue.Int(-1), RespValue.bulk(""));
    List<List<String>> pages = new CopyOnWriteArrayList<>();
    a.script(
        serving(
            words ->
                switch (words.get(0)) {
                  case "SET" -> RespValue.OK;
                  case "CAIRN" ->
                      pages.add(words) && words.get(3).equals("x")
                          ? RespValue.array(RespValue.NIL, RespValue.array(RespValue.OK))
                          : RespValue.array(RespValue.bulk("m"), RespValue.array(record, forever));
                  default -> RespValue.NIL;
                }));
    CairnClient client = client(GENEROUS);
    Topology.Partition partition = topology.get().partitions().get(0);

    RecordPage page = client.page(partition, new byte[0], "z".getBytes(UTF_8), 100);
    assertThat(page.next()).hasValueSatisfying(next -> assertThat(next).asString().isEqualTo("m"));
    assertThat(page.entries().get(0).expiresAtMillis()).hasValue(7);
    assertThat(page.entries().get(1).expiresAtMillis()).isEmpty();
    assertThat(page.entries().get(1).value()).isEmpty();
    client.putAsync("k".getBytes(UTF_8), "v".getBytes(UTF_8), 12).join();
    assertThat(pages).containsExactly(List.of("CAIRN", "RANGE", "0", "", "z", "100"));
    assertThat(a.heard()).containsExactly(List.of("SET", "k", "v", "PXAT", "12"));
    assertThatThrownBy(() -> client.page(partition, "x".getBytes(UTF_8), new byte[0], 1))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("answered out of turn");
  }

  @Test
  void sendsItsCommandsAndReadsTheirAnswers() {
    a.script(
        serving(
            words ->
                switch (words.get(0)) {
                  case "SET" -> RespValue.OK;
                  case "GET" -> RespValue.NIL;
                  case "DEL" -> new RespValue.Int(0);
                  case "INCRBY" -> new RespValue.Int(-7);
                  case "APPEND" -> new RespValue.Int(5);
                  default -> new RespValue.Int(1);
                }));
    CairnClient client = client(GENEROUS);

    client.put("k", "v");
    assertThat(client.get("k")).isEmpty();
    assertThat(client.delete("k")).isFalse();
    assertThat(client.exists("k")).isTrue();
    assertThat(client.increment("n", -9)).isEqualTo(-7);
    assertThat(client.append("k", "more")).isEqualTo(5);
    assertThat(a.heard())
        .containsExactly(
            List.of("SET", "k", "v"),
            List.of("GET", "k"),
            List.of("DEL", "k"),
            List.of("EXISTS", "k"),
            List.of("INCRBY", "n", "-9"),
            List.of("APPEND", "k", "more"));
  }

  @Test
  void anAnswerThatIsNoNumberLeavesAnIncrementUnknown() {
    a.script(serving(words -> RespValue.OK));
    CairnClient client = client(GENEROUS);

    assertThatThrownBy(() -> client.increment("n", 1))
        .isInstanceOf(UnknownOutcomeException.class)
        .hasMessageContaining("out of turn");
  }

  @Test
  void keepsWhoAnsweredAndTheReplicas() {
    ReplicaAttribute attribute =
        new ReplicaAttribute(
            "127.0.0.1:5000",
            List.of(
                new ReplicaAttribute.Replica("127.0.0.1:5000", true),
                new ReplicaAttribute.Replica("127.0.0.1:5001", false)),
            0);
    a.script(serving(words -> attribute.before(RespValue.OK)));
    CairnClient client = keep(builder(GENEROUS).replicaStates(true).build());

    Answer<Boolean> answer = client.putAndTell(bytes("k"), bytes("v"));
    assertThat(answer.node()).isEqualTo("127.0.0.1:5000");
    assertThat(answer.replicas())
        .containsExactly(
            new Answer.ReplicaState("127.0.0.1:5000", true),
            new Answer.ReplicaState("127.0.0.1:5001", false));
  }

  @Test
  void followsMovedAndRemembersIt() {
    a.script(serving(words -> new RespValue.ErrorReply("MOVED 1 " + b.address())));
    b.script(serving(words -> RespValue.OK));
    CairnClient client = client(GENEROUS);

    client.put("k", "1");
    leader(b);
    client.put("k", "2");
    assertThat(b.heard("SET")).isEqualTo(2);
  }

  @Test
  void nodesThatPointAtEachOtherEndAtTheDeadline() {
    a.script(serving(words -> new RespValue.ErrorReply("MOVED 1 " + b.address())));
    b.script(serving(words -> new RespValue.ErrorReply("MOVED 1 " + a.address())));

    UnavailableException failure =
        catchThrowableOfType(
            UnavailableException.class, () -> client(Duration.ofMillis(300)).put("k", "v"));
    assertThat(failure.reason()).isEqualTo(UnavailableException.Reason.NO_MAJORITY);
    assertThat(a.heard("SET") + b.heard("SET")).isLessThan(100);
  }

  @Test
  void aWriteThatWasCutIsUnknownAndNeverRepeated() {
    a.script(serving(words -> FakeNode.CUT));
    b.script(serving(words -> RespValue.OK));

    assertThatThrownBy(() -> client(GENEROUS).put("k", "v"))
        .isInstanceOf(UnknownOutcomeException.class)
        .hasMessageContaining("read the key before writing again");
    assertThat(a.heard("SET")).isEqualTo(1);
    assertThat(b.heard("SET")).isZero();
  }

  @Test
  void aWriteWithoutAnAnswerIsUnknownAtTheDeadline() {
    a.script(serving(words -> FakeNode.SILENCE));
    b.script(serving(words -> RespValue.OK));

    assertThatThrownBy(() -> client(Duration.ofMillis(300)).put("k", "v"))
        .isInstanceOf(UnknownOutcomeException.class);
    assertThat(a.heard("SET") + b.heard("SET")).isEqualTo(1);
  }

  @Test
  void aWriteThatTheNodeCallsUnknownIsNotRepeated() {
    a.script(serving(words -> new RespValue.ErrorReply("UNKNOWN leadership was lost")));
    b.script(serving(words -> RespValue.OK));

    assertThatThrownBy(() -> client(GENEROUS).delete("k"))
        .isInstanceOf(UnknownOutcomeException.class);
    assertThat(a.heard("DEL") + b.heard("DEL")).isEqualTo(1);
  }

  @Test
  void aWriteThatWasCutIsSentAgainUnderItsId() {
    clusterTime = OptionalLong.of(1_700_000_000_000L);
    a.script(serving(words -> FakeNode.CUT));
    b.script(serving(words -> RespValue.OK));

    client(GENEROUS).put("k", "v");
    List<List<String>> sent = new ArrayList<>(commands(a));
    sent.addAll(commands(b));
    assertThat(sent).hasSizeGreaterThan(1).allMatch(words -> words.equals(sent.get(0)));
    assertThat(sent.get(0).subList(0, 3)).containsExactly("CAIRN", "WITH", "ID");
    assertThat(sent.get(0).get(3)).matches("[0-9a-f]{32}");
    assertThat(Long.parseLong(sent.get(0).get(5)))
        .isBetween(1_699_999_999_500L, 1_700_000_999_500L);
    assertThat(sent.get(0).subList(6, 10)).containsExactly("DO", "SET", "k", "v");
  }

  @Test
  void eachWriteHasAnIdOfItsOwn() {
    clusterTime = OptionalLong.of(1_700_000_000_000L);
    a.script(serving(words -> RespValue.OK));
    CairnClient client = client(GENEROUS);

    client.put("k", "v");
    client.put("k", "v");
    assertThat(commands(a).stream().map(words -> words.get(4))).containsExactly("1", "2");
  }

  @Test
  void aWriteWithAnIdThatIsUnknownUntilItsDeadlineEndsUnknownWhateverCameLast() {
    clusterTime = OptionalLong.of(1_700_000_000_000L);
    AtomicInteger asked = new AtomicInteger();
    a.script(
        serving(
            words ->
                new RespValue.ErrorReply(
                    asked.incrementAndGet() == 1 ? "UNKNOWN lost" : "TRYAGAIN queue full")));
    b.script(serving(words -> new RespValue.ErrorReply("CLUSTERDOWN no leader")));

    assertThatThrownBy(() -> client(Duration.ofMillis(500)).put("k", "v"))
        .isInstanceOf(UnknownOutcomeException.class);
    assertThat(asked.get()).isGreaterThan(1);
  }

  @Test
  void aRefusalAfterAnUnknownOutcomeDoesNotMakeItCertain() {
    clusterTime = OptionalLong.of(1_700_000_000_000L);
    AtomicInteger asked = new AtomicInteger();
    a.script(
        serving(
            words ->
                new RespValue.ErrorReply(
                    asked.incrementAndGet() == 1 ? "UNKNOWN lost" : "NOREPLICAS one is missing")));
    b.script(serving(words -> RespValue.OK));

    assertThatThrownBy(() -> client(GENEROUS).put("k", "v"))
        .isInstanceOf(UnknownOutcomeException.class);
  }

  @Test
  void levelsTravelWithTheRequest() {
    a.script(serving(words -> words.contains("GET") ? RespValue.bulk("v") : RespValue.OK));
    CairnClient client = keep(builder(GENEROUS).readConsistency(Consistency.ALL).build());

    client.get("k");
    client.reading(Consistency.ONE).get("k");
    client.writing(Consistency.ALL).put("k", "v");
    client.put("k", "v");
    assertThat(commands(a))
        .containsExactly(
            List.of("CAIRN", "WITH", "CONSISTENCY", "ALL", "DO", "GET", "k"),
            List.of("CAIRN", "WITH", "CONSISTENCY", "ONE", "DO", "GET", "k"),
            List.of("CAIRN", "WITH", "CONSISTENCY", "ALL", "DO", "SET", "k", "v"),
            List.of("SET", "k", "v"));
    assertThatThrownBy(() -> client.writing(Consistency.ONE))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aReadOfLevelOneTellsItsAge() {
    ReplicaAttribute attribute = new ReplicaAttribute("127.0.0.1:5001", List.of(), 1_234);
    a.script(serving(words -> attribute.before(RespValue.bulk("v"))));

    Answer<Optional<byte[]>> answer =
        client(GENEROUS).reading(Consistency.ONE).getAndTell("k".getBytes(UTF_8));
    assertThat(answer.ageMillis()).isEqualTo(1_234);
    assertThat(answer.node()).isEqualTo("127.0.0.1:5001");
  }

  /** What a node was asked but for the topology. */
  private static List<List<String>> commands(FakeNode node) {
    return node.heard().stream()
        .filter(
            words -> !words.equals(List.of("CAIRN", "TOPOLOGY")) && !words.get(0).equals("HELLO"))
        .toList();
  }

  @Test
  void aReadThatWasCutIsAskedElsewhere() {
    a.script(serving(words -> FakeNode.CUT));
    b.script(serving(words -> RespValue.bulk("v")));

    assertThat(client(GENEROUS).get("k")).contains("v");
    assertThat(events).containsExactly("unavailable " + a.address() + " " + b.address());
  }

  @Test
  void aReadThatTakesTooLongIsAskedElsewhere() {
    a.script(serving(words -> FakeNode.SILENCE));
    b.script(serving(words -> RespValue.bulk("v")));
    CairnClient client = keep(builder(GENEROUS).attemptTimeout(Duration.ofMillis(100)).build());

    assertThat(client.get("k")).contains("v");
    assertThat(events).containsExactly("timeout " + a.address() + " " + b.address());
  }

  @Test
  void aNodeThatDoesNotGreetNeverReceivesAWrite() {
    a.script(serving(words -> RespValue.OK));
    b.script(serving(words -> RespValue.OK));
    a.greets(false);
    CairnClient client = keep(builder(GENEROUS).attemptTimeout(Duration.ofMillis(100)).build());

    client.put("k", "v");
    assertThat(a.heard("SET")).isZero();
    assertThat(b.heard("SET")).isEqualTo(1);
    assertThat(events).contains("timeout " + a.address() + " " + b.address());
  }

  @Test
  void afterSilenceANodeGetsNoFurtherWriteOnThatConnection() {
    a.script(serving(words -> FakeNode.SILENCE));
    b.script(serving(words -> RespValue.OK));
    CairnClient client = keep(builder(Duration.ofMillis(300)).build());
    assertThatThrownBy(() -> client.put("k", "1")).isInstanceOf(UnknownOutcomeException.class);
    a.greets(false);

    client.put("k", "2");
    assertThat(a.heard("SET")).isEqualTo(1);
    assertThat(b.heard("SET")).isEqualTo(1);
  }

  @Test
  void aDeadLeaderIsSaidAndAnotherNodePassesTheWriteOn() throws Exception {
    a.script(serving(words -> RespValue.OK));
    b.script(serving(words -> RespValue.OK));
    CairnClient client = client(GENEROUS);
    client.put("k", "1");
    a.close();
    await().until(() -> canFail(() -> client.put("k", "2")));

    assertThat(b.heard("SET")).isEqualTo(1);
    assertThat(events).contains("unavailable " + a.address() + " " + b.address());
  }

  @Test
  void withoutALeaderAWriteIsTriedUntilThereIsOne() {
    AtomicInteger refusals = new AtomicInteger();
    FakeNode.Script electing =
        serving(words -> refusals.incrementAndGet() < 6 ? NO_LEADER : RespValue.OK);
    a.script(electing);
    b.script(electing);

    client(GENEROUS).put("k", "v");
    assertThat(refusals).hasValue(6);
  }

  @Test
  void withoutALeaderUntilTheDeadlineTheWriteIsCertainlyNotApplied() {
    a.script(serving(words -> NO_LEADER));
    b.script(serving(words -> NO_LEADER));

    UnavailableException failure =
        catchThrowableOfType(
            UnavailableException.class, () -> client(Duration.ofMillis(300)).put("k", "v"));
    assertThat(failure.reason()).isEqualTo(UnavailableException.Reason.NO_MAJORITY);
  }

  @Test
  void withoutAnyNodeItSaysSo() throws Exception {
    a.close();
    b.close();

    UnavailableException failure =
        catchThrowableOfType(
            UnavailableException.class, () -> client(Duration.ofMillis(300)).get("k"));
    assertThat(failure.reason()).isEqualTo(UnavailableException.Reason.NO_NODE);
    assertThat(events).contains("unavailable " + a.address() + " " + b.address());
  }

  @Test
  void aRefusalThatDoesNotPassIsTheEnd() {
    a.script(serving(words -> new RespValue.ErrorReply("OOM free some room")));

    RefusedException failure =
        catchThrowableOfType(RefusedException.class, () -> client(GENEROUS).put("k", "v"));
    assertThat(failure.code()).isEqualTo("OOM");
    assertThat(a.heard("SET")).isEqualTo(1);
  }

  @Test
  void keysAndValuesHaveLimits() {
    a.script(serving(words -> RespValue.OK));
    CairnClient client = keep(builder(GENEROUS).valueBytesMax(10).build());

    client.put(new byte[65_536], new byte[10]);
    assertThatThrownBy(() -> client.put(new byte[65_537], new byte[1]))
        .isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> client.put(new byte[1], new byte[11]))
        .isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> client.get("")).isInstanceOf(InvalidRequestException.class);
    assertThat(a.heard("SET")).isEqualTo(1);
  }

  @Test
  void manyCallsShareOneConnectionAndKeepTheirAnswers() {
    a.script(serving(words -> RespValue.bulk("value of " + words.get(1))));
    CairnClient client = client(GENEROUS);
    List<CompletableFuture<Answer<Optional<byte[]>>>> futures = new ArrayList<>();
    for (int i = 0; i < 5_000; i++) {
      futures.add(client.getAsync(bytes("k" + i)));
    }

    for (int i = 0; i < futures.size(); i++) {
      assertThat(futures.get(i).join().value()).contains(bytes("value of k" + i));
    }
    assertThat(a.connections()).isEqualTo(1);
  }

  @Test
  void closingEndsWhatIsInFlight() {
    a.script(serving(words -> FakeNode.SILENCE));
    CairnClient client = client(GENEROUS);
    CompletableFuture<Answer<Boolean>> write = client.putAsync(bytes("k"), bytes("v"));
    await().until(() -> a.heard("SET") == 1);

    client.close();
    assertThat(write)
        .failsWithin(GENEROUS)
        .withThrowableThat()
        .withCauseInstanceOf(UnknownOutcomeException.class);
    assertThatThrownBy(() -> client.get("k")).isInstanceOf(UnavailableException.class);
  }

  @Test
  void anInterruptedWriteThatWasSentIsUnknown() throws Exception {
    a.script(serving(words -> FakeNode.SILENCE));
    CairnClient client = client(GENEROUS);
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread caller =
        new Thread(
            () -> {
              try {
                client.put("k", "v");
              } catch (CairnException expected) {
                failure.set(expected);
              }
            });
    caller.start();
    await().until(() -> a.heard("SET") == 1);

    caller.interrupt();
    caller.join(GENEROUS.toMillis());
    assertThat(failure.get()).isInstanceOf(UnknownOutcomeException.class);
  }

  @Test
  void aClientThatFollowsNoTopologyAsksOnlyTheGivenNodes() {
    leader(a);
    b.script(serving(words -> RespValue.bulk("through b")));
    CairnClient client =
        keep(
            CairnClient.builder()
                .nodes(List.of(b.address()))
                .deadline(GENEROUS)
                .followTopology(false)
                .build());

    assertThat(client.get("k")).contains("through b");
    assertThat(a.connections()).isZero();
  }

  @Test
  void anUnreachableAnnouncedAddressCostsTimeOnly() {
    topology.set(
        topology(
            List.of(
                new Topology.Node("x", "127.0.0.1", closedPort(), 0, true),
                new Topology.Node("y", "127.0.0.1", closedPort(), 0, true)),
            "x"));
    a.script(serving(words -> RespValue.bulk("v")));
    b.script(serving(words -> RespValue.bulk("v")));

    assertThat(client(GENEROUS).get("k")).contains("v");
  }

  private static boolean canFail(Runnable write) {
    try {
      write.run();
      return true;
    } catch (CairnException failed) {
      return false;
    }
  }

  private static int closedPort() {
    try (java.net.ServerSocket socket = new java.net.ServerSocket(0)) {
      return socket.getLocalPort();
    } catch (IOException failed) {
      throw new AssertionError(failed);
    }
  }

  /** A script that tells the topology and leaves the rest to another. */
  private FakeNode.Script serving(FakeNode.Script rest) {
    return words ->
        words.equals(List.of("CAIRN", "TOPOLOGY"))
            ? TopologyCodec.encode(topology.get(), clusterTime)
            : rest.apply(words);
  }

  private void leader(FakeNode node) {
    topology.set(
        topology(
            List.of(
                new Topology.Node("a", "127.0.0.1", a.address().port(), 0, true),
                new Topology.Node("b", "127.0.0.1", b.address().port(), b.address().port(), true)),
            node == a ? "a" : "b"));
    if (a.heard().isEmpty() && b.heard().isEmpty()) {
      a.script(serving(words -> new RespValue.ErrorReply("ERR not scripted")));
      b.script(serving(words -> new RespValue.ErrorReply("ERR not scripted")));
    }
  }

  private static Topology topology(List<Topology.Node> nodes, String leader) {
    List<String> replicas = nodes.stream().map(Topology.Node::id).toList();
    return new Topology(
        "cluster",
        1,
        nodes,
        List.of(
            new Topology.Partition(
                0, 0, Slots.COUNT - 1, replicas, Optional.empty(), Optional.of(leader))));
  }

  private CairnClient client(Duration deadline) {
    return keep(builder(deadline).build());
  }

  private CairnClient.Builder builder(Duration deadline) {
    return CairnClient.builder()
        .nodes(List.of(a.address(), b.address()))
        .deadline(deadline)
        .listener(
            new ClientListener() {
              @Override
              public void unavailable(Address node, Address next) {
                events.add("unavailable " + node + " " + next);
              }

              @Override
              public void timeout(Address node, Duration waited, Address next) {
                events.add("timeout " + node + " " + next);
              }
            });
  }

  private FakeNode node(FakeNode.Script script) throws IOException {
    return keep(new FakeNode(script));
  }

  private <T extends AutoCloseable> T keep(T resource) {
    opened.add(0, resource);
    return resource;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.cairn.server.FreePorts;
import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.peer.EventLoops;
import dev.cairn.server.peer.LocalPeers;
import dev.cairn.server.peer.PeerTransport;
import dev.cairn.server.raft.Founders;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.raft.RaftGroup;
import io.netty.util.concurrent.EventExecutor;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Groups on nodes with real logs and connections. */
class ShardsTest {
  private static final String GROUP = "cairn-test-p0";

  @TempDir Path temporary;
  private final List<Node> nodes = new ArrayList<>();

  @AfterEach
  void stopAll() {
    nodes.forEach(Node::stop);
    nodes.forEach(node -> node.loops.close());
  }

  @Test
  void allMembersApplyTheSameInTheSameOrder() throws Exception {
    start(3, false);
    Node leader = awaitLeader();
    assertThat(leader.metrics.count(Metric.ELECTIONS)).isPositive();
    for (int i = 0; i < 200; i++) {
      leader.propose("entry " + i);
    }
    assertThat(leader.propose("last").get(20, TimeUnit.SECONDS)).isEqualTo("applied");
    awaitSame();
    assertThat(leader.replica.entries()).hasSize(201);
    assertThat(leader.confirms()).isTrue();
  }

  @Test
  @Tag("long")
  void whatWasAppliedOutlivesItsLeaderAndARestartOfAll() throws Exception {
    start(3, false);
    Node leader = awaitLeader();
    assertThat(leader.propose("kept").get(20, TimeUnit.SECONDS)).isEqualTo("applied");
    leader.stop();
    Node second = awaitLeader();
    assertThat(second).isNotSameAs(leader);
    assertThat(second.replica.entries()).containsValue("kept");
    assertThat(second.propose("kept too").get(20, TimeUnit.SECONDS)).isEqualTo("applied");
    nodes.forEach(Node::stop);
    nodes.forEach(node -> node.replica.crash());
    for (Node node : nodes) {
      node.start();
    }
    awaitLeader();
    awaitSame();
    assertThat(awaitLeader().replica.entries().values()).containsExactly("kept", "kept too");
  }

  @Test
  @Tag("long")
  void aProposalOfAnotherTermIsRefusedAndSoIsOneOfAFollower() throws Exception {
    start(3, false);
    Node leader = awaitLeader();
    MapReplica.Asked asked = new MapReplica.Asked();
    leader.group.propose(bytes("late"), leader.replica.leadsIn() - 1, asked);
    assertThat(asked.get(20, TimeUnit.SECONDS)).isEqualTo("refused");
    Node follower = nodes.stream().filter(node -> node != leader).findFirst().orElseThrow();
    asked = new MapReplica.Asked();
    follower.group.propose(bytes("elsewhere"), leader.replica.leadsIn(), asked);
    assertThat(asked.get(20, TimeUnit.SECONDS)).isEqualTo("refused");
    assertThat(follower.confirms(leader.replica.leadsIn())).isFalse();
  }

  @Test
  @Tag("long")
  void aLeaderThatIsCutOffConfirmsNothingAndDoesNotKnowWhatBecameOfItsProposals() throws Exception {
    start(3, false);
    Node leader = awaitLeader();
    nodes.stream().filter(node -> node != leader).forEach(Node::stop);
    MapReplica.Asked asked = leader.propose("perhaps");
    assertThat(leader.confirms()).isFalse();
    assertThat(asked.get(20, TimeUnit.SECONDS)).isIn("unknown", "refused");
  }

  @Test
  void aFollowerThatIsFarBehindGetsACopy() throws Exception {
    start(3, false);
    Node leader = awaitLeader();
    Node late = nodes.stream().filter(node -> node != leader).findFirst().orElseThrow();
    leader.propose("early").get(20, TimeUnit.SECONDS);
    awaitSame();
    late.stop();
    for (int i = 0; i < 50; i++) {
      leader.propose("entry " + i);
    }
    leader.propose("last").get(20, TimeUnit.SECONDS);
    long end = leader.log.lastIndex(GROUP);
    eventually()
        .until(
            () -> {
              leader.group.snapshot(why -> {});
              return leader.log.firstIndex(GROUP) > end;
            });
    late.start();
    awaitSame();
    assertThat(late.replica.incomings).hasPositiveValue();
    assertThat(leader.propose("behind it").get(20, TimeUnit.SECONDS)).isEqualTo("applied");
    awaitSame();
    late.stop();
    late.replica.crash();
    late.start(); // its log begins behind the copy
    awaitSame();
    eventually().untilAsserted(() -> assertThat(filesNamed("checkpoint-")).isEmpty());
  }

  @Test
  void aCopyThatCannotBeHadIsAskedForAgainAndEndsWhole() throws Exception {
    start(3, false);
    Node leader = awaitLeader();
    Node late = nodes.stream().filter(node -> node != leader).findFirst().orElseThrow();
    late.stop();
    leader.propose("entry").get(20, TimeUnit.SECONDS);
    leader.propose("last").get(20, TimeUnit.SECONDS);
    long end = leader.log.lastIndex(GROUP);
    eventually()
        .until(
            () -> {
              leader.group.snapshot(why -> {});
              return leader.log.firstIndex(GROUP) > end;
            });
    nodes.forEach(node -> node.replica.checkpointsToFail.set(2));
    late.start();
    awaitSame();
    assertThat(late.replica.incomings).hasValueGreaterThan(2);
    eventually().untilAsserted(() -> assertThat(filesNamed("incoming-")).isEmpty());
  }

  @Test
  void aVoterThatAcceptsAndStaysMuteHoldsUpNoElection() throws Exception {
    for (int i = 0; i < 3; i++) {
      nodes.add(new Node(i, false, 1));
    }
    List<Peer> all = nodes.stream().map(node -> node.self).toList();
    int port = nodes.get(2).port;
    try (ServerSocket mute = new ServerSocket(port, 64, InetAddress.getLoopbackAddress())) {
      for (Node node : nodes.subList(0, 2)) {
        node.first = all;
        node.start();
        node.knows(nodes);
      }
      assertThat(awaitLeader().propose("one").get(20, TimeUnit.SECONDS)).isEqualTo("applied");
      mute.setSoTimeout(20_000);
      mute.accept().close(); // it was tried, else this throws
    }
  }

  @Test
  @Tag("long")
  void aWitnessHelpsToElectAndHasNoData() throws Exception {
    start(3, true);
    Node leader = awaitLeader();
    Node witness = nodes.get(2);
    assertThat(leader).isNotSameAs(witness);
    assertThat(leader.propose("one").get(20, TimeUnit.SECONDS)).isEqualTo("applied");
    leader.stop();
    Node second = awaitLeader();
    assertThat(second).isNotSameAs(witness);
    assertThat(second.propose("two").get(20, TimeUnit.SECONDS)).isEqualTo("applied");
    assertThat(second.replica.entries().values()).containsExactly("one", "two");
    assertThat(witness.replica.entries()).isEmpty();
  }

  @Test
  @Tag("long")
  void leadershipIsHandedOver() throws Exception {
    start(3, false);
    Node leader = awaitLeader();
    Node next = nodes.stream().filter(node -> node != leader).findFirst().orElseThrow();
    eventually()
        .until(
            () -> {
              leader.group.transferLeadership(next.self);
              return next.replica.leadsIn() > 0;
            });
    eventually().until(() -> leader.replica.leadsIn() == 0);
    assertThat(next.propose("there").get(20, TimeUnit.SECONDS)).isEqualTo("applied");
  }

  @Test
  @Tag("long")
  void aMemberIsReplacedByAnother() throws Exception {
    start(3, false);
    Node leader = awaitLeader();
    leader.propose("before").get(20, TimeUnit.SECONDS);
    Node gone = nodes.stream().filter(node -> node != leader).findFirst().orElseThrow();
    gone.stop();
    Node newcomer = new Node(nodes.size(), false, 2);
    nodes.add(newcomer);
    nodes.stream().filter(node -> node != gone).forEach(node -> node.knows(nodes));
    newcomer.first = List.of();
    newcomer.start();
    Set<Peer> wanted =
        Set.copyOf(nodes.stream().filter(node -> node != gone).map(node -> node.self).toList());
    CompletableFuture<Optional<String>> changed = new CompletableFuture<>();
    leader.group.changeVoters(wanted, List.of(), changed::complete);
    assertThat(changed.get(60, TimeUnit.SECONDS)).isEmpty();
    assertThat(leader.group.voters()).contains(wanted);
    assertThat(Set.copyOf(leader.replica.voters())).isEqualTo(wanted);
    eventually()
        .untilAsserted(() -> assertThat(newcomer.replica.entries()).containsValue("before"));
  }

  @Test
  @Tag("long")
  void aReplicaWhoseMarkerIsNotThereIsNotOpened() throws Exception {
    start(3, false);
    Node node = nodes.get(0);
    node.stop();
    MapReplica.deleteAll(node.logFolder());
    node.marks = false;
    assertThatThrownBy(node::start).isInstanceOf(IOException.class).hasMessageContaining("removed");
  }

  @Test
  void whoComesBehindTheEndOfTheNodeIsAnswered() throws Exception {
    start(1, false);
    Node node = awaitLeader();
    RaftGroup group = node.group;
    long term = node.replica.leadsIn();
    CompletableFuture<Optional<String>> begun = new CompletableFuture<>();
    group.changeVoters(List.of(node.self, new Peer("nowhere", 1)), List.of(), begun::complete);
    node.stop();
    assertThat(begun.get(20, TimeUnit.SECONDS)).isPresent();
    MapReplica.Asked asked = new MapReplica.Asked();
    group.propose(bytes("late"), term, asked);
    assertThat(asked.get(20, TimeUnit.SECONDS)).isEqualTo("refused");
    CompletableFuture<Optional<String>> leads = new CompletableFuture<>();
    group.confirmLeadership(term, leads::complete);
    assertThat(leads.get(20, TimeUnit.SECONDS)).isPresent();
    CompletableFuture<Optional<String>> changed = new CompletableFuture<>();
    group.changeVoters(List.of(node.self), List.of(), changed::complete);
    assertThat(changed.get(20, TimeUnit.SECONDS)).isPresent();
    CompletableFuture<Optional<String>> saved = new CompletableFuture<>();
    group.snapshot(saved::complete);
    assertThat(saved.get(20, TimeUnit.SECONDS)).isPresent();
    assertThatThrownBy(node::open).isInstanceOf(IOException.class).hasMessageContaining("stopping");
    assertThat(inTime(group::voters)).isEmpty();
    inTime(
        () -> {
          group.close();
          return null;
        });
  }

  @Test
  void aGroupThatHadFailedEndsAlsoBehindTheEndOfTheNode() throws Exception {
    start(1, false);
    Node node = awaitLeader();
    ReplicatedGroup group = (ReplicatedGroup) node.group;
    group.machine().fail(new IOException("a fault"));
    eventually().until(() -> node.replica.failure() != null);
    node.stop();
    assertThat(inTime(group::voters)).isEmpty();
    inTime(
        () -> {
          group.close();
          return null;
        });
  }

  @Test
  void aGroupIsOpenOnceAndCanBeOpenedAgainWhereItWasClosedOrHadFailed() throws Exception {
    start(1, false);
    Node node = awaitLeader();
    assertThat(node.propose("one").get(20, TimeUnit.SECONDS)).isEqualTo("applied");
    ReplicatedGroup first = (ReplicatedGroup) node.group;
    assertThatThrownBy(node::open).isInstanceOf(IOException.class).hasMessageContaining("already");
    assertThat(node.propose("two").get(20, TimeUnit.SECONDS)).isEqualTo("applied");
    first.machine().fail(new IOException("a fault"));
    eventually().until(() -> node.replica.failure() != null);
    node.replica.crash();
    node.open();
    awaitLeader();
    first.close(); // takes nothing from who has followed it
    assertThat(node.propose("three").get(20, TimeUnit.SECONDS)).isEqualTo("applied");
    node.group.close();
    node.replica.crash();
    node.open();
    awaitLeader();
    assertThat(node.propose("four").get(20, TimeUnit.SECONDS)).isEqualTo("applied");
    assertThat(node.replica.entries().values()).containsExactly("one", "two", "three", "four");
  }

  // ---- Helpers ----

  private static <T> T inTime(Callable<T> asked) throws Exception {
    FutureTask<T> task = new FutureTask<>(asked);
    Thread thread = new Thread(task);
    thread.setDaemon(true);
    thread.start();
    return task.get(20, TimeUnit.SECONDS);
  }

  private void start(int count, boolean witnessLast) throws IOException {
    for (int i = 0; i < count; i++) {
      nodes.add(new Node(i, witnessLast && i == count - 1, 1));
    }
    List<Peer> all = nodes.stream().map(node -> node.self).toList();
    for (Node node : nodes) {
      node.first = all;
      node.witnesses = witnessLast ? List.of(all.get(count - 1)) : List.of();
      node.start();
      node.knows(nodes);
    }
  }

  @Test
  void whatTheLoopAsksIsAnsweredOnItAndByOneQuestion() throws Exception {
    start(3, false);
    Node leader = awaitLeader();
    EventExecutor loop = leader.loops.group().next();
    List<Optional<String>> answers = new ArrayList<>();
    List<Thread> by = new ArrayList<>();
    CompletableFuture<Integer> answeredTogether = new CompletableFuture<>();
    Consumer<Optional<String>> answered =
        answer -> {
          answers.add(answer);
          by.add(Thread.currentThread());
          if (answers.size() == 1) {
            loop.execute(() -> answeredTogether.complete(answers.size()));
          }
        };
    Thread thread =
        loop.submit(
                () -> {
                  for (int i = 0; i < 3; i++) {
                    leader.group.confirmLeadership(leader.replica.leadsIn(), answered);
                  }
                  return Thread.currentThread();
                })
            .get();
    assertThat(answeredTogether.get(20, TimeUnit.SECONDS)).isEqualTo(3);
    assertThat(answers).containsOnly(Optional.empty());
    assertThat(by).containsOnly(thread);
  }

  @Test
  void whatTheLoopProposesIsDealtWithAtOnceAndBehindWhatOthersProposedBefore() throws Exception {
    start(3, false);
    Node leader = awaitLeader();
    boolean refused =
        leader
            .loops
            .group()
            .next()
            .submit(
                () -> {
                  Thread before = new Thread(() -> leader.propose("before"));
                  before.start();
                  before.join();
                  leader.propose("behind it");
                  MapReplica.Asked late = new MapReplica.Asked();
                  leader.group.propose(bytes("late"), leader.replica.leadsIn() - 1, late);
                  return late.isDone();
                })
            .get();
    assertThat(refused).isTrue();
    assertThat(leader.propose("last").get(20, TimeUnit.SECONDS)).isEqualTo("applied");
    assertThat(leader.replica.entries().values()).containsExactly("before", "behind it", "last");
  }

  @Test
  void aGroupIsNotClosedOnTheLoopThatItWaitsFor() throws Exception {
    start(3, false);
    Node leader = awaitLeader();
    EventExecutor loop = leader.loops.group().next();
    assertThatThrownBy(() -> loop.submit(() -> leader.group.close()).get())
        .hasCauseInstanceOf(IllegalStateException.class);
  }

  @Test
  void aStoppedNodeDoesNothingOnALoopThatGoesOn() throws Exception {
    start(3, false);
    Node leader = awaitLeader();
    RaftGroup group = leader.group;
    long term = leader.replica.leadsIn();
    leader.stop();
    CompletableFuture<Optional<String>> answer = new CompletableFuture<>();
    MapReplica.Asked asked = new MapReplica.Asked();
    leader
        .loops
        .group()
        .next()
        .submit(
            () -> {
              group.confirmLeadership(term, answer::complete);
              group.propose(bytes("late"), term, asked);
            })
        .get();
    assertThat(answer.get(20, TimeUnit.SECONDS)).isPresent();
    assertThat(asked.get(20, TimeUnit.SECONDS)).isEqualTo("refused");
    leader.start();
    awaitSame();
  }

  private Node awaitLeader() {
    eventually().until(() -> leader().isPresent());
    return leader().orElseGet(this::awaitLeader);
  }

  private Optional<Node> leader() {
    return nodes.stream()
        .filter(node -> node.isUp() && node.replica.leadsIn() > 0)
        .filter(node -> node.confirms())
        .findFirst();
  }

  private void awaitSame() {
    eventually()
        .untilAsserted(
            () -> {
              Node leader = awaitLeader();
              for (Node node : nodes) {
                if (node.isUp()) {
                  assertThat(node.replica.failure()).isNull();
                  assertThat(node.replica.entries()).isEqualTo(leader.replica.entries());
                }
              }
            });
  }

  private List<Path> filesNamed(String prefix) throws IOException {
    try (var files = Files.walk(temporary)) {
      return files.filter(file -> file.getFileName().toString().startsWith(prefix)).toList();
    }
  }

  private static ConditionFactory eventually() {
    return await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(50));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** A node; its folder, its data and its port outlive its restarts. */
  private final class Node {
    final int number;
    final boolean witness;
    final int port;
    final Peer self;
    final MapReplica replica;
    final EventLoops loops = EventLoops.shared(1);
    List<Peer> first = List.of();
    List<Peer> witnesses = List.of();
    boolean marks = true;
    private long starts;
    WrittenLog log;
    PeerTransport transport;
    Shards shards;
    RaftGroup group;

    Node(int number, boolean witness, int incarnation) throws IOException {
      this.number = number;
      this.witness = witness;
      this.port = FreePorts.next();
      this.self = new Peer(LocalPeers.id(port), incarnation);
      this.replica = new MapReplica(temporary.resolve("data-" + number));
    }

    Path logFolder() {
      return temporary.resolve("log-" + number);
    }

    boolean isUp() {
      return group != null;
    }

    void knows(List<Node> others) {
      for (Node one : others) {
        for (Node other : others) {
          if (one.transport != null) {
            LocalPeers.at(one.transport, other.port);
          }
        }
      }
    }

    final Metrics metrics = new Metrics();

    void start() throws IOException {
      log = WrittenLog.open(logFolder(), self.nodeId(), damage -> {}, metrics);
      starts++;
      transport = LocalPeers.listen(port, starts, loops);
      knows(nodes);
      shards = Shards.start(transport, log);
      if (log.incarnation(GROUP) == 0 && marks) {
        log.writeIncarnation(GROUP, self.incarnation());
      }
      open();
    }

    void open() throws IOException {
      group =
          shards.open(
              GROUP,
              self.incarnation(),
              new Founders(first, List.of(), witnesses),
              witness,
              Optional.of(replica),
              replica);
    }

    void stop() {
      if (transport == null) {
        return;
      }
      group = null;
      shards.close();
      log.close();
      transport = null;
    }

    MapReplica.Asked propose(String text) {
      MapReplica.Asked asked = new MapReplica.Asked();
      group.propose(bytes(text), replica.leadsIn(), asked);
      return asked;
    }

    boolean confirms() {
      return confirms(replica.leadsIn());
    }

    boolean confirms(long term) {
      CompletableFuture<Optional<String>> answer = new CompletableFuture<>();
      group.confirmLeadership(term, answer::complete);
      try {
        return answer.get(20, TimeUnit.SECONDS).isEmpty();
      } catch (Exception e) {
        throw new AssertionError("no answer", e);
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.cairn.server.FreePorts;
import dev.cairn.server.TestLoops;
import dev.cairn.server.cluster.Announced;
import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.cluster.Membership;
import dev.cairn.server.cluster.NodeProtection;
import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.cluster.PeerMessageKind;
import dev.cairn.server.cluster.Placement;
import dev.cairn.server.cluster.Replica;
import dev.cairn.server.cluster.Reports;
import dev.cairn.server.partition.LogLimits;
import dev.cairn.server.peer.PeerAddress;
import dev.cairn.server.peer.PeerRun;
import dev.cairn.server.peer.PeerTransport;
import dev.cairn.server.peer.Traffic;
import dev.cairn.server.tls.PeerTls;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What a node says of its cluster, with peers that are played: b has a copy, c is the witness.
 * Problems age by a clock that the test sets.
 */
class ClusterStatusTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String CLUSTER = "c".repeat(40);

  private final ScheduledExecutorService scheduler = Executors.newScheduledThreadPool(2);
  private final AtomicLong nanos = new AtomicLong();
  private final int port = FreePorts.next();
  private volatile long applied = 20; // of this node's copy
  private volatile Optional<String> leader = Optional.of("a");
  private volatile NodeProtection aSays = NodeProtection.NONE;
  private volatile NodeProtection bSays = NodeProtection.NONE;
  private PeerTransport transport;
  private Membership membership;
  private ClusterStatus status;
  private Peer b;
  private Peer c;
  private ClusterState cluster;

  ClusterStatusTest() throws IOException {} // for the port

  @BeforeEach
  void start() throws IOException {
    transport = listen("a", port);
    membership = new Membership("a", transport, scheduler, System::nanoTime, () -> 0);
    status =
        new ClusterStatus(
            "h:1", membership, () -> "nobody", LogLimits.DEFAULT, () -> aSays, nanos::get);
    b = new Peer("b", Set.of("a", "c"));
    c = new Peer("c", Set.of("a", "b"));
    transport.locate("b", at(b.port));
    transport.locate("c", at(c.port));
    List<Replica> replicas = List.of(new Replica("a", 1, true), new Replica("b", 1, true));
    cluster =
        new ClusterState(
            ClusterState.FORMAT,
            CLUSTER,
            1,
            2,
            3,
            List.of(member("a", 1, port), member("b", 2, b.port), member("c", 3, c.port)),
            List.of(new Placement(0, 0, 16_383, replicas, new Replica("c", 1, true))));
    membership.start(() -> cluster, () -> report("a", Set.of(), applied));
    scheduler.scheduleWithFixedDelay(this::peersReport, 0, 100, TimeUnit.MILLISECONDS);
    awaitStatus("all is well", now -> now.path("healthy").asBoolean());
  }

  @AfterEach
  void stop() {
    scheduler.shutdownNow();
    b.transport.close();
    c.transport.close();
    transport.close();
  }

  @Test
  void aNodeThatDoesNotAnswerIsNotUpThoughItIsHeard() {
    assertThat(canLose(now())).isEqualTo(1);
    assertThat(membership.mayLead(cluster.partitions().get(0), "b")).isTrue();
    b.answers = false;
    JsonNode told =
        awaitStatus("b is not reached", now -> !node(now, 1).path("reached").asBoolean());
    assertThat(node(told, 1).path("up").asBoolean()).isFalse();
    assertThat(node(told, 1).path("heard").asBoolean()).isTrue();
    assertThat(canLose(told)).isZero();
    assertThat(problems(told)).containsExactly("node-unreached h:2 pending");
    assertThat(membership.mayLead(cluster.partitions().get(0), "b")).isFalse();

    nanos.addAndGet(Problems.SET_AFTER_NANOS);
    assertThat(problems(now())).containsExactly("node-unreached h:2 set");
    assertThat(status.problemSeconds()).containsEntry(ProblemKind.NODE_UNREACHED, 5.0);
    b.answers = true;
    awaitStatus("it clears", now -> problems(now).equals(List.of("node-unreached h:2 clearing")));
    nanos.addAndGet(Problems.CLEAR_AFTER_NANOS);
    awaitStatus("all is well", now -> now.path("healthy").asBoolean());
  }

  @Test
  void nodesThatDoNotReachEachOtherAreNoMajorityTogether() {
    b.reaches = Set.of("a");
    JsonNode told = awaitStatus("b does not reach c", now -> !now.path("healthy").asBoolean());
    assertThat(problems(told)).containsExactly("node-unreached h:3 pending");
    assertThat(told.at("/problems/0/text").asText()).contains("h:2", "127.0.0.1:" + c.port);
    assertThat(canLose(told)).as("of b and c, neither could lead with the other").isZero();
    assertThat(membership.mayLead(cluster.partitions().get(0), "b")).as("with this node").isTrue();
  }

  @Test
  void aNodeAtWhoseAddressAnotherAnswersIsNotReached() {
    b.answersAs = "c";
    awaitStatus("b is not reached", now -> !node(now, 1).path("reached").asBoolean());
  }

  @Test
  void aCopyCountsUntilWhatItLacksIsFiveSecondsOld() {
    applied = 61;
    JsonNode young =
        awaitStatus("b lags", now -> now.at("/partitionList/0/replicas/1/lag").asInt() == 41);
    assertThat(young.at("/partitionList/0/replicas/1/counts").asBoolean()).isTrue();
    assertThat(canLose(young)).isEqualTo(1);

    nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(500));
    now();
    nanos.addAndGet(CopyProgress.LACKS_MAX_NANOS);
    JsonNode old = now();
    assertThat(old.at("/partitionList/0/replicas/1/up").asBoolean()).isTrue();
    assertThat(old.at("/partitionList/0/replicas/1/counts").asBoolean()).isFalse();
    assertThat(canLose(old)).isZero();
    assertThat(problems(old)).contains("copy-behind h:2 set");

    b.applied = 61;
    nanos.addAndGet(1);
    awaitStatus("b counts", now -> now.at("/partitionList/0/replicas/1/counts").asBoolean());
  }

  @Test
  void withoutAMajorityTheDeadComeFirstAndNoElectionIsUnderWay() {
    leader = Optional.empty();
    assertThat(problems(now())).containsExactly("no-leader  pending");
    assertThat(now().at("/problems/0/text").asText()).contains("an election is under way");
    b.lives = false;
    c.lives = false;
    JsonNode told =
        awaitStatus(
            "both are down, and nothing else is said",
            now ->
                problems(now).stream()
                    .map(problem -> problem.substring(0, problem.lastIndexOf(' ')))
                    .toList()
                    .equals(List.of("node-down h:2", "node-down h:3", "no-majority ")));
    assertThat(told.toString()).doesNotContain("election");
  }

  /** Whoever is asked tells how each node that is up is protected. */
  @Test
  void howANodeIsProtectedAllOthersTell() {
    assertThat(now().has("notProtected")).isFalse();
    aSays =
        new NodeProtection(
            Optional.of("open"), OptionalLong.of(90), List.of(), NodeProtection.Watch.GOOD);
    bSays =
        new NodeProtection(
            Optional.of("its peer port lets everybody in"),
            OptionalLong.of(3),
            List.of("the certificate of its client ports"),
            new NodeProtection.Watch(4_000, true));
    JsonNode told =
        awaitStatus(
            "b's report came", status -> problems(status).toString().contains("audit-lost"));
    assertThat(problems(told).toString())
        .contains(
            "certificate-expires h:2",
            "certificate-unreadable h:2",
            "rights-old h:2",
            "audit-lost h:2");
    assertThat(told.path("notProtected").asText())
        .isEqualTo("h:1: open; h:2: its peer port lets everybody in");
    assertThat(told.path("certificateDays").asInt()).isEqualTo(3);
  }

  @Test
  void fewerNodesThanCopiesSayWhatToType() {
    Findings findings = new Findings();
    findings.ofSettings(
        new ClusterState(
            ClusterState.FORMAT,
            CLUSTER,
            1,
            2,
            1,
            List.of(member("a", 1, port)),
            cluster.partitions()));
    assertThat(findings.all(1, 0))
        .singleElement()
        .extracting(Finding::text)
        .asString()
        .startsWith("There is 1 node for 2 copies")
        .contains("--replication-factor 1", "at least 2 nodes");
  }

  @Test
  void numbersAreSummedUp() {
    assertThat(Findings.ranges(List.of(3))).isEqualTo("3");
    assertThat(Findings.ranges(List.of(0, 1))).isEqualTo("0, 1");
    assertThat(Findings.ranges(List.of(0, 1, 2, 5, 7, 8, 9))).isEqualTo("0 to 2, 5, 7 to 9");
  }

  // ---- what is played ----

  private final class Peer {
    private final String id;
    private final int port = FreePorts.next();
    private final PeerTransport transport;
    private volatile boolean lives = true;
    private volatile boolean answers = true;
    private volatile String answersAs;
    private volatile Set<String> reaches;
    private volatile long applied = 20;

    Peer(String id, Set<String> reaches) throws IOException {
      this.id = id;
      this.answersAs = id;
      this.reaches = reaches;
      transport = listen(id, port);
      transport.locate("a", at(ClusterStatusTest.this.port));
      transport.handle(
          PeerMessageKind.REPORT,
          (body, answer) -> {
            if (lives && answers) {
              answer.accept(Reports.answerOf(answersAs));
            }
          });
    }

    void report() {
      if (lives) {
        transport.send(
            Traffic.CONTROL,
            "a",
            PeerMessageKind.REPORT,
            0,
            Reports.bytes(ClusterStatusTest.this.report(id, reaches, applied)),
            1_000,
            answer -> {});
      }
    }
  }

  private static PeerTransport listen(String id, int port) throws IOException {
    return PeerTransport.listen(
        "127.0.0.1", port, new PeerRun(id, 1, "run"), PeerTls.off(), TestLoops.SHARED);
  }

  private static PeerAddress at(int port) {
    return new PeerAddress("127.0.0.1", port);
  }

  private void peersReport() {
    b.report();
    c.report();
  }

  private static Member member(String id, int clientPort, int peerPort) {
    return new Member(id, "h:" + clientPort, "h", clientPort, 0, "127.0.0.1", peerPort, 1, 1);
  }

  private NodeReport report(String id, Set<String> reaches, long applied) {
    NodeReport.Status does = id.equals("a") ? NodeReport.Status.LEADS : NodeReport.Status.FOLLOWS;
    long index = id.equals("c") ? Long.MAX_VALUE : applied; // the witness lacks nothing
    return new NodeReport(
        CLUSTER,
        id,
        "v",
        new NodeReport.Known(1, 0, id.equals("b") ? bSays : NodeProtection.NONE),
        0,
        false,
        new Announced("h", 1, 0),
        NodeReport.Room.ENOUGH,
        NodeReport.Figures.NONE,
        reaches,
        List.of(
            new NodeReport.PartitionReport(
                0, 1, does, 1, id.equals("c") ? 0 : applied, 0, index, 0, false)));
  }

  private JsonNode now() {
    try {
      return JSON.readTree(status.document(cluster, partition -> leader));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private JsonNode awaitStatus(String what, Predicate<JsonNode> condition) {
    return await(what)
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(20))
        .until(this::now, condition);
  }

  private static JsonNode node(JsonNode status, int index) {
    return status.at("/nodes/" + index);
  }

  private static int canLose(JsonNode status) {
    return status.at("/partitionList/0/canLose").asInt();
  }

  private static List<String> problems(JsonNode status) {
    return java.util.stream.StreamSupport.stream(status.path("problems").spliterator(), false)
        .map(
            one ->
                one.path("name").asText()
                    + " "
                    + one.path("subject").asText()
                    + " "
                    + one.path("state").asText())
        .toList();
  }
}

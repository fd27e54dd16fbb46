// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.FreePorts;
import dev.cairn.server.cluster.NodeReport.PartitionReport;
import dev.cairn.server.cluster.NodeReport.Status;
import dev.cairn.server.peer.Answer;
import dev.cairn.server.peer.LocalPeers;
import dev.cairn.server.peer.PeerAddress;
import dev.cairn.server.peer.PeerTransport;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class MembershipTest {
  private static final String CLUSTER = "c";

  /** As docs/reference/formats.md has it; the last one is the traffic. */
  private static final int GREETING_BYTES = 7;

  private static final int PATIENCE_MILLIS = 10_000;

  private final ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
  private int port;
  private PeerTransport transport;
  private Membership membership;

  @BeforeEach
  void listen() throws IOException {
    port = FreePorts.next();
    transport = LocalPeers.listen(port);
    membership = new Membership("self", transport, scheduler, System::nanoTime, () -> 0);
  }

  @AfterEach
  void close() {
    scheduler.shutdownNow();
    transport.close();
  }

  @Test
  void whoReportsOpensItsConnectionsForMessagesOfTheGroupsToo() throws IOException {
    try (ServerSocket peer = new ServerSocket(0, 8, InetAddress.getLoopbackAddress())) {
      peer.setSoTimeout(PATIENCE_MILLIS);
      transport.locate("peer", new PeerAddress("127.0.0.1", peer.getLocalPort()));
      membership.start(() -> cluster(1, peer.getLocalPort()), () -> report("self", 1, List.of()));
      try (Socket control = peer.accept();
          Socket data = peer.accept()) {
        assertThat(greeting(data)).isNotEqualTo(greeting(control)); // not the first one, retried
      }
    }
  }

  private static byte[] greeting(Socket connection) throws IOException {
    connection.setSoTimeout(PATIENCE_MILLIS);
    return connection.getInputStream().readNBytes(GREETING_BYTES);
  }

  @Test
  void leaderThatHasNotTakenOnThePlacementDoesNotSayWhoVotes() throws IOException {
    ClusterState placed = cluster(7, FreePorts.next());
    Placement placement = placed.partitions().get(0);
    membership.start(() -> placed, () -> report("self", 7, List.of()));

    assertThat(membership.votersChange(placement, "peer", 7)).isTrue();
    receive(report("peer", 6, List.of(partition(Status.LEADS, false))));
    assertThat(membership.votersChange(placement, "peer", 7)).isTrue();
    receive(report("peer", 7, List.of(partition(Status.FOLLOWS, false))));
    assertThat(membership.votersChange(placement, "peer", 7)).isTrue();
    receive(report("peer", 7, List.of(partition(Status.LEADS, true))));
    assertThat(membership.votersChange(placement, "peer", 7)).isTrue();
    receive(report("peer", 7, List.of(partition(Status.LEADS, false))));
    assertThat(membership.votersChange(placement, "peer", 7)).isFalse();
  }

  /** As if that node had sent it; again when it could not, as a node does. */
  private void receive(NodeReport report) throws IOException {
    try (PeerTransport peer = LocalPeers.listen(FreePorts.next())) {
      Answer answer = send(peer, report);
      for (int tries = 1; tries < 5 && answer instanceof Answer.NotSent; tries++) {
        answer = send(peer, report);
      }
      assertThat(answer).isInstanceOf(Answer.Received.class);
    }
    assertThat(membership.report(report.nodeId())).contains(report);
  }

  private Answer send(PeerTransport peer, NodeReport report) {
    CompletableFuture<Answer> answered = new CompletableFuture<>();
    peer.send(
        LocalPeers.at(peer, port),
        PeerMessageKind.REPORT,
        0,
        report.encode(),
        PATIENCE_MILLIS,
        answered::complete);
    return answered.join();
  }

  private static ClusterState cluster(long epoch, int peerPort) {
    List<Replica> replicas = List.of(new Replica("peer", 1, true), new Replica("self", 1, true));
    return new ClusterState(
        ClusterState.FORMAT,
        CLUSTER,
        epoch,
        2,
        1,
        List.of(member("self", 1), member("peer", peerPort)),
        List.of(new Placement(0, 0, 16_383, replicas, null)));
  }

  private static Member member(String id, int peerPort) {
    return new Member(id, id, "127.0.0.1", 1, 0, "127.0.0.1", peerPort, 1, 1);
  }

  private static NodeReport report(String id, long epoch, List<PartitionReport> partitions) {
    return report(id, epoch, Set.of(), partitions);
  }

  private static NodeReport report(
      String id, long epoch, Set<String> reaches, List<PartitionReport> partitions) {
    return new NodeReport(
        CLUSTER,
        id,
        "v",
        new NodeReport.Known(epoch, 0, NodeProtection.NONE),
        0,
        false,
        new Announced("h", 1, 0),
        NodeReport.Room.ENOUGH,
        NodeReport.Figures.NONE,
        reaches,
        partitions);
  }

  private static PartitionReport partition(Status status, boolean votersChange) {
    return new PartitionReport(0, 1, status, 1, 0, 0, 0, 0, votersChange);
  }
}

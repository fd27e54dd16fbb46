// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.FreePorts;
import dev.cairn.server.peer.LocalPeers;
import dev.cairn.server.peer.PeerTransport;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Connections that a candidate opens before it takes its group's lock. */
class ReachVotersTest {
  private static final int ACCEPT_WITHIN_MILLIS = 10_000;
  private static final int WARM_WITHIN_MILLIS = 10_000;

  private Peer self;
  private PeerTransport transport;

  @BeforeEach
  void open() throws Exception {
    int port = FreePorts.next();
    self = new Peer(LocalPeers.id(port), 1);
    transport = LocalPeers.listen(port);
    assertThat(transport.awaitConnected(LocalPeers.at(transport, port), WARM_WITHIN_MILLIS))
        .as("a first connection, which loads classes")
        .isTrue();
  }

  @AfterEach
  void close() {
    transport.close();
  }

  @Test
  void aMajorityIsReachedThatWasNotThereYet() throws Exception {
    int port = FreePorts.next();
    Peer alive = peer(port);
    try (PeerTransport other = LocalPeers.listen(port);
        ServerSocket mute = new ServerSocket(0, 64, InetAddress.getLoopbackAddress())) {
      other.handle((byte) 1, (body, answer) -> answer.accept(body));
      reach(alive, peer(mute.getLocalPort()));
      assertThat(transport.isConnected(alive.nodeId())).isTrue();
    }
  }

  @Test
  void whoeverIsNotNeededIsTriedToo() throws Exception {
    int port = FreePorts.next();
    Peer alive = peer(port);
    try (PeerTransport other = LocalPeers.listen(port);
        ServerSocket mute = new ServerSocket(0, 64, InetAddress.getLoopbackAddress())) {
      other.handle((byte) 1, (body, answer) -> answer.accept(body));
      assertThat(transport.awaitConnected(alive.nodeId(), ACCEPT_WITHIN_MILLIS)).isTrue();
      reach(alive, peer(mute.getLocalPort()));
      mute.setSoTimeout(ACCEPT_WITHIN_MILLIS);
      mute.accept().close(); // else it throws
    }
  }

  @Test
  void whoIsInterruptedStaysSo() throws Exception {
    try (ServerSocket mute = new ServerSocket(0, 64, InetAddress.getLoopbackAddress())) {
      Peer one = peer(mute.getLocalPort());
      Thread.currentThread().interrupt();
      reach(one, peer(FreePorts.next()));
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  private Peer peer(int port) {
    return new Peer(LocalPeers.at(transport, port), 1);
  }

  private void reach(Peer... others) {
    JRaftEngine.reachVoters(transport, Set.of(self, others[0], others[1]), self);
  }
}

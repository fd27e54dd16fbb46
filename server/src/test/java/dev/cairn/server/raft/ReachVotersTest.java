// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.FreePorts;
import dev.cairn.server.peer.PeerTransport;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Connections that a candidate opens before it takes its group's lock. */
class ReachVotersTest {
  private static final String LOCAL = "127.0.0.1";
  private static final int ACCEPT_WITHIN_MILLIS = 10_000;
  private static final int WARM_WITHIN_MILLIS = 10_000;

  private Peer self;
  private PeerTransport transport;

  @BeforeEach
  void open() throws Exception {
    self = new Peer(LOCAL, FreePorts.next(), 1);
    transport = PeerTransport.listen(LOCAL, self.port());
    assertThat(transport.awaitConnected(LOCAL, self.port(), WARM_WITHIN_MILLIS))
        .as("a first connection, which loads classes")
        .isTrue();
  }

  @AfterEach
  void close() {
    transport.close();
  }

  @Test
  void aMajorityIsReachedThatWasNotThereYet() throws Exception {
    Peer alive = new Peer(LOCAL, FreePorts.next(), 1);
    try (PeerTransport other = PeerTransport.listen(LOCAL, alive.port());
        ServerSocket mute = new ServerSocket(0, 64, InetAddress.getLoopbackAddress())) {
      other.handle((byte) 1, (body, answer) -> answer.accept(body));
      reach(alive, new Peer(LOCAL, mute.getLocalPort(), 1));
      assertThat(transport.isConnected(LOCAL, alive.port())).isTrue();
    }
  }

  @Test
  void whoeverIsNotNeededIsTriedToo() throws Exception {
    Peer alive = new Peer(LOCAL, FreePorts.next(), 1);
    try (PeerTransport other = PeerTransport.listen(LOCAL, alive.port());
        ServerSocket mute = new ServerSocket(0, 64, InetAddress.getLoopbackAddress())) {
      other.handle((byte) 1, (body, answer) -> answer.accept(body));
      assertThat(transport.awaitConnected(LOCAL, alive.port(), ACCEPT_WITHIN_MILLIS)).isTrue();
      reach(alive, new Peer(LOCAL, mute.getLocalPort(), 1));
      mute.setSoTimeout(ACCEPT_WITHIN_MILLIS);
      mute.accept().close(); // else it throws
    }
  }

  @Test
  void whoIsInterruptedStaysSo() throws Exception {
    try (ServerSocket mute = new ServerSocket(0, 64, InetAddress.getLoopbackAddress())) {
      Peer one = new Peer(LOCAL, mute.getLocalPort(), 1);
      Thread.currentThread().interrupt();
      reach(one, new Peer(LOCAL, FreePorts.next(), 1));
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  private void reach(Peer... others) {
    RaftEngine.reachVoters(transport, Set.of(self, others[0], others[1]), self);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.alipay.sofa.jraft.error.RemotingException;
import com.alipay.sofa.jraft.rpc.RpcClient;
import com.alipay.sofa.jraft.rpc.RpcRequests.PingRequest;
import dev.cairn.server.FreePorts;
import dev.cairn.server.peer.LocalPeers;
import dev.cairn.server.peer.PeerTransport;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The engine's question whether a peer is there, which it asks under a group's lock. */
class RaftRpcTest {
  private static final int WAIT_MILLIS = 5_000;

  private PeerTransport transport;
  private RpcClient client;

  @BeforeEach
  void open() throws IOException {
    transport = LocalPeers.listen(FreePorts.next());
    JRaftEngine.GroupOptions options =
        new JRaftEngine.GroupOptions(
            transport, new WitnessPace(System::nanoTime, transport::after));
    RaftRpc rpc = new RaftRpc();
    client = rpc.createRpcClient(rpc.defaultJRaftClientConfigHelper(options));
  }

  @AfterEach
  void close() {
    transport.close();
  }

  private boolean isThere(int port) throws InterruptedException {
    PingRequest ping = PingRequest.newBuilder().setSendTimestamp(1).build();
    try {
      return client.invokeSync(Peer.endpoint(LocalPeers.at(transport, port)), ping, WAIT_MILLIS)
          != null;
    } catch (RemotingException notInTime) {
      return false;
    }
  }

  /** Whoever waits while he is interrupted is told so. */
  @Test
  void aPeerThatHasFailedIsNotWaitedFor() throws Exception {
    try (ServerSocket mute = new ServerSocket(0, 64, InetAddress.getLoopbackAddress())) {
      int port = mute.getLocalPort();
      assertThat(transport.awaitConnected(LocalPeers.at(transport, port), 100)).isFalse();
      await().until(() -> transport.isFailing(LocalPeers.at(transport, port)));
      for (int i = 0; i < 100; i++) { // with an attempt under way, and without
        Thread.currentThread().interrupt();
        assertThat(isThere(port)).isFalse();
        assertThat(Thread.interrupted()).as("it did not wait").isTrue();
        Thread.sleep(10);
      }
    }
  }

  @Test
  void aPeerThatNobodyHasTriedIsWaitedFor() throws Exception {
    int port = FreePorts.next();
    try (PeerTransport peer = LocalPeers.listen(port)) {
      peer.handle((byte) 1, (body, answer) -> answer.accept(body));
      assertThat(isThere(port)).isTrue();
    }
  }

  @Test
  void aPeerThatIsBackIsThereAfterAMoment() throws Exception {
    int port = FreePorts.next();
    assertThat(isThere(port)).isFalse();
    try (PeerTransport peer = LocalPeers.listen(port)) {
      peer.handle((byte) 1, (body, answer) -> answer.accept(body));
      await().until(() -> isThere(port));
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.cairn.testkit.network.PeerNetwork.Door;
import dev.cairn.testkit.network.PeerNetwork.Link;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Node 0 is this process, behind it stands a server; node 1 is this process too, as the sender. */
class PeerNetworkTest {
  private static final int SENDER = 1;
  private static final int TARGET = 0;

  private ServerSocket server;
  private InetSocketAddress door;
  private PeerNetwork network;

  @BeforeEach
  void open() throws IOException {
    server = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
    door = new InetSocketAddress("127.0.0.11", server.getLocalPort());
    network =
        new PeerNetwork(
            2,
            List.of(
                new Door(
                    TARGET, door, new InetSocketAddress("127.0.0.1", server.getLocalPort()), true)),
            () -> List.of(-1L, ProcessHandle.current().pid()));
  }

  @AfterEach
  void close() throws IOException {
    network.close();
    server.close();
  }

  /** Opened when the network has seen that the server listens. */
  private Socket connect() {
    return await("the door to open")
        .ignoreExceptions()
        .until(() -> new Socket(door.getAddress(), door.getPort()), Socket::isConnected);
  }

  /**
   * The connection at the server's side; what the network opened to see whether it listens ends.
   */
  private Socket accept(Socket client) throws IOException {
    client.getOutputStream().write('!');
    while (true) {
      Socket accepted = server.accept();
      if (first(accepted) == '!') {
        accepted.setSoTimeout(200);
        return accepted;
      }
      accepted.close();
    }
  }

  private static int first(Socket socket) throws IOException {
    try {
      return socket.getInputStream().read();
    } catch (SocketException reset) {
      return -1;
    }
  }

  @Test
  void whatIsSentPassesBothWays() throws IOException {
    try (Socket client = connect();
        Socket accepted = accept(client)) {
      client.getOutputStream().write(7);
      assertThat(accepted.getInputStream().read()).isEqualTo(7);
      accepted.getOutputStream().write(8);
      assertThat(client.getInputStream().read()).isEqualTo(8);
      client.shutdownOutput();
      assertThat(accepted.getInputStream().read()).isEqualTo(-1);
    }
  }

  @Test
  void aHeldLinkPassesNothingUntilItPassesAgainAndTheOtherWayGoesOn() throws IOException {
    try (Socket client = connect();
        Socket accepted = accept(client)) {
      network.set(SENDER, TARGET, Link.HOLD);
      client.getOutputStream().write(7);
      accepted.getOutputStream().write(8);
      assertThat(client.getInputStream().read()).isEqualTo(8);
      assertThatThrownBy(() -> accepted.getInputStream().read())
          .isInstanceOf(SocketTimeoutException.class);
      network.heal();
      accepted.setSoTimeout(10_000);
      assertThat(accepted.getInputStream().read()).isEqualTo(7);
    }
  }

  @Test
  void aCutLinkResetsWhatIsOpenAndWhatIsOpenedAndOneThatPassesAgainDoesNot() throws IOException {
    try (Socket client = connect();
        Socket accepted = accept(client)) {
      accepted.setSoTimeout(10_000);
      network.setBoth(SENDER, TARGET, Link.CUT);
      assertThat(ended(client)).isTrue();
      assertThat(ended(accepted)).isTrue();
    }
    try (Socket refused = connect()) {
      assertThat(ended(refused)).isTrue();
    }
    network.heal();
    whatIsSentPassesBothWays();
  }

  @Test
  void aBlockedNodeEndsWhatOthersOpenedAndRefusesWhatTheyOpen() throws IOException {
    try (Socket client = connect();
        Socket accepted = accept(client)) {
      accepted.setSoTimeout(10_000);
      network.block(TARGET);
      assertThat(ended(client)).isTrue();
      assertThat(ended(accepted)).isTrue();
    }
    await("the door to shut")
        .until(
            () -> {
              try (Socket socket = new Socket(door.getAddress(), door.getPort())) {
                return !socket.isConnected();
              } catch (java.net.ConnectException refused) {
                return true;
              }
            });
    network.heal();
    whatIsSentPassesBothWays();
  }

  private static boolean ended(Socket socket) throws IOException {
    return first(socket) < 0;
  }

  @Test
  void aDelayedLinkIsLateAndKeepsTheOrder() throws IOException {
    try (Socket client = connect();
        Socket accepted = accept(client)) {
      accepted.setSoTimeout(10_000);
      network.set(SENDER, TARGET, new Link.Delay(TimeUnit.MILLISECONDS.toNanos(300)));
      long sent = System.nanoTime();
      client.getOutputStream().write(new byte[] {1, 2, 3});
      assertThat(accepted.getInputStream().readNBytes(3)).containsExactly(1, 2, 3);
      assertThat(Duration.ofNanos(System.nanoTime() - sent))
          .isGreaterThanOrEqualTo(Duration.ofMillis(300));
    }
  }

  @Test
  void aConnectionOfNobodyKnownObeysNoLink() throws IOException {
    network.close();
    network =
        new PeerNetwork(
            2,
            List.of(
                new Door(
                    TARGET, door, new InetSocketAddress("127.0.0.1", server.getLocalPort()), true)),
            () -> List.of(-1L, -1L));
    network.setBoth(SENDER, TARGET, Link.CUT);
    whatIsSentPassesBothWays();
  }

  @Test
  void theDoorIsShutWhileNobodyListensBehindIt() throws IOException {
    connect().close();
    int port = server.getLocalPort();
    server.close();
    await("the door to shut")
        .until(
            () -> {
              try (Socket socket = new Socket(door.getAddress(), door.getPort())) {
                socket.getInputStream().read();
                return false;
              } catch (java.net.ConnectException refused) {
                return true;
              } catch (SocketException reset) {
                return false;
              }
            });
    server = new ServerSocket(port, 50, InetAddress.getByName("127.0.0.1"));
    whatIsSentPassesBothWays();
  }

  @Test
  void aMebibyteArrivesAsItWasSent() throws Exception {
    byte[] sent = new byte[1 << 20];
    new java.util.Random(1).nextBytes(sent);
    try (Socket client = connect();
        Socket accepted = accept(client)) {
      accepted.setSoTimeout(10_000);
      Thread sender =
          new Thread(
              () -> {
                try {
                  client.getOutputStream().write(sent);
                } catch (IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              });
      sender.start();
      assertThat(accepted.getInputStream().readNBytes(sent.length)).isEqualTo(sent);
      sender.join();
    }
    assertThat(network.bytes()).isGreaterThan(sent.length);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.server.FreePorts;
import dev.cairn.server.TestLoops;
import dev.cairn.server.tls.CertificateWriter;
import dev.cairn.server.tls.IdentityFiles;
import dev.cairn.server.tls.PeerTls;
import dev.cairn.server.tls.TestCertificates;
import dev.cairn.server.tls.TlsMode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who is let in at the peer port, and who is not. */
class PeerTlsTest {
  private static final byte KIND = 77;
  private static final long FOR_LONG = 5_000;
  private static final long FOR_A_REFUSAL = 1_500;
  private static final String SECRET = "a secret of more than 16 bytes";

  @TempDir Path folder;
  private final List<PeerTransport> open = new ArrayList<>();
  private final AtomicInteger handled = new AtomicInteger();

  @AfterEach
  void close() {
    open.forEach(PeerTransport::close);
  }

  private PeerTls certificates(TlsMode mode, TestCertificates ca, IdentityFiles own)
      throws Exception {
    return PeerTls.certificates(
        mode, own, new PeerTls.Authorities(ca.ca(), Optional.empty(), Optional.empty()));
  }

  private PeerTls secret(TlsMode mode, String text) throws Exception {
    Path file = folder.resolve("secret-" + text.length());
    return PeerTls.secret(mode, TestCertificates.writePrivate(file, text));
  }

  private record Ends(PeerTransport from, PeerTransport to, int port) {}

  private Ends between(PeerTls from, PeerTls to) throws IOException {
    int port = FreePorts.next();
    int own = FreePorts.next();
    PeerTransport accepting =
        PeerTransport.listen(
            "127.0.0.1", port, new PeerRun(LocalPeers.id(port), 1, "run"), to, TestLoops.SHARED);
    open.add(accepting);
    accepting.handle(
        KIND,
        (body, answer) -> {
          handled.incrementAndGet();
          answer.accept(body);
        });
    PeerTransport connecting =
        PeerTransport.listen(
            "127.0.0.1", own, new PeerRun(LocalPeers.id(own), 1, "run"), from, TestLoops.SHARED);
    open.add(connecting);
    return new Ends(connecting, accepting, port);
  }

  private static Answer ask(Ends ends, long timeoutMillis) throws Exception {
    CompletableFuture<Answer> answer = new CompletableFuture<>();
    ends.from()
        .send(
            LocalPeers.at(ends.from(), ends.port()),
            KIND,
            0,
            new byte[] {1, 2, 3},
            timeoutMillis,
            answer::complete);
    return answer.get(20, TimeUnit.SECONDS);
  }

  private void agree(PeerTls one, PeerTls other) throws Exception {
    Ends ends = between(one, other);
    assertThat(ask(ends, FOR_LONG)).isInstanceOf(Answer.Received.class);
    String to = LocalPeers.at(ends.from(), ends.port());
    Awaitility.await().until(() -> ends.from().isConnected(to));
  }

  private Answer.NotSent refused(PeerTls from, PeerTls to) throws Exception {
    Ends ends = between(from, to);
    handled.set(0);
    Answer answer = ask(ends, FOR_A_REFUSAL);
    assertThat(answer).isInstanceOf(Answer.NotSent.class);
    assertThat(handled).hasValue(0);
    assertThat(ends.to().messagesReceived()).isZero();
    assertThat(ends.from().isConnected(LocalPeers.id(ends.port()))).isFalse();
    return (Answer.NotSent) answer;
  }

  @Test
  void nodesWithCertificatesOfOneAuthorityAgree() throws Exception {
    TestCertificates ca = new TestCertificates(folder, "peers");
    IdentityFiles shared = ca.node("all");

    agree(
        certificates(TlsMode.REQUIRED, ca, ca.node("n1")),
        certificates(TlsMode.REQUIRED, ca, ca.node("n2")));
    agree(certificates(TlsMode.REQUIRED, ca, shared), certificates(TlsMode.REQUIRED, ca, shared));
  }

  @Test
  void whoseCertificateIsOfAnotherAuthorityOrAClientsOrHasExpiredIsRefused() throws Exception {
    TestCertificates ca = new TestCertificates(folder, "peers");
    TestCertificates other = new TestCertificates(folder, "other");
    PeerTls node = certificates(TlsMode.REQUIRED, ca, ca.node("n1"));
    for (IdentityFiles wrong :
        List.of(
            other.node("n2"),
            ca.client("ada"),
            ca.write(CertificateWriter.Use.NODE, "late", Duration.ofMinutes(-1)))) {
      refused(certificates(TlsMode.REQUIRED, ca, wrong), node);
      refused(node, certificates(TlsMode.REQUIRED, ca, wrong));
    }
    refused(PeerTls.off(), node);
    refused(node, PeerTls.off());
  }

  @Test
  void theNameOfNodesTellsThemFromOthersOfTheirAuthority() throws Exception {
    TestCertificates ca = new TestCertificates(folder, "one");
    PeerTls.Authorities named =
        new PeerTls.Authorities(ca.ca(), Optional.of("cairn-node"), Optional.of(ca.ca()));
    PeerTls node = PeerTls.certificates(TlsMode.REQUIRED, ca.node("cairn-node"), named);
    PeerTls web = PeerTls.certificates(TlsMode.REQUIRED, ca.node("web"), named);

    agree(node, node);
    refused(web, node);
  }

  @Test
  void nodesThatKnowTheSecretAgree() throws Exception {
    agree(secret(TlsMode.REQUIRED, SECRET), secret(TlsMode.REQUIRED, SECRET + "\n"));
  }

  @Test
  void whoDoesNotKnowTheSecretIsRefused() throws Exception {
    PeerTls node = secret(TlsMode.REQUIRED, SECRET);

    assertThat(refused(secret(TlsMode.REQUIRED, SECRET + "!"), node).reason())
        .contains("--cluster-secret-file");
    refused(PeerTls.off(), node);
    refused(node, PeerTls.off());
    TestCertificates ca = new TestCertificates(folder, "peers");
    refused(certificates(TlsMode.REQUIRED, ca, ca.node("n1")), node);
    refused(node, certificates(TlsMode.REQUIRED, ca, ca.node("n1")));
  }

  @Test
  void aClusterMovesOverNodeByNode() throws Exception {
    TestCertificates ca = new TestCertificates(folder, "peers");
    for (boolean bySecret : new boolean[] {true, false}) {
      PeerTls optional =
          bySecret
              ? secret(TlsMode.OPTIONAL, SECRET)
              : certificates(TlsMode.OPTIONAL, ca, ca.node("n1"));
      PeerTls required =
          bySecret
              ? secret(TlsMode.REQUIRED, SECRET)
              : certificates(TlsMode.REQUIRED, ca, ca.node("n2"));
      agree(optional, PeerTls.off());
      agree(PeerTls.off(), optional);
      agree(optional, optional);
      agree(optional, required);
      agree(required, optional);
    }
  }

  /** A client of the cluster knows the CA of the nodes, and has a certificate of its own. */
  @Test
  void aClientsCertificateGetsNoByteOfThePeerPort() throws Exception {
    TestCertificates ca = new TestCertificates(folder, "peers");
    Ends ends = between(PeerTls.off(), certificates(TlsMode.REQUIRED, ca, ca.node("n1")));
    SSLContext context = ca.context(Optional.of(ca.client("ada")));
    for (String version : new String[] {"TLSv1.2", "TLSv1.3"}) {
      try (SSLSocket socket =
          (SSLSocket)
              context
                  .getSocketFactory()
                  .createSocket(InetAddress.getLoopbackAddress(), ends.port())) {
        socket.setEnabledProtocols(new String[] {version});
        socket.setSoTimeout(10_000);
        assertThat(readToEnd(socket)).isZero();
      }
    }
  }

  private static int readToEnd(Socket socket) {
    try {
      socket
          .getOutputStream()
          .write("CRNP12345678".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
      return socket.getInputStream().readAllBytes().length;
    } catch (IOException refused) {
      return 0;
    }
  }

  /** Random bytes, some of them behind the beginning of what is expected. */
  @Test
  void noiseGetsNothingButTheOneLineAndLeavesNothingBehind() throws Exception {
    PeerTls tls = secret(TlsMode.REQUIRED, SECRET);
    Ends ends = between(PeerTls.off(), tls);
    byte[][] beginnings = {
      {},
      {22, 3, 1},
      {22, 3, 3, 0, 50, 1},
      "CRNP".getBytes(java.nio.charset.StandardCharsets.US_ASCII)
    };
    long seed = Long.getLong("cairn.seed", System.nanoTime());
    Random random = new Random(seed);
    for (int i = 0; i < 400; i++) {
      byte[] noise = new byte[random.nextInt(300)];
      random.nextBytes(noise);
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), ends.port())) {
        socket.setSoTimeout(10_000);
        socket.getOutputStream().write(beginnings[i % beginnings.length]);
        socket.getOutputStream().write(noise);
        socket.shutdownOutput();
        byte[] said = socket.getInputStream().readAllBytes();
        assertThat(said.length).as("seed %d, round %d", seed, i).isLessThanOrEqualTo(7);
      } catch (IOException reset) {
        assertThat(reset).as("seed %d, round %d", seed, i).hasMessageContaining("reset");
      }
    }
    assertThat(handled).hasValue(0);
    assertThat(ends.to().connections()).isZero();
    await().until(() -> tls.handshakes().count() == 0);
    agree(tls, tls);
  }
}

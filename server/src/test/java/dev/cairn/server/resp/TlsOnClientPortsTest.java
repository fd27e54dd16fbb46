// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.cairn.server.TestLoops;
import dev.cairn.server.access.AccessControl;
import dev.cairn.server.access.Audit;
import dev.cairn.server.access.LocalRights;
import dev.cairn.server.access.RightsWriter;
import dev.cairn.server.command.ClientState;
import dev.cairn.server.command.CommandTable;
import dev.cairn.server.command.PortKind;
import dev.cairn.server.command.ShutdownBy;
import dev.cairn.server.command.SlowLog;
import dev.cairn.server.http.HttpConfig;
import dev.cairn.server.http.HttpFront;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.tls.CertificateWriter;
import dev.cairn.server.tls.ClientCertificates;
import dev.cairn.server.tls.ClientTls;
import dev.cairn.server.tls.IdentityFiles;
import dev.cairn.server.tls.TestCertificates;
import dev.cairn.server.tls.TlsMode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** TLS on a port of clients, with the JDK's own TLS at the other end. */
class TlsOnClientPortsTest {
  private static final String PING = "PING\r\n";

  @TempDir Path folder;
  private TestCertificates nodes;
  private TestCertificates users;
  private IdentityFiles own;
  private final List<AutoCloseable> open = new ArrayList<>();
  private final List<Audit.Event> events = new CopyOnWriteArrayList<>();

  @BeforeEach
  void write() throws Exception {
    nodes = new TestCertificates(folder, "nodes");
    users = new TestCertificates(folder, "users");
    own = nodes.node("n1");
  }

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable each : open) {
      each.close();
    }
  }

  private RespServer start(ClientTls tls) throws IOException {
    return start(tls, AccessControl.open(CommandTable.catalog()));
  }

  private RespServer start(ClientTls tls, AccessControl access) throws IOException {
    FakeRouter router = new FakeRouter(3, Runnable::run);
    Metrics metrics = new Metrics();
    HttpFront http =
        new HttpFront(
            new HttpConfig(Set.of(), 1 << 20, ClientState.Defaults.QUORUM, new SlowLog(), access),
            router,
            metrics,
            Optional::empty);
    open.add(http);
    FrontConfig config =
        FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED)
            .with(
                new FrontConfig.Rules(
                    ClientState.Defaults.QUORUM, new SlowLog(), ShutdownBy.NO, tls, access));
    RespServer server =
        RespServer.start(config, router, PortKind.CLIENT, metrics, Optional.of(http), () -> {});
    open.add(server);
    return server;
  }

  private RespServer start(TlsMode mode, ClientCertificates clients) throws Exception {
    return start(
        ClientTls.of(
            mode,
            own,
            clients,
            clients == ClientCertificates.NONE ? Optional.empty() : Optional.of(users.ca())));
  }

  private Socket plain(RespServer server) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
    socket.setSoTimeout(10_000);
    open.add(socket);
    return socket;
  }

  private Socket secured(RespServer server, SSLContext context, String... versions)
      throws IOException {
    SSLSocket socket =
        (SSLSocket)
            context
                .getSocketFactory()
                .createSocket(InetAddress.getLoopbackAddress(), server.port());
    socket.setSoTimeout(10_000);
    if (versions.length > 0) {
      socket.setEnabledProtocols(versions);
    }
    open.add(socket);
    return socket;
  }

  private Socket secured(RespServer server) throws Exception {
    return secured(server, nodes.context(Optional.empty()));
  }

  private static String answer(Socket socket, String request) throws IOException {
    socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
    byte[] bytes = new byte[4096];
    int length = socket.getInputStream().read(bytes);
    return length < 0 ? "" : new String(bytes, 0, length, StandardCharsets.US_ASCII);
  }

  @Test
  void bothVersionsAreSpokenAndNoOlderOne() throws Exception {
    RespServer server = start(TlsMode.REQUIRED, ClientCertificates.NONE);
    SSLContext context = nodes.context(Optional.empty());
    for (String version : new String[] {"TLSv1.3", "TLSv1.2"}) {
      assertThat(answer(secured(server, context, version), PING)).isEqualTo("+PONG\r\n");
    }
    assertThatThrownBy(() -> answer(secured(server, context, "TLSv1.1"), PING))
        .isInstanceOf(SSLException.class);
  }

  @Test
  void whoSpeaksNoTlsIsToldSoInOneLine() throws Exception {
    RespServer server = start(TlsMode.REQUIRED, ClientCertificates.NONE);
    Socket redis = plain(server);
    assertThat(answer(redis, "*1\r\n$4\r\nPING\r\n"))
        .isEqualTo(
            "-ERR this port takes TLS only: connect with --tls (redis-cli, ./cairn), rediss:// or"
                + " https://\r\n");
    assertThat(redis.getInputStream().read()).isEqualTo(-1);
    assertThat(answer(plain(server), "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        .startsWith("HTTP/1.1 400 ")
        .contains("this port takes TLS only");
  }

  @Test
  void oneTakesBothAndSaysWhoSpeaksWhat() throws Exception {
    RespServer server = start(TlsMode.OPTIONAL, ClientCertificates.NONE);
    assertThat(answer(plain(server), PING)).isEqualTo("+PONG\r\n");
    assertThat(answer(secured(server), PING)).isEqualTo("+PONG\r\n");
    Socket byBytes = plain(server);
    byBytes.getOutputStream().write('P');
    assertThat(answer(byBytes, "ING\r\n")).isEqualTo("+PONG\r\n");
  }

  @Test
  void aClientThatSaysAllAndClosesItsSideIsAnswered() throws Exception {
    RespServer server = start(TlsMode.REQUIRED, ClientCertificates.NONE);
    Socket socket = secured(server);
    socket.getOutputStream().write((PING + PING).getBytes(StandardCharsets.US_ASCII));
    socket.shutdownOutput();
    assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
        .isEqualTo("+PONG\r\n+PONG\r\n");
  }

  @Test
  void clientsShowACertificateOfTheirCaThatIsGoodNow() throws Exception {
    ClientTls tls =
        ClientTls.of(TlsMode.REQUIRED, own, ClientCertificates.REQUIRED, Optional.of(users.ca()));
    RespServer server = start(tls);
    assertThat(answer(secured(server, nodes.context(Optional.of(users.client("ada")))), PING))
        .isEqualTo("+PONG\r\n");
    IdentityFiles expired =
        users.write(CertificateWriter.Use.CLIENT, "late", Duration.ofMinutes(-1));
    for (Optional<IdentityFiles> wrong :
        List.of(
            Optional.<IdentityFiles>empty(),
            Optional.of(nodes.client("stranger")),
            Optional.of(expired))) {
      assertThatThrownBy(() -> answer(secured(server, nodes.context(wrong)), PING))
          .as("%s", wrong)
          .isInstanceOf(IOException.class);
    }
    await().until(() -> tls.handshakes().failed() == 3);
    assertThat(tls.handshakes().succeeded()).isEqualTo(1);
  }

  /** On one port Redis' protocol and HTTP: without a login, and no longer than the user holds. */
  @Test
  void aCertificateIsTheUserOfItsName() throws Exception {
    AccessControl access =
        LocalRights.of(CommandTable.catalog(), new AccessControl.Rules(0, 0, true), events::add);
    open.add(access);
    change(access, "default", "#" + "0".repeat(64));
    change(access, "ada", "on", "~*", "+@all");
    RespServer server =
        start(
            ClientTls.of(
                TlsMode.REQUIRED, own, ClientCertificates.OPTIONAL, Optional.of(users.ca())),
            access);
    Socket ada = secured(server, nodes.context(Optional.of(users.client("ada"))));
    assertThat(answer(ada, "ACL WHOAMI\r\n")).isEqualTo("$3\r\nada\r\n");
    assertThat(answer(ada, "RESET\r\n")).isEqualTo("+RESET\r\n");
    assertThat(answer(ada, "ACL WHOAMI\r\n")).isEqualTo("$3\r\nada\r\n");
    String get = "GET /v1/session HTTP/1.1\r\nHost: localhost\r\n\r\n";
    Socket http = secured(server, nodes.context(Optional.of(users.client("ada"))));
    assertThat(answer(http, get)).startsWith("HTTP/1.1 200 ");
    Socket unknown = secured(server, nodes.context(Optional.of(users.client("bob"))));
    assertThat(answer(unknown, "ACL WHOAMI\r\n")).startsWith("-NOAUTH");
    assertThat(answer(secured(server), "ACL WHOAMI\r\n")).startsWith("-NOAUTH");
    Socket unnamed = secured(server);
    assertThat(answer(unnamed, get)).startsWith("HTTP/1.1 401 ");
    change(access, "ada", "off");
    await().until(() -> ada.getInputStream().read() == -1);
    await().until(() -> http.getInputStream().read() == -1);
    assertThat(events.stream().map(event -> event.outcome() + " " + event.user()))
        .contains("DONE ada", "REFUSED bob");
  }

  private static void change(AccessControl access, String user, String... rules) {
    access.change(
        new RightsWriter.Change.Set(user, List.of(rules)),
        outcome -> assertThat(outcome).isInstanceOf(RightsWriter.Outcome.Applied.class));
  }

  @Test
  void whoAsksForNoneIsStillCheckedWhereOneIsShown() throws Exception {
    RespServer server = start(TlsMode.REQUIRED, ClientCertificates.OPTIONAL);
    assertThat(answer(secured(server), PING)).isEqualTo("+PONG\r\n");
    IdentityFiles expired =
        users.write(CertificateWriter.Use.CLIENT, "late", Duration.ofMinutes(-1));
    SSLContext context = nodes.context(Optional.of(expired));
    assertThatThrownBy(() -> answer(secured(server, context), PING))
        .isInstanceOf(IOException.class);
  }

  @Test
  void manyWhoOnlyConnectDoNotKeepOthersOut() throws Exception {
    ClientTls tls = ClientTls.of(TlsMode.REQUIRED, own, ClientCertificates.NONE, Optional.empty());
    RespServer server = start(tls);
    for (int i = 0; i < 700; i++) {
      plain(server);
    }
    await().until(() -> tls.handshakes().pushedOut() >= 700 - 512);
    assertThat(tls.handshakes().count()).isLessThanOrEqualTo(512);
    assertThat(answer(secured(server), PING)).isEqualTo("+PONG\r\n");
  }

  @Test
  void garbageInPlaceOfAHandshakeEndsTheConnection() throws Exception {
    RespServer server = start(TlsMode.REQUIRED, ClientCertificates.NONE);
    Socket socket = plain(server);
    socket.getOutputStream().write(new byte[] {22, 3, 1, 0, 5, 1, 2, 3, 4, 5, 6, 7, 8});
    socket.getInputStream().readAllBytes(); // an alert, and the end
    assertThat(answer(secured(server), PING)).isEqualTo("+PONG\r\n");
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.TestLoops;
import dev.cairn.server.access.AccessControl;
import dev.cairn.server.command.ClientState;
import dev.cairn.server.command.CommandTable;
import dev.cairn.server.command.PortKind;
import dev.cairn.server.command.SlowLog;
import dev.cairn.server.http.HttpConfig;
import dev.cairn.server.http.HttpFront;
import dev.cairn.server.metrics.Metrics;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Set;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which protocol a connection speaks, and what becomes of HTTP where it does not belong. */
final class OtherProtocolsTest {
  private final FakeRouter router = new FakeRouter(1, Runnable::run);
  private final Metrics metrics = new Metrics();
  private final HttpFront http =
      new HttpFront(
          new HttpConfig(
              Set.of(),
              1 << 20,
              ClientState.Defaults.QUORUM,
              new SlowLog(),
              AccessControl.open(CommandTable.catalog())),
          router,
          metrics,
          Optional::empty);

  @AfterEach
  void close() {
    http.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET / HTTP/1.1",
        "GET / HTTP/1.0",
        "get /a?b=c HTTP/1.1",
        "SET / HTTP/1.1",
        "X-9!#$%&'*+.^_`|~ /a HTTP/1.1",
        "GET http://node:5000/ HTTP/1.1",
        "GET HTTPS://node/ HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "PRI * HTTP/2.0",
        "GET / HTTP/3.7"
      })
  void aRequestLineIsHttp(String line) {
    assertThat(OtherProtocols.isRequestLine(line.getBytes(StandardCharsets.US_ASCII))).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "GET",
        "GET /",
        "GET / HTTP",
        "GET / HTTP/1",
        "GET / HTTP/1.",
        "GET / HTTP/1.10",
        "GET / HTTP/11.0",
        "GET / http/1.1",
        "GET / XHTTP/1.1",
        "GET /HTTP/1.1",
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        " GET / HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET /a b HTTP/1.1",
        "SET k2 HTTP/1.1",
        "SET k / HTTP/1.1",
        "GET ** HTTP/1.1",
        "GET *a HTTP/1.1",
        "GET http:/a HTTP/1.1",
        "GET ftp://a HTTP/1.1",
        "CONNECT node:5000 HTTP/1.1",
        "G(T / HTTP/1.1",
        "/ / HTTP/1.1",
        "/ HTTP/1.1",
        "GET \"/\" HTTP/1.1"
      })
  void anythingElseIsACommand(String line) {
    assertThat(OtherProtocols.isRequestLine(line.getBytes(StandardCharsets.US_ASCII))).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // what a form of a page sends, with one of its lines lost, or a command in front of it
        "PING~POST / HTTP/1.1~Content-Length: 30~~SET k evil~|+PONG~",
        "Host: 127.0.0.1:5000~~SET k evil~|",
        "hOsT:~SET k evil~|",
        "post~SET k evil~|",
        "*1~$4~POST~SET k evil~|",
        "*2~$5~Host:~$1~x~SET k evil~|",
        "SET a 1~PoSt x y z~SET k evil~|+OK~",
        "MULTI~SET k evil~POST /~EXEC~|+OK~+QUEUED~",
        "MULTI~SET k evil~HOST: x~EXEC~|+OK~+QUEUED~",
        "CONNECT node:443 HTTP/1.1~Host: node~SET k evil~|"
            + "-ERR unknown command 'CONNECT', with args beginning with: 'node:443' 'HTTP/1.1' ~",
        // no lines of HTTP
        "HOST x~QUIT~|-ERR unknown command 'HOST', with args beginning with: 'x' ~+OK~",
        "ECHO POST~QUIT~|$4~POST~+OK~",
        "POSTS~QUIT~|-ERR unknown command 'POSTS', with args beginning with: ~+OK~",
      })
  void aLineOfHttpInTheMiddleEndsTheConnection(String request, String answer) throws IOException {
    for (PortKind face : PortKind.values()) {
      try (RespServer server = server(face)) {
        assertThat(exchange(server, request.replace("~", "\r\n")))
            .as(face.name())
            .isEqualTo(answer == null ? "" : answer.replace("~", "\r\n"));
        assertThat(exchange(server, "EXISTS k\r\nQUIT\r\n")).isEqualTo(":0\r\n+OK\r\n");
        Awaitility.await().until(() -> server.requestBytes() == 0);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void thePrefaceOfHttp2EndsTheConnection(PortKind face) throws IOException {
    try (RespServer server = server(face)) {
      String answer =
          exchange(server, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0SET k evil\r\n");

      assertThat(answer).startsWith("HTTP/1.1 ").containsIgnoringCase("Connection: close");
      assertThat(exchange(server, "EXISTS k\r\nQUIT\r\n")).isEqualTo(":0\r\n+OK\r\n");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aValueThatLooksLikeAVersionIsAValue(PortKind face) throws IOException {
    try (RespServer server = server(face)) {
      assertThat(exchange(server, "SET k2 HTTP/1.1\r\nGET k2\r\nQUIT\r\n"))
          .isEqualTo("+OK\r\n$8\r\nHTTP/1.1\r\n+OK\r\n");
    }
  }

  private RespServer server(PortKind face) throws IOException {
    FrontConfig config = FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED);
    return face == PortKind.CLIENT
        ? RespServer.start(config, router, face, metrics, Optional.of(http), () -> {})
        : RespServer.start(config, router, face, metrics, () -> {});
  }

  /** Sends, and reads until the server ends the connection. */
  private static String exchange(RespServer server, String request) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", server.port())) {
      socket.setSoTimeout(30_000);
      OutputStream out = socket.getOutputStream();
      out.write(request.getBytes(StandardCharsets.ISO_8859_1));
      out.flush();
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    } catch (SocketException reset) {
      return "reset";
    }
  }
}

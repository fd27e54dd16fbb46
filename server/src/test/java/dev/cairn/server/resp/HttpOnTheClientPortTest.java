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
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** HTTP beside Redis' protocol on one port, with what is well formed and what is not. */
final class HttpOnTheClientPortTest {
  private final AtomicReference<Optional<String>> notReady =
      new AtomicReference<>(Optional.empty());
  private final FakeRouter router = new FakeRouter(2, Runnable::run);
  private RespServer server;
  private HttpFront http;

  @BeforeEach
  void start() throws IOException {
    Metrics metrics = new Metrics();
    http =
        new HttpFront(
            new HttpConfig(
                Set.of("node.example"),
                1 << 20,
                ClientState.Defaults.QUORUM,
                new SlowLog(),
                AccessControl.open(CommandTable.catalog())),
            router,
            metrics,
            notReady::get);
    server =
        RespServer.start(
            FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED),
            router,
            PortKind.CLIENT,
            metrics,
            Optional.of(http),
            () -> {});
  }

  @AfterEach
  void stop() {
    server.close();
    http.close();
  }

  /** Sends, says that this was all, and reads to the end. */
  private String exchange(String request) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", server.port())) {
      socket.setSoTimeout(30_000);
      OutputStream out = socket.getOutputStream();
      out.write(request.getBytes(StandardCharsets.ISO_8859_1));
      out.flush();
      socket.shutdownOutput();
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private String get(String path) throws IOException {
    return exchange("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  }

  @Test
  void healthReadinessMetricsAndTheCluster() throws Exception {
    assertThat(get("/healthz"))
        .startsWith("HTTP/1.1 200 OK\r\n")
        .containsIgnoringCase("X-Content-Type-Options: nosniff")
        .contains("Content-Security-Policy: default-src 'none'")
        .endsWith("{\"status\":\"alive\"}");
    assertThat(get("/readyz")).startsWith("HTTP/1.1 200 OK\r\n");
    assertThat(get("/v1/cluster")).endsWith("{\"healthy\":true}");
    exchange("PING\r\n");
    assertThat(get("/metrics"))
        .containsIgnoringCase("Content-Type: text/plain; version=0.0.4; charset=utf-8")
        .contains("cairn_command_duration_seconds_count{command=\"ping\",result=\"ok\"} 1");

    notReady.set(Optional.of("partition 1 has no leader"));

    assertThat(get("/readyz"))
        .startsWith("HTTP/1.1 503 Service Unavailable\r\n")
        .containsIgnoringCase("Retry-After: 1\r\n")
        .containsIgnoringCase("Content-Type: application/problem+json")
        .contains("\"detail\":\"partition 1 has no leader\"");
    assertThat(get("/healthz")).startsWith("HTTP/1.1 200 OK\r\n");
  }

  @Test
  void theConsolesFilesMayRunTheirScriptsAndNoOthers() throws Exception {
    assertThat(get("/console/static/words.js"))
        .startsWith("HTTP/1.1 200 OK\r\n")
        .contains("script-src 'self';")
        .contains(
            "connect-src 'self' http://127.0.0.1:5000 http://127.0.0.1:5001 http://127.0.0.1:5002\r\n")
        .doesNotContain("unsafe");
    for (String path :
        List.of("/console/../console/static/words.js", "/console/%2e%2e/logback.xml")) {
      assertThat(get(path)).startsWith("HTTP/1.1 404 Not Found\r\n");
    }
  }

  @Test
  void requestsOfOneConnectionAreAnsweredInTheirOrder() throws Exception {
    String all =
        exchange(
            String.join(
                "",
                "GET /metrics HTTP/1.1\r\nHost: localhost:5000\r\n\r\n",
                "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "OPTIONS /healthz HTTP/1.1\r\nHost: [::1]:5000\r\n\r\n",
                "POST /v1/cluster HTTP/1.1\r\nHost: NODE.example\r\n",
                "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                "GET http://127.0.0.1/healthz HTTP/1.1\r\nHost: else.where\r\n\r\n",
                "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"));

    List<Integer> places =
        Stream.of(
                "cairn_connections{port=\"client\"}",
                "\r\n\r\nHTTP/1.1 204 No Content\r\n", // right behind the head of HEAD's answer
                "HTTP/1.1 405 Method Not Allowed\r\n",
                "{\"status\":\"alive\"}",
                "HTTP/1.1 404 Not Found\r\n")
            .map(all::indexOf)
            .toList();

    assertThat(places).as(all).isSorted().doesNotContain(-1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "400|GET /%zz HTTP/1.1~Host: localhost~~",
        "400|GET /%4 HTTP/1.1~Host: localhost~~",
        "400|GET /healthz HTTP/1.1~~",
        "400|GET /healthz HTTP/1.1~Host: localhost~Host: localhost~~",
        "400|GET /healthz HTTP/1.1~Host: a b~~",
        "400|GET /healthz HTTP/1.1~Host: user@localhost~~",
        "400|POST /healthz HTTP/1.1~Host: localhost~Content-Length: 3~Content-Length: 4~~abcd",
        "400|POST /healthz HTTP/1.1~Host: localhost~Content-Length: 3~Transfer-Encoding: chunked~~0~~",
        "400|POST /healthz HTTP/1.1~Host: localhost~Content-Length: -3~~",
        "400|POST /healthz HTTP/1.1~Host: localhost~Transfer-Encoding: chunked~~zz~~",
        "400|GET /healthz HTTP/1.1~Ho st: localhost~~",
        "501|BREW /healthz HTTP/1.1~Host: localhost~~",
        "404|DELETE /v1 HTTP/1.1~Host: localhost~~",
        "413|PUT /v1/kv/a HTTP/1.1~Host: localhost~Content-Length: 99999999~~",
        "421|GET /metrics HTTP/1.1~Host: evil.example:5000~~",
        "421|GET http://evil.example/metrics HTTP/1.1~Host: localhost~~",
      })
  void whatIsWrongIsRefusedAndChangesNothing(int status, String request) throws Exception {
    String answer = exchange(request.replace("~", "\r\n"));

    assertThat(answer)
        .startsWith("HTTP/1.1 " + status + " ")
        .doesNotContain("Exception", "\tat ")
        .contains("\"status\":" + status);
    assertThat(router.requests).hasValue(0);
    assertThat(get("/healthz")).startsWith("HTTP/1.1 200 OK\r\n");
  }

  @Test
  void linesAndHeadersAreBounded() throws Exception {
    String host = " HTTP/1.1\r\nHost: localhost\r\n";

    assertThat(exchange("GET /" + "a".repeat(62_000) + host + "\r\n")).startsWith("HTTP/1.1 414 ");
    assertThat(exchange("GET /healthz" + host + "A: " + "a".repeat(33_000) + "\r\n\r\n"))
        .startsWith("HTTP/1.1 431 ");
  }

  @Test
  void whoLeavesEarlyIsForgotten() throws Exception {
    assertThat(exchange("GET /metrics HTTP/1.1\r\nHost: loc")).startsWith("HTTP/1.1 400 ");
    assertThat(
            exchange("POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc"))
        .doesNotContain(" 200 ");

    org.awaitility.Awaitility.await().until(() -> server.connections() == 0);
    assertThat(server.requestBytes()).isZero();
  }

  @Test
  void aKeyThatLooksLikeAPathIsStillAKey() throws Exception {
    assertThat(exchange("PUT /a b\r\nGET /a\r\n")).isEqualTo("+OK\r\n$1\r\nb\r\n");
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.server.http.HttpTestNode.Answer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One connection: its order, its bounds, and who is let in. */
final class HttpSessionTest {
  private static final byte[] LONGEST = new byte[HttpTestNode.VALUE_BYTES_MAX];

  private final HttpTestNode node = new HttpTestNode(1);
  private final List<Socket> sockets = new ArrayList<>();

  HttpSessionTest() throws IOException {}

  @AfterEach
  void stop() throws IOException {
    for (Socket socket : sockets) {
      socket.close();
    }
    node.close();
  }

  private Socket open() throws IOException {
    Socket socket = new Socket();
    socket.setReceiveBufferSize(16 << 10); // what is not read stays with the node
    socket.connect(new InetSocketAddress("127.0.0.1", node.port()));
    socket.setSoTimeout(30_000);
    sockets.add(socket);
    return socket;
  }

  private Socket send(byte[] bytes) throws IOException {
    Socket socket = open();
    socket.getOutputStream().write(bytes);
    socket.getOutputStream().flush();
    return socket;
  }

  private static Answer answer(Socket socket) throws IOException {
    return HttpTestNode.answer(socket.getInputStream(), false).orElseThrow();
  }

  @Test
  void aClientThatAsksFirstIsToldToGoOnOrNot() throws IOException {
    byte[] head =
        HttpTestNode.request(
            "PUT /v1/kv/a", new byte[0], "Expect: 100-continue", "Content-Length: 3");
    Socket socket = send(head);
    assertThat(answer(socket).status()).isEqualTo(100);
    socket.getOutputStream().write("abc".getBytes(UTF_8));
    assertThat(answer(socket).status()).isEqualTo(201);
    socket.getOutputStream().write(HttpTestNode.request("GET /v1/kv/a", new byte[0]));
    assertThat(answer(socket).text()).isEqualTo("abc");

    byte[] tooLong =
        HttpTestNode.request(
            "PUT /v1/kv/a",
            new byte[0],
            "Expect: 100-continue",
            "Content-Length: " + (LONGEST.length + 1));
    assertThat(answer(send(tooLong)).status()).isEqualTo(413);
    assertThat(node.ask("PUT /v1/kv/a", new byte[1], "Expect: tea").status()).isEqualTo(417);
    assertThat(node.ask("PUT /v1/kv/a", new byte[1], "Content-Encoding: gzip").status())
        .isEqualTo(415);
  }

  @Test
  void manyRequestsSentAheadAreAnsweredInTheirOrder() throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (int i = 0; i < 2_000; i++) {
      all.writeBytes(HttpTestNode.request("PUT /v1/kv/a", Integer.toString(i).getBytes(UTF_8)));
      all.writeBytes(HttpTestNode.request("GET /v1/kv/a", new byte[0]));
      all.writeBytes(HttpTestNode.request("GET /nothing", new byte[0]));
    }
    List<Answer> answers = node.exchange(all.toByteArray());
    assertThat(answers).hasSize(6_000);
    for (int i = 0; i < 2_000; i++) {
      assertThat(answers.get(3 * i + 1).text()).isEqualTo(Integer.toString(i));
      assertThat(answers.get(3 * i + 2).status()).isEqualTo(404);
    }
  }

  @Test
  void whoLeavesInTheMiddleOfABodyChangesNothing() throws IOException {
    node.ask("PUT /v1/kv/a", "before".getBytes(UTF_8));
    for (String headers : List.of("Content-Length: 100", "Transfer-Encoding: chunked")) {
      byte[] part =
          new String(HttpTestNode.request("PUT /v1/kv/a", new byte[0], headers), ISO_8859_1)
              .concat("10\r\n0123456789")
              .getBytes(ISO_8859_1);
      assertThat(node.exchange(part)).allSatisfy(a -> assertThat(a.status()).isEqualTo(400));
      Socket gone = send(part);
      await().until(() -> node.held() > 0);
      gone.close();
      await().until(() -> node.held() == 0 && node.connections() == 0);
    }
    assertThat(node.ask("GET /v1/kv/a").text()).isEqualTo("before");
  }

  /** Of what nobody reads a connection holds one answer, and the rest of the node goes on. */
  @Test
  void valuesThatNobodyReadsAreCountedAndKeepNothingElseFromItsAnswer() throws IOException {
    node.ask("PUT /v1/kv/a", LONGEST);
    ByteArrayOutputStream four = new ByteArrayOutputStream();
    for (int i = 0; i < 4; i++) {
      four.writeBytes(HttpTestNode.request("GET /v1/kv/a", new byte[0]));
    }
    Socket first = send(four.toByteArray());
    await().until(() -> node.held() == LONGEST.length);
    Socket second = send(four.toByteArray());
    await().until(() -> node.held() == 2L * LONGEST.length);
    assertThat(node.router.replies.full()).as("reads wait at their lanes now").isTrue();

    assertThat(node.ask("GET /healthz").status()).isEqualTo(200);
    assertThat(node.ask("GET /readyz").status()).isEqualTo(200);
    assertThat(node.ask("GET /metrics").status()).isEqualTo(200);
    assertThat(node.ask("PUT /v1/kv/b", new byte[1000]).status()).isEqualTo(201);
    assertThat(node.ask("GET /v1/kv/b").status()).as("the lane let it through").isEqualTo(200);

    // Both take nothing while there is no room: they are not waited for.
    await().until(() -> node.held() == 0 && node.connections() == 0);
    assertThat(first.getInputStream().readAllBytes().length).isLessThan(LONGEST.length);
    assertThat(second.isClosed()).isFalse();
  }

  @Test
  void whoReadsSlowlyGetsAllOfItWhileThereIsRoom() throws IOException {
    node.router.replies.give(1L << 40); // so much room
    node.ask("PUT /v1/kv/a", LONGEST);
    Socket slow = send(HttpTestNode.request("GET /v1/kv/a", new byte[0]));
    await().until(() -> node.held() > 0 || node.router.replies.bytes() > -(1L << 40));
    assertThat(node.ask("GET /healthz").status()).isEqualTo(200);
    assertThat(answer(slow).body()).isEqualTo(LONGEST);
    await().until(() -> node.router.replies.bytes() == -(1L << 40));
  }

  @Test
  void documentsAndBodiesHaveBoundsOfTheirOwn() throws IOException {
    Runnable documentsRead = node.fillDocuments();
    Answer refused = node.ask("GET /metrics");
    assertThat(refused.status()).isEqualTo(503);
    assertThat(refused.header("Retry-After")).isEqualTo("1");
    assertThat(refused.text()).contains("slow down, or ask another node");
    assertThat(node.ask("GET /healthz").status()).isEqualTo(200);
    assertThat(node.ask("PUT /v1/kv/a", LONGEST).status()).isEqualTo(201);
    assertThat(node.ask("GET /v1/kv/a").status()).isEqualTo(200);
    documentsRead.run();
    assertThat(node.ask("GET /metrics").status()).isEqualTo(200);

    Runnable bodiesSent = node.fillBodies();
    node.router.requests.set(0);
    assertThat(node.ask("PUT /v1/kv/b", new byte[1]).status()).isEqualTo(503);
    assertThat(node.router.requests).as("certainly nothing").hasValue(0);
    assertThat(node.ask("GET /healthz").status()).isEqualTo(200);
    assertThat(node.ask("GET /metrics").status()).isEqualTo(200);
    assertThat(node.ask("GET /v1/kv/a").status()).isEqualTo(200);
    bodiesSent.run();
    assertThat(node.ask("PUT /v1/kv/b", new byte[1]).status()).isEqualTo(201);
    await().until(() -> node.held() == 0);
  }

  /** A batch that was carried out is never answered as one of which nothing was done. */
  @Test
  void whatWasDoneIsSaidHoweverLittleRoomThereIs() throws IOException {
    node.ask("PUT /v1/kv/a", new byte[1 << 20]);
    Runnable documentsRead = node.fillDocuments();
    node.router.replies.take(1L << 40);
    String batch =
        "{\"operations\":[{\"op\":\"put\",\"key\":\"b\",\"value\":\"c\"},{\"op\":\"get\",\"key\":\"a\"}]}";
    Answer answer = node.ask("POST /v1/batch", batch.getBytes(UTF_8));
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.body()).hasSizeGreaterThan(1 << 20);
    assertThat(node.ask("GET /v1/kv/b").text()).isEqualTo("c");
    node.router.replies.give(1L << 40);
    documentsRead.run();
    await().until(() -> node.held() == 0);
  }

  @ParameterizedTest
  @CsvSource({
    "201, localhost,, ",
    "201, localhost, http://localhost, ",
    "201, localhost:5000, http://localhost:5000, same-origin",
    "201, LOCALHOST:80, http://localhost, none",
    "201, node.example, https://node.example, same-origin",
    "201, node.example:443, https://node.example, ",
    "201, '[::1]:5000', 'http://[::1]:5000', ",
    "403, localhost:5000, http://localhost:5001, same-site",
    "403, localhost:5000, http://localhost:5001, ",
    "403, localhost, http://evil.example, cross-site",
    "403, localhost, null, ",
    "403, localhost, file://, ",
    "403, localhost, , cross-site",
    "403, localhost, , same-site",
    "421, evil.example, http://evil.example, same-origin",
    "421, localhost.evil.example, , ",
  })
  void pagesOfOtherOriginsMayNotWrite(int status, String host, String origin, String site)
      throws IOException {
    String request =
        "PUT /v1/kv/a HTTP/1.1\r\nHost: %s\r\nContent-Length: 1\r\n".formatted(host)
            + (origin == null ? "" : "Origin: " + origin + "\r\n")
            + (site == null ? "" : "Sec-Fetch-Site: " + site + "\r\n")
            + "\r\nx";
    Answer answer = node.exchange(request.getBytes(UTF_8)).get(0);
    assertThat(answer.status()).isEqualTo(status);
    assertThat(answer.headers()).doesNotContainKey("access-control-allow-origin");
    assertThat(node.router.requests).hasValue(status == 201 ? 1 : 0);
    if (status == 403) {
      String read = request.replace("PUT", "GET").replace("Content-Length: 1\r\n", "");
      assertThat(node.exchange(read.substring(0, read.length() - 1).getBytes(UTF_8)).get(0))
          .as("a read tells the page nothing without CORS")
          .satisfies(a -> assertThat(a.status()).isEqualTo(404));
    }
  }
}

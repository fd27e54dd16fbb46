// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What is no request of HTTP, or could be read in two ways: each gets a 4xx or 501, none a trace of
 * a bug, and nothing changes. Longer: {@code -Dcairn.http.fuzz=100000}, and again as it was with
 * {@code -Dcairn.http.fuzz.seed=}.
 */
final class MalformedRequestsTest {
  private static final int REQUESTS = Integer.getInteger("cairn.http.fuzz", 1_500);
  private static final Pattern STATUS = Pattern.compile("HTTP/1\\.1 (\\d{3}) ");

  private final HttpTestNode node = new HttpTestNode(1);

  MalformedRequestsTest() throws IOException {}

  @BeforeEach
  void store() throws IOException {
    node.ask("PUT /v1/kv/kept", "as it was".getBytes(UTF_8));
    node.router.requests.set(0);
  }

  @AfterEach
  void stop() {
    node.close();
  }

  /** Sends bytes on a connection of their own and reads all that comes, to the end. */
  private String exchange(byte[] bytes) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", node.port())) {
      socket.setSoTimeout(30_000);
      ByteArrayOutputStream answer = new ByteArrayOutputStream();
      socket.getOutputStream().write(bytes);
      socket.shutdownOutput();
      socket.getInputStream().transferTo(answer);
      return answer.toString(ISO_8859_1);
    }
  }

  private void nothingChanged() throws IOException {
    assertThat(node.ask("GET /v1/kv/kept").text()).isEqualTo("as it was");
    await().until(() -> node.held() == 0);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // Percent encoding.
        "400|PUT /v1/kv/% HTTP/1.1~Host: a.b~Host: x~~",
        "400|PUT /v1/kv/%4 HTTP/1.1~Host: localhost~Content-Length: 1~~x",
        "400|PUT /v1/kv/%zz HTTP/1.1~Host: localhost~Content-Length: 1~~x",
        "400|PUT /v1/kv/a?ttl=%f HTTP/1.1~Host: localhost~Content-Length: 1~~x",
        "400|PUT /v1/kv/a?%=1 HTTP/1.1~Host: localhost~Content-Length: 1~~x",
        "400|PUT /v1/kv/gr\u00fc\u00df HTTP/1.1~Host: localhost~Content-Length: 1~~x",
        "400|PUT /v1/kv/a#b HTTP/1.1~Host: localhost~Content-Length: 1~~x",
        // Where a request ends (smuggling).
        "400|PUT /v1/kv/a HTTP/1.1~Host: localhost~Content-Length: 1~Content-Length: 2~~xy",
        "400|PUT /v1/kv/a HTTP/1.1~Host: localhost~Content-Length: 1, 2~~xy",
        "400|PUT /v1/kv/a HTTP/1.1~Host: localhost~Content-Length: +1~~x",
        "400|PUT /v1/kv/a HTTP/1.1~Host: localhost~Content-Length: 0x1~~x",
        "400|PUT /v1/kv/a HTTP/1.1~Host: localhost~Content-Length: -1~~x",
        "400|PUT /v1/kv/a HTTP/1.1~Host: localhost~Content-Length: 99999999999999999999~~x",
        "400|PUT /v1/kv/a HTTP/1.1~Host: localhost~Content-Length: 1~Transfer-Encoding: chunked~~1~x~0~~",
        "400|PUT /v1/kv/a HTTP/1.1~Host: localhost~Transfer-Encoding: chunked~Content-Length: 1~~1~x~0~~",
        "400|PUT /v1/kv/a HTTP/1.1~Host: localhost~Transfer-Encoding: xchunked~~1~x~0~~",
        "501|PUT /v1/kv/a HTTP/1.1~Host: localhost~Transfer-Encoding: gzip, chunked~~1~x~0~~",
        "400|PUT /v1/kv/a HTTP/1.1~Host: localhost~Transfer-Encoding: identity~~x",
        "400|PUT /v1/kv/a HTTP/1.1~Host: localhost~Transfer-Encoding: chunked~Transfer-Encoding: chunked~~1~x~0~~",
        "400|PUT /v1/kv/a HTTP/1.0~Host: localhost~Transfer-Encoding: chunked~~1~x~0~~",
        "400|PUT /v1/kv/a HTTP/1.1~Host: localhost~Transfer-Encoding : chunked~~1~x~0~~",
        // Chunks.
        "400|PUT /v1/kv/a HTTP/1.1~Host: localhost~Transfer-Encoding: chunked~~zz~x~0~~",
        "400|PUT /v1/kv/a HTTP/1.1~Host: localhost~Transfer-Encoding: chunked~~-1~x~0~~",
        "400|PUT /v1/kv/a HTTP/1.1~Host: localhost~Transfer-Encoding: chunked~~ffffffffff~x~0~~",
        // Lines and headers.
        "400|PUT /v1/kv/a HTTP/1.1~Host: localhost~No colon~~",
        "400|PUT /v1/kv/a HTTP/1.1~Host: localhost~: no name~~",
        "400|PUT /v1/kv/a HTTP/1.1~Host: localhost~A\u0000: b~~",
        "400|PUT /v1/kv/a HTTP/1.1~ Host: localhost~~",
        "400|PUT /v1/kv/a HTTP/1.1~~",
        "400|PUT /v1/kv/a HTTP/1.1~Host: localhost~Host: localhost~~",
        "400|PUT /v1/kv/a HTTP/1.1~Host: ~~",
        "400|PUT http:///v1/kv/a HTTP/1.1~Host: localhost~~",
        "400|PUT * HTTP/1.1~Host: localhost~~",
        "400|PUT https://localhost/v1/kv/a HTTP/1.1~Host: localhost~~",
        "421|PUT http://evil.example/v1/kv/a HTTP/1.1~Host: localhost~Content-Length: 1~~x",
        "400|PUT http://a@localhost/v1/kv/a HTTP/1.1~Host: localhost~Content-Length: 1~~x",
        // Methods and the like.
        "501|BREW /v1/kv/a HTTP/1.1~Host: localhost~~",
        "405|TRACE /v1/kv/a HTTP/1.1~Host: localhost~~",
        "405|PATCH /v1/kv/a HTTP/1.1~Host: localhost~Content-Length: 1~~x",
        "404|PUT /v1/kv/ HTTP/1.1~Host: localhost~Content-Length: 1~~x",
        "404|PUT /v2/kv/a HTTP/1.1~Host: localhost~Content-Length: 1~~x",
        "415|PUT /v1/kv/a HTTP/1.1~Host: localhost~Content-Encoding: gzip~Content-Length: 1~~x",
        "417|PUT /v1/kv/a HTTP/1.1~Host: localhost~Expect: everything~Content-Length: 1~~x",
        "400|PUT /v1/kv/a HTTP/1.1~Host: localhost~Content-Range: bytes 0-0/1~Content-Length: 1~~x",
      })
  void isRefused(int status, String request) throws IOException {
    String answer = exchange(request.replace("~", "\r\n").getBytes(ISO_8859_1));

    assertThat(answer)
        .startsWith("HTTP/1.1 " + status + " ")
        .contains("application/problem+json")
        .doesNotContain("Exception", "\tat ");
    assertThat(STATUS.matcher(answer).results()).as("one answer: %s", answer).hasSize(1);
    assertThat(node.router.requests).as("no partition was asked").hasValue(0);
    nothingChanged();
  }

  @Test
  void linesHeadersAndChunksHaveTheirBounds() throws IOException {
    String host = " HTTP/1.1\r\nHost: localhost\r\n";
    String header = "A: " + "b".repeat(997) + "\r\n";
    String chunked = "PUT /v1/kv/a" + host + "Transfer-Encoding: chunked\r\n\r\n";
    Map<String, Integer> requests =
        Map.of(
            "GET /" + "a".repeat(61_400) + host + "\r\n",
            404, // read as a request like others
            "GET /" + "a".repeat(62_000) + host + "\r\n",
            414,
            "GET /v1/cluster?x" + host + header.repeat(32) + "\r\n",
            400, // read, and refused for its query
            "GET /v1/cluster?x" + host + header.repeat(33) + "\r\n",
            431,
            "GET /healthz" + host + "A: " + "b".repeat(33_000) + "\r\n\r\n",
            431,
            chunked + "1;" + "x".repeat(200_000) + "\r\nx\r\n0\r\n\r\n",
            400,
            chunked + "1\r\nx\r\n0\r\n" + header.repeat(33) + "\r\n",
            431);
    for (Map.Entry<String, Integer> request : requests.entrySet()) {
      String answer = exchange(request.getKey().getBytes(UTF_8));
      assertThat(answer)
          .as(request.getKey().substring(0, 12))
          .startsWith("HTTP/1.1 " + request.getValue() + " ")
          .contains("application/problem+json")
          .doesNotContain("Exception", "\tat ");
      assertThat(STATUS.matcher(answer).results()).hasSize(1);
    }
    assertThat(node.router.requests).hasValue(0);
    nothingChanged();
  }

  /** Requests with bytes changed, put in, taken out and cut off at random. */
  @Test
  void requestsChangedAtRandomNeverShowABug() throws IOException {
    long seed = Long.getLong("cairn.http.fuzz.seed", System.nanoTime());
    Random random = new Random(seed);
    for (int i = 0; i < REQUESTS; i++) {
      byte[] request = changed(request(random), random);
      String shown = "seed %d: %s".formatted(seed, new String(request, ISO_8859_1));
      String answer = exchange(request);
      assertThat(answer).as(shown).doesNotContain("Exception", "\tat ", "internal error");
      Matcher statuses = STATUS.matcher(answer);
      while (statuses.find()) {
        assertThat(Integer.parseInt(statuses.group(1))).as(shown).isNotIn(500, 503, 504);
      }
    }
    nothingChanged();
    await().until(() -> node.connections() == 0);
  }

  private static byte[] request(Random random) {
    String body = "x".repeat(random.nextInt(40));
    String chunked =
        "Transfer-Encoding: chunked\r\n\r\n"
            + Integer.toHexString(body.length())
            + "\r\n"
            + body
            + "\r\n0\r\n\r\n";
    String stated = "Content-Length: " + body.length() + "\r\n\r\n" + body;
    String host = " HTTP/1.1\r\nHost: localhost:5000\r\n";
    String text =
        switch (random.nextInt(6)) {
          case 0 -> "PUT /v1/kv/fuzz%20key?ttl=5s" + host + "If-None-Match: \"3\"\r\n" + stated;
          case 1 -> "PUT /v1/kv/fuzz" + host + "If-Match: *, \"1\"\r\n" + chunked;
          case 2 -> "GET /v1/kv?prefix=f&limit=3&cursor=Zg" + host + "Accept: */*\r\n\r\n";
          case 3 -> "GET /v1/kv/fuzz" + host + "Range: bytes=0-3\r\nIf-Range: \"1\"\r\n\r\n";
          case 4 ->
              "POST /v1/batch"
                  + host
                  + "Content-Length: 41\r\n\r\n{\"operations\":[{\"op\":\"get\",\"key\":\"fuzz\"}]}";
          default ->
              "DELETE /v1/kv/fuzz" + host + "Expect: 100-continue\r\nOrigin: null\r\n" + stated;
        };
    return text.getBytes(ISO_8859_1);
  }

  private static byte[] changed(byte[] request, Random random) {
    String alphabet = "\r\n\0 %:;/?,\"\t0aZ-\u00ff{}[]";
    StringBuilder text = new StringBuilder(new String(request, ISO_8859_1));
    for (int changes = 1 + random.nextInt(4); changes > 0 && !text.isEmpty(); changes--) {
      int at = random.nextInt(text.length());
      char octet =
          random.nextBoolean()
              ? alphabet.charAt(random.nextInt(alphabet.length()))
              : (char) random.nextInt(256);
      switch (random.nextInt(5)) {
        case 0 -> text.setCharAt(at, octet);
        case 1 -> text.insert(at, octet);
        case 2 -> text.deleteCharAt(at);
        case 3 -> text.insert(at, text.substring(at, Math.min(text.length(), at + 30)));
        default -> text.setLength(at);
      }
    }
    return text.toString().getBytes(ISO_8859_1);
  }
}

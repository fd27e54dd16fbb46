// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.http.HttpTestNode.Answer;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * RFC 9110 and 9112 as far as a key-value API uses them: {@code http/by-the-book.txt} says which
 * bytes are sent and what is answered. And HEAD says of everything what GET says.
 */
final class HttpByTheBookTest {
  private static final String PROBE = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  private static final Pattern REPEATED = Pattern.compile("\\{x\\*(\\d+)}");

  private final HttpTestNode node = new HttpTestNode(1);
  private String tag;

  HttpByTheBookTest() throws IOException {}

  @BeforeEach
  void store() throws IOException {
    tag = node.ask("PUT /v1/kv/a", "0123456789".getBytes(UTF_8)).header("ETag");
    node.ask("PUT /v1/kv/empty");
  }

  @AfterEach
  void stop() {
    node.close();
  }

  /**
   * One line of the table and its answers.
   *
   * @param place where in the table it stands
   */
  record Exchange(String place, String request, List<String> answers) {
    @Override
    public String toString() {
      return place + ": " + (request.length() > 150 ? request.substring(0, 150) : request);
    }
  }

  static Stream<Exchange> exchanges() throws IOException {
    List<Exchange> exchanges = new ArrayList<>();
    try (InputStream in = HttpByTheBookTest.class.getResourceAsStream("/http/by-the-book.txt")) {
      List<String> lines = new String(in.readAllBytes(), UTF_8).lines().toList();
      for (int i = 0; i < lines.size(); i++) {
        if (lines.get(i).startsWith("> ")) {
          exchanges.add(
              new Exchange("line " + (i + 1), lines.get(i).substring(2), new ArrayList<>()));
        } else if (lines.get(i).startsWith("< ")) {
          exchanges.get(exchanges.size() - 1).answers().add(lines.get(i).substring(2));
        }
      }
    }
    assertThat(exchanges).hasSizeGreaterThan(150).noneMatch(one -> one.answers().isEmpty());
    return exchanges.stream();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("exchanges")
  void isAnsweredAsTheTableSays(Exchange exchange) throws IOException {
    String request = bytes(exchange.request());
    try (Socket socket = new Socket("127.0.0.1", node.port())) {
      socket.setSoTimeout(30_000);
      socket.getOutputStream().write(request.getBytes(ISO_8859_1));
      InputStream in = socket.getInputStream();
      for (int i = 0; i < exchange.answers().size(); i++) {
        boolean last = i == exchange.answers().size() - 1;
        boolean head =
            request.startsWith("HEAD ") || (last && request.contains("\r\n\r\n\r\nHEAD "));
        Optional<Answer> answer = HttpTestNode.answer(in, head);
        assertThat(answer).as("answer %d to %s", i, exchange).isPresent();
        List<String> said = List.of(exchange.answers().get(i).split(" \\| "));
        hold(said, answer.get(), request);
        if (last) {
          boolean stays = said.get(said.size() - 1).equals("stays");
          assertThat(takesAnother(socket)).as("takes another request").isEqualTo(stays);
        }
      }
    }
  }

  private String bytes(String written) {
    String text =
        written
            .replace("~", "\r\n")
            .replace("\\r", "\r")
            .replace("\\n", "\n")
            .replace("\\t", "\t")
            .replace("\\0", "\0")
            .replace("\\s", " ")
            .replace("\\e", "\u00e9")
            .replace("{a}", tag);
    Matcher repeated = REPEATED.matcher(text);
    return repeated.replaceAll(match -> "x".repeat(Integer.parseInt(match.group(1))));
  }

  /** Whether one more request is answered; not at all where the node has said that it ends. */
  private static boolean takesAnother(Socket socket) throws IOException {
    try {
      socket.getOutputStream().write(PROBE.getBytes(ISO_8859_1));
      Optional<Answer> next = HttpTestNode.answer(socket.getInputStream(), false);
      next.ifPresent(answer -> assertThat(answer.text()).isEqualTo("{\"status\":\"alive\"}"));
      return next.isPresent();
    } catch (java.net.SocketException reset) {
      return false;
    }
  }

  private void hold(List<String> said, Answer answer, String request) throws IOException {
    int status = Integer.parseInt(said.get(0));
    assertThat(answer.status()).as("%s", answer.text()).isEqualTo(status);
    if (status == 100) {
      return;
    }
    assertThat(answer.header("Date"))
        .matches("[A-Z][a-z]{2}, \\d\\d [A-Z][a-z]{2} \\d{4} \\d\\d:\\d\\d:\\d\\d GMT");
    assertThat(answer.headers().containsKey("content-length"))
        .isEqualTo(status != 204 && status != 304);
    for (String part : said.subList(1, said.size())) {
      hold(part, answer);
    }
    boolean ends = said.get(said.size() - 1).equals("ends");
    assertThat("close".equals(answer.header("Connection"))).as("says that it ends").isEqualTo(ends);
    if (answer.status() >= 400 && !request.startsWith("HEAD ")) {
      assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
    }
  }

  private void hold(String part, Answer answer) {
    int colon = part.indexOf(": ");
    if (part.startsWith("problem ")) {
      assertThat(answer.text()).contains("\"type\":\"/problems/" + part.substring(8) + "\"");
    } else if (part.startsWith("contains ")) {
      assertThat(answer.text()).contains(part.substring(9));
    } else if (part.equals("body") || part.startsWith("body ")) {
      assertThat(answer.text()).isEqualTo(part.equals("body") ? "" : part.substring(5));
    } else if (part.endsWith(": -")) {
      assertThat(answer.headers())
          .doesNotContainKey(part.substring(0, colon).toLowerCase(Locale.ROOT));
    } else if (colon > 0) {
      assertThat(answer.header(part.substring(0, colon)))
          .as(part)
          .isEqualTo(part.substring(colon + 2).replace("{a}", tag));
    } else {
      assertThat(part).isIn("stays", "ends");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/v1/kv/a|Accept: */*",
        "/v1/kv/a|Accept: application/json",
        "/v1/kv/a|Accept: image/png",
        "/v1/kv/a|If-None-Match: *",
        "/v1/kv/a|If-Match: \"9\"",
        "/v1/kv/a?x=1|Accept: */*",
        "/v1/kv/a?consistency=one|Accept: */*",
        "/v1/kv/empty|Accept: */*",
        "/v1/kv/none|Accept: */*",
        "/v1/kv|Accept: */*",
        "/v1/kv?limit=0|Accept: */*",
        "/v1/batch|Accept: */*",
        "/healthz|Host-Name: x",
        "/readyz|Accept: */*",
        "/problems/no-room|Accept: */*",
        "/openapi.yaml|Accept: */*",
        "/console/style.css|Accept-Encoding: gzip",
        "/console/none.css|Accept: */*",
        "/|Accept: */*",
        "/nothing|Accept: */*",
      })
  void headSaysWhatGetSays(String target, String header) throws IOException {
    String rest = " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + header + "\r\n\r\n";
    Answer got = node.exchange(("GET" + rest).getBytes(UTF_8)).get(0);
    Answer head = node.exchange(("HEAD" + rest).getBytes(UTF_8)).get(0);
    assertThat(head.status()).isEqualTo(got.status());
    assertThat(withoutDate(head)).isEqualTo(withoutDate(got));
    assertThat(head.body()).isEmpty();
  }

  private static Map<String, String> withoutDate(Answer answer) {
    Map<String, String> headers = new TreeMap<>(answer.headers());
    headers.remove("date");
    return headers;
  }
}

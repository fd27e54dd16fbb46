// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.cairn.protocol.ErrorCode;
import dev.cairn.server.http.HttpTestNode.Answer;
import dev.cairn.server.operation.Reply;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Keys over HTTP. */
final class KeyResourceTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpTestNode node = new HttpTestNode(1);

  KeyResourceTest() throws IOException {}

  @AfterEach
  void stop() {
    node.close();
  }

  private Answer put(String key, String value, String... headers) throws IOException {
    return node.ask("PUT /v1/kv/" + key, value.getBytes(UTF_8), headers);
  }

  private Answer get(String key, String... headers) throws IOException {
    return node.ask("GET /v1/kv/" + key, headers);
  }

  private static JsonNode json(Answer answer) throws IOException {
    return JSON.readTree(answer.body());
  }

  private static void problem(Answer answer, int status, String type) throws IOException {
    assertThat(answer.status()).as(answer.text()).isEqualTo(status);
    assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
    assertThat(json(answer).get("type").asText()).isEqualTo("/problems/" + type);
    assertThat(json(answer).get("status").asInt()).isEqualTo(status);
    assertThat(json(answer).get("detail").asText()).isNotEmpty();
  }

  @Test
  void putGetHeadDelete() throws IOException {
    problem(get("a"), 404, "no-such-key");

    Answer created = put("a", "one");
    assertThat(created.status()).isEqualTo(201);
    Answer replaced = put("a", "two!");
    assertThat(replaced.status()).isEqualTo(204);
    assertThat(replaced.header("ETag")).matches("\"[0-9]+\"").isNotEqualTo(created.header("ETag"));

    Answer got = get("a");
    assertThat(got.status()).isEqualTo(200);
    assertThat(got.text()).isEqualTo("two!");
    assertThat(got.header("ETag")).isEqualTo(replaced.header("ETag"));
    assertThat(got.header("Content-Type")).isEqualTo("application/octet-stream");
    assertThat(got.header("Cairn-Node")).isEqualTo("127.0.0.1:5000");
    assertThat(got.headers()).doesNotContainKey("cairn-ttl-millis");

    Answer head = node.ask("HEAD /v1/kv/a");
    assertThat(head.status()).isEqualTo(200);
    assertThat(head.header("Content-Length")).isEqualTo("4");
    assertThat(head.header("ETag")).isEqualTo(got.header("ETag"));

    assertThat(node.ask("DELETE /v1/kv/a").status()).isEqualTo(204);
    problem(node.ask("DELETE /v1/kv/a"), 404, "no-such-key");
    assertThat(node.ask("HEAD /v1/kv/a").status()).isEqualTo(404);
    assertThat(node.held()).isZero();
  }

  @Test
  void keysAndValuesAreBytes() throws IOException {
    byte[] value = new byte[256];
    for (int i = 0; i < value.length; i++) {
      value[i] = (byte) i;
    }
    assertThat(node.ask("PUT /v1/kv/%00%ff/a%2Fb+c%25", value).status()).isEqualTo(201);
    assertThat(node.ask("GET /v1/kv/%00%FF%2fa/b+c%25").body()).isEqualTo(value);
    problem(get("%00%ff/a/b%20c%25"), 404, "no-such-key");

    JsonNode document = json(get("%00%ff/a/b+c%25", "Accept: application/json"));
    assertThat(document.get("keyBase64").binaryValue())
        .containsExactly(0, 0xff, '/', 'a', '/', 'b', '+', 'c', '%');
    assertThat(document.get("valueBase64").binaryValue()).isEqualTo(value);
    assertThat(document.has("key")).isFalse();

    put("text", "grüße");
    Answer text = get("text", "Accept: text/html, application/json;q=0.9");
    assertThat(json(text).get("value").asText()).isEqualTo("grüße");
    assertThat(json(text).get("key").asText()).isEqualTo("text");
    assertThat(text.header("ETag")).isEqualTo("\"" + json(text).get("version").asLong() + "\"");
    assertThat(json(text).get("ttlMillis").isNull()).isTrue();

    assertThat(node.ask("PUT /v1/kv/empty").status()).isEqualTo(201);
    assertThat(get("empty").body()).isEmpty();
  }

  @Test
  void createOnlyAndCompareAndSet() throws IOException {
    String first = put("a", "1", "If-None-Match: *").header("ETag");
    Answer again = put("a", "2", "If-None-Match: *");
    problem(again, 412, "precondition-failed");
    assertThat(json(again).get("version").asText()).isEqualTo(first.replace("\"", ""));

    String second = put("a", "2", "If-Match: " + first).header("ETag");
    problem(put("a", "3", "If-Match: " + first), 412, "precondition-failed");
    problem(put("a", "3", "If-Match: W/" + second), 412, "precondition-failed");
    problem(put("a", "3", "If-Match: \"other\""), 412, "precondition-failed");
    problem(put("b", "3", "If-Match: *"), 412, "precondition-failed");
    problem(put("a", "3", "If-None-Match: W/" + second), 412, "precondition-failed");
    assertThat(get("a").text()).isEqualTo("2");

    assertThat(put("a", "3", "If-Match: \"9\", " + second).status()).isEqualTo(204);
    problem(node.ask("DELETE /v1/kv/a", "If-Match: " + second), 412, "precondition-failed");
    assertThat(node.ask("DELETE /v1/kv/a", "If-Match: *").status()).isEqualTo(204);
    problem(node.ask("DELETE /v1/kv/a", "If-Match: *"), 404, "no-such-key");

    problem(put("a", "4", "If-Match: 9"), 400, "bad-request");
    problem(put("a", "4", "If-Match: *", "If-None-Match: \"9\""), 400, "bad-request");
  }

  @Test
  void whoHasTheValueIsToldSo() throws IOException {
    String tag = put("a", "1").header("ETag");
    Answer same = get("a", "If-None-Match: " + tag);
    assertThat(same.status()).isEqualTo(304);
    assertThat(same.header("ETag")).isEqualTo(tag);
    assertThat(get("a", "If-None-Match: \"0\"").status()).isEqualTo(200);
    assertThat(get("a", "If-Match: " + tag).status()).isEqualTo(200);
    problem(get("a", "If-Match: \"0\""), 412, "precondition-failed");
    problem(get("none", "If-Match: *"), 404, "no-such-key");
  }

  @ParameterizedTest
  @CsvSource({
    "1500ms, 1500",
    "1.5, 1500",
    "2, 2000",
    "2m, 120000",
    "0.5h, 1800000",
    "1d, 86400000"
  })
  void aTimeToLive(String ttl, long millis) throws IOException {
    assertThat(node.ask("PUT /v1/kv/a?ttl=" + ttl, new byte[1]).status()).isEqualTo(201);
    assertThat(get("a").header("Cairn-TTL-Millis")).isEqualTo(Long.toString(millis));
    node.ask("PUT /v1/kv/a?ttl=keep", new byte[2]);
    assertThat(json(get("a", "Accept: application/json")).get("ttlMillis").asLong())
        .isEqualTo(millis);
    long later = node.router.timeMillis + millis;
    node.router.timeMillis = later;
    problem(get("a"), 404, "no-such-key");
  }

  @ParameterizedTest
  @CsvSource({
    "PUT /v1/kv/a?ttl=0",
    "PUT /v1/kv/a?ttl=-1",
    "PUT /v1/kv/a?ttl=1w",
    "PUT /v1/kv/a?ttl=",
    "PUT /v1/kv/a?ttl=999999999999d&ttl=1",
    "PUT /v1/kv/a?tll=5",
    "PUT /v1/kv/a?consistency=one",
    "PUT /v1/kv/a?consistency=most",
    "GET /v1/kv/a?ttl=5",
    "GET /v1/kv/a?consistency=%ff",
    "DELETE /v1/kv/a?ttl=5",
  })
  void whatMakesNoSenseIsRefused(String methodAndTarget) throws IOException {
    problem(node.ask(methodAndTarget, new byte[1]), 400, "bad-request");
    assertThat(node.router.requests).hasValue(0);
  }

  @Test
  void rangesOfAValue() throws IOException {
    String tag = put("a", "0123456789").header("ETag");

    Answer part = get("a", "Range: bytes=2-4");
    assertThat(part.status()).isEqualTo(206);
    assertThat(part.text()).isEqualTo("234");
    assertThat(part.header("Content-Range")).isEqualTo("bytes 2-4/10");
    assertThat(get("a", "Range: bytes=7-").text()).isEqualTo("789");
    assertThat(get("a", "Range: bytes=-3").text()).isEqualTo("789");
    assertThat(get("a", "Range: bytes=-99").header("Content-Range")).isEqualTo("bytes 0-9/10");
    assertThat(get("a", "Range: bytes=9-99").header("Content-Range")).isEqualTo("bytes 9-9/10");
    for (String outside : List.of("10-", "99-100", "-0")) {
      Answer none = get("a", "Range: bytes=" + outside);
      problem(none, 416, "range-not-satisfiable");
      assertThat(none.header("Content-Range")).isEqualTo("bytes */10");
    }
    for (String meaningless : List.of("bytes=4-2", "bytes=0-1,3-4", "lines=1-2", "bytes=-")) {
      assertThat(get("a", "Range: " + meaningless).status()).as(meaningless).isEqualTo(200);
    }
    assertThat(get("a", "Range: bytes=2-4", "If-Range: " + tag).text()).isEqualTo("234");
    assertThat(get("a", "Range: bytes=2-4", "If-Range: \"0\"").text()).isEqualTo("0123456789");
    assertThat(get("a", "Range: bytes=-4", "If-Range: " + tag).text()).isEqualTo("6789");
  }

  @Test
  void failuresSayWhatIsCertain() throws IOException {
    put("a", "1");
    node.router.failures.put(0, new Reply.Failed(ErrorCode.CLUSTERDOWN, "no leader; wait"));
    Answer refused = put("a", "2");
    problem(refused, 503, "unavailable");
    assertThat(refused.header("Retry-After")).isEqualTo("1");
    assertThat(json(refused).get("code").asText()).isEqualTo("CLUSTERDOWN");
    assertThat(json(refused).get("detail").asText()).isEqualTo("no leader; wait");
    problem(get("a"), 503, "unavailable");

    node.router.failures.put(0, new Reply.Failed(ErrorCode.UNKNOWN, "read the key"));
    Answer unknown = put("a", "2");
    problem(unknown, 504, "unknown-outcome");
    assertThat(unknown.headers()).doesNotContainKey("retry-after");
    node.router.failures.put(0, new Reply.Failed(ErrorCode.NOTALL, "on a majority"));
    problem(put("a", "2"), 504, "not-on-all-replicas");
    node.router.failures.put(0, new Reply.Failed(ErrorCode.OOM, "no room"));
    problem(put("a", "2"), 507, "no-room");
    node.router.failures.clear();

    node.router.missing = List.of("127.0.0.1:5001");
    problem(node.ask("PUT /v1/kv/a?consistency=all", new byte[1]), 503, "replica-missing");
    assertThat(node.ask("GET /problems/unknown-outcome").text()).contains("Read the key");
  }

  @Test
  void levelsOfReads() throws IOException {
    put("a", "1");
    node.router.ageMillis = 1_234;
    Answer own = node.ask("GET /v1/kv/a?consistency=one");
    assertThat(own.header("Cairn-Age-Millis")).isEqualTo("1234");
    assertThat(own.header("Cairn-Node")).isEqualTo("127.0.0.1:5000");
    assertThat(node.ask("GET /v1/kv/a?consistency=all").headers())
        .doesNotContainKey("cairn-age-millis");
  }

  @Test
  void valuesUpToTheirBoundInOnePieceOrInChunks() throws IOException {
    byte[] value = new byte[HttpTestNode.VALUE_BYTES_MAX];
    new Random(1).nextBytes(value);
    assertThat(node.ask("PUT /v1/kv/a", value).status()).isEqualTo(201);
    assertThat(node.ask("GET /v1/kv/a").body()).isEqualTo(value);
    problem(get("a", "Accept: application/json"), 406, "not-acceptable");
    problem(node.ask("PUT /v1/kv/a", new byte[value.length + 1]), 413, "body-too-long");

    ByteArrayOutputStream chunked = new ByteArrayOutputStream();
    chunked.writeBytes(
        HttpTestNode.request("PUT /v1/kv/b", new byte[0], "Transfer-Encoding: chunked"));
    for (int at = 0; at < value.length; at += 100_003) {
      int length = Math.min(100_003, value.length - at);
      chunked.writeBytes((Integer.toHexString(length) + ";name=x\r\n").getBytes(UTF_8));
      chunked.write(value, at, length);
      chunked.writeBytes("\r\n".getBytes(UTF_8));
    }
    byte[] upTo = chunked.toByteArray();
    chunked.writeBytes("0\r\n\r\n".getBytes(UTF_8));
    assertThat(node.exchange(chunked.toByteArray()).get(0).status()).isEqualTo(201);
    assertThat(node.ask("GET /v1/kv/b").body()).isEqualTo(value);

    chunked.reset();
    chunked.writeBytes(upTo);
    chunked.writeBytes("1\r\nx\r\n0\r\n\r\n".getBytes(UTF_8));
    problem(node.exchange(chunked.toByteArray()).get(0), 413, "body-too-long");
    assertThat(node.held()).isZero();
  }
}

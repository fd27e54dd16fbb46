// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.cairn.protocol.ErrorCode;
import dev.cairn.server.http.HttpTestNode.Answer;
import dev.cairn.server.operation.Reply;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys of all partitions in one order. */
final class KeyListingTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpTestNode node = new HttpTestNode(7);

  KeyListingTest() throws IOException {}

  @AfterEach
  void stop() {
    node.close();
  }

  private static String encoded(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (byte octet : bytes) {
      text.append("%%%02x".formatted(octet & 0xff));
    }
    return text.toString();
  }

  private JsonNode list(String query) throws IOException {
    Answer answer = node.ask("GET /v1/kv" + query);
    assertThat(answer.status()).as(answer.text()).isEqualTo(200);
    return JSON.readTree(answer.body());
  }

  private static byte[] key(JsonNode entry) throws IOException {
    assertThat(entry.size()).isEqualTo(1);
    return entry.has("key")
        ? entry.get("key").asText().getBytes(UTF_8)
        : entry.get("keyBase64").binaryValue();
  }

  /** Every key of a query, page by page. */
  private List<String> all(String query, int limit) throws IOException {
    List<String> keys = new ArrayList<>();
    String cursor = "";
    do {
      JsonNode page =
          list("?limit=" + limit + query + (cursor.isEmpty() ? "" : "&cursor=" + cursor));
      assertThat(page.get("keys").size()).isLessThanOrEqualTo(limit);
      for (JsonNode entry : page.get("keys")) {
        keys.add(new String(key(entry), ISO_8859_1));
      }
      cursor = page.get("cursor").isNull() ? "" : page.get("cursor").asText();
    } while (!cursor.isEmpty());
    return keys;
  }

  @Test
  void pagesHoldEveryKeyOnceInOrder() throws IOException {
    Random random = new Random(1);
    TreeSet<byte[]> model = new TreeSet<>(Arrays::compareUnsigned);
    ByteArrayOutputStream puts = new ByteArrayOutputStream();
    for (int i = 0; i < 300; i++) {
      byte[] key = new byte[1 + random.nextInt(3)];
      for (int k = 0; k < key.length; k++) {
        key[k] = (byte) (random.nextBoolean() ? 'a' + random.nextInt(4) : -random.nextInt(4));
      }
      model.add(key);
      puts.writeBytes(HttpTestNode.request("PUT /v1/kv/" + encoded(key), new byte[] {1}));
    }
    assertThat(node.exchange(puts.toByteArray())).hasSize(300);
    List<String> expected = model.stream().map(key -> new String(key, ISO_8859_1)).toList();

    for (int limit : new int[] {1, 2, 7, 100, 1_000}) {
      assertThat(all("", limit)).as("limit %d", limit).isEqualTo(expected);
    }
    for (int i = 0; i < 20; i++) {
      byte[] prefix = {(byte) (random.nextBoolean() ? 'a' : -random.nextInt(4))};
      byte[] start = {(byte) ('a' + random.nextInt(4)), (byte) random.nextInt(256)};
      byte[] end = {(byte) -random.nextInt(4)};
      String query =
          (random.nextBoolean() ? "&prefix=" + encoded(prefix) : "&start=" + encoded(start))
              + (random.nextBoolean() ? "&end=" + encoded(end) : "");
      List<String> within =
          model.stream()
              .filter(key -> !query.contains("prefix") || key[0] == prefix[0])
              .filter(key -> !query.contains("start") || Arrays.compareUnsigned(key, start) >= 0)
              .filter(key -> !query.contains("end") || Arrays.compareUnsigned(key, end) < 0)
              .map(key -> new String(key, ISO_8859_1))
              .toList();
      assertThat(all(query, 1 + random.nextInt(20))).as(query).isEqualTo(within);
    }
  }

  @Test
  void longKeysMakeShortPages() throws IOException {
    for (int i = 0; i < 60; i++) {
      String key = "%02d".formatted(i) + "x".repeat(50_000);
      assertThat(node.ask("PUT /v1/kv/" + key, new byte[1]).status()).isEqualTo(201);
    }
    Answer first = node.ask("GET /v1/kv?limit=1000");
    assertThat(first.body().length).isLessThan((1 << 20) + 100_000);
    assertThat(JSON.readTree(first.body()).get("cursor").isTextual()).isTrue();
    assertThat(all("", 1_000)).hasSize(60);
    assertThat(all("", 1)).hasSize(60);
  }

  @Test
  void keysThatHaveTooMuchInCommonForACursorAreSaid() throws IOException {
    String common = "x".repeat(40_000);
    for (String end : new String[] {"a", "b"}) {
      assertThat(node.ask("PUT /v1/kv/" + common + end, new byte[1]).status()).isEqualTo(201);
    }
    assertThat(node.ask("GET /v1/kv?limit=1").status()).isEqualTo(400);
    assertThat(all("", 2)).hasSize(2);
    String less = common.substring(1);
    node.ask("DELETE /v1/kv/" + common + "a");
    node.ask("PUT /v1/kv/" + less + "a", new byte[1]);
    node.ask("PUT /v1/kv/" + less + "b", new byte[1]);
    assertThat(all("", 1)).hasSize(3);
  }

  @Test
  void onePartitionThatCannotAnswerIsSaid() throws IOException {
    node.router.failures.put(3, new Reply.Failed(ErrorCode.CLUSTERDOWN, "no leader"));
    assertThat(node.ask("GET /v1/kv").status()).isEqualTo(503);
    assertThat(node.ask("GET /v1/kv?start=b&end=a").status()).as("nothing to ask").isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"limit=0", "limit=1001", "limit=x", "cursor=*", "perfix=a", "consistency=x"})
  void whatMakesNoSenseIsRefused(String query) throws IOException {
    assertThat(node.ask("GET /v1/kv?" + query).status()).isEqualTo(400);
    assertThat(node.router.requests).hasValue(0);
  }
}

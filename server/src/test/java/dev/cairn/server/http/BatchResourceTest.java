// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.Slots;
import dev.cairn.server.http.HttpTestNode.Answer;
import dev.cairn.server.operation.Reply;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Several operations in one request. */
final class BatchResourceTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int PARTITIONS = 2;

  private final HttpTestNode node = new HttpTestNode(PARTITIONS);

  BatchResourceTest() throws IOException {}

  @AfterEach
  void stop() {
    node.close();
  }

  /** A key of a partition. */
  private static String key(int partition, int number) {
    for (int i = 0; ; i++) {
      String key = "k" + number + "-" + i;
      if (Slots.of(key.getBytes(UTF_8)) * PARTITIONS / Slots.COUNT == partition) {
        return key;
      }
    }
  }

  private Answer batch(String... operations) throws IOException {
    String body = "{'operations':[" + String.join(",", operations) + "]}";
    return node.ask(
        "POST /v1/batch",
        body.replace('\'', '"').getBytes(UTF_8),
        "Content-Type: application/json");
  }

  private static String put(String key, String value, String... more) {
    return "{'op':'put','key':'%s','value':'%s'%s}".formatted(key, value, String.join("", more));
  }

  private static String get(String key) {
    return "{'op':'get','key':'%s'}".formatted(key);
  }

  private static JsonNode json(Answer answer) throws IOException {
    return JSON.readTree(answer.body());
  }

  @Test
  void operationsOfOnePartitionAreOneStep() throws IOException {
    String one = key(0, 1);
    String two = key(0, 2);
    Answer answer =
        batch(
            put(one, "a"),
            put(two, "b", ",'ttl':1.5"),
            get(one),
            "{'op':'delete','key':'" + one + "'}",
            get(one),
            "{'op':'delete','key':'" + one + "'}");

    assertThat(answer.status()).as(answer.text()).isEqualTo(200);
    assertThat(json(answer).get("atomic").asBoolean()).isTrue();
    assertThat(json(answer).get("results").findValuesAsText("status"))
        .containsExactly("201", "201", "200", "204", "404", "404");
    assertThat(json(answer).get("results").get(2).get("value").asText()).isEqualTo("a");
    assertThat(node.router.requests).as("one write").hasValue(1);
    assertThat(node.ask("GET /v1/kv/" + two).header("Cairn-TTL-Millis")).isEqualTo("1500");
  }

  @Test
  void aVersionThatIsNotThereStopsItsPartitionAndNoOther() throws IOException {
    String one = key(0, 1);
    String other = key(0, 2);
    String elsewhere = key(1, 3);
    node.ask("PUT /v1/kv/" + one, new byte[1]);

    Answer answer = batch(put(one, "x", ",'ifVersion':0"), put(other, "y"), put(elsewhere, "z"));

    assertThat(answer.status()).isEqualTo(207);
    assertThat(json(answer).get("atomic").asBoolean()).isFalse();
    assertThat(json(answer).get("results").findValuesAsText("status"))
        .containsExactly("412", "412", "201");
    assertThat(json(answer).get("parts").findValuesAsText("outcome"))
        .containsExactly("precondition-failed", "applied");
    assertThat(json(answer).get("parts").get(0).get("operations")).hasSize(2);
    assertThat(node.ask("GET /v1/kv/" + other).status()).isEqualTo(404);

    long version = json(batch(put(elsewhere, "w"))).get("results").get(0).get("version").asLong();
    assertThat(batch(put(elsewhere, "v", ",'ifVersion':" + version)).status()).isEqualTo(200);
    assertThat(batch(put(elsewhere, "u", ",'ifVersion':" + version)).status()).isEqualTo(207);
    assertThat(node.ask("GET /v1/kv/" + elsewhere).text()).isEqualTo("v");
  }

  @Test
  void whatIsRefusedAndWhatIsUnknownIsSaidOfEachPart() throws IOException {
    node.router.failures.put(0, new Reply.Failed(ErrorCode.CLUSTERDOWN, "no leader"));
    node.router.failures.put(1, new Reply.Failed(ErrorCode.UNKNOWN, "who knows"));
    Answer answer = batch(put(key(0, 1), "x"), put(key(1, 1), "y"));
    assertThat(answer.status()).isEqualTo(207);
    assertThat(json(answer).get("parts").findValuesAsText("outcome"))
        .containsExactly("refused", "unknown");
    assertThat(json(answer).get("results").findValuesAsText("status"))
        .containsExactly("503", "504");
  }

  @Test
  void bytesTravelAsBase64() throws IOException {
    Answer answer =
        batch(
            "{'op':'put','keyBase64':'AP8=','valueBase64':'/wA='}",
            "{'op':'get','keyBase64':'AP8='}");
    assertThat(json(answer).get("results").get(1).get("valueBase64").asText()).isEqualTo("/wA=");
    assertThat(node.ask("GET /v1/kv/%00%ff").body()).containsExactly(0xff, 0);
    node.ask("PUT /v1/kv/long", new byte[(1 << 20) + 1]);
    assertThat(json(batch(get("long"))).get("results").get(0).get("status").asInt()).isEqualTo(406);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{",
        "{'operations':[]}",
        "{'operations':{}}",
        "{'operations':[{'op':'get','key':'a'}],'more':1}",
        "{'operations':[{'op':'get','key':'a'}],'operations':[]}",
        "{'operations':[{'op':'get','key':'a'}]} {}",
        "{'operations':[{'op':'take','key':'a'}]}",
        "{'operations':[{'op':'get'}]}",
        "{'operations':[{'op':'get','key':''}]}",
        "{'operations':[{'op':'get','key':1}]}",
        "{'operations':[{'op':'get','key':'\\ud800'}]}",
        "{'operations':[{'op':'get','key':'a','keyBase64':'YQ=='}]}",
        "{'operations':[{'op':'get','keyBase64':'*'}]}",
        "{'operations':[{'op':'get','key':'a','value':'b'}]}",
        "{'operations':[{'op':'put','key':'a'}]}",
        "{'operations':[{'op':'put','key':'a','value':'b','ttl':0}]}",
        "{'operations':[{'op':'put','key':'a','value':'b','ttl':[]}]}",
        "{'operations':[{'op':'put','key':'a','value':'b','ifVersion':-1}]}",
        "{'operations':[{'op':'put','key':'a','value':'b','ifVersion':1.5}]}",
        "{'operations':[{'op':'put','key':'a','value':'b','ifVersion':1e30}]}",
        "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]",
      })
  void whatMakesNoSenseIsRefusedWhole(String body) throws IOException {
    Answer answer = node.ask("POST /v1/batch", body.replace('\'', '"').getBytes(UTF_8));
    assertThat(answer.status()).as(answer.text()).isEqualTo(400);
    assertThat(node.router.requests).hasValue(0);
  }

  @Test
  void operationsAreBounded() throws IOException {
    String[] puts = new String[1_001];
    Arrays.fill(puts, put("a", "b"));
    assertThat(batch(puts).status()).isEqualTo(400);
    assertThat(batch(Arrays.copyOf(puts, 1_000)).status()).isEqualTo(200);
    String[] gets = new String[33];
    Arrays.fill(gets, get("a"));
    assertThat(batch(gets).status()).isEqualTo(400);
    assertThat(batch(Arrays.copyOf(gets, 32)).status()).isEqualTo(200);
  }
}

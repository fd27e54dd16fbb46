// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.server.http.HttpTestNode.Answer;
import dev.cairn.server.operation.Reply;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Every answer that {@code openapi.yaml} names is given once here, and is as it says. The other
 * tests of this package hold theirs against it too.
 */
final class ContractTest {
  private final HttpTestNode node = new HttpTestNode(1);

  ContractTest() throws IOException {}

  @AfterEach
  void stop() {
    node.close();
  }

  private Answer ask(int status, String methodAndTarget, String body, String... headers)
      throws IOException {
    Answer answer = node.ask(methodAndTarget, body.getBytes(UTF_8), headers);
    assertThat(answer.status()).as("%s: %s", methodAndTarget, answer.text()).isEqualTo(status);
    return answer;
  }

  private void failing(ErrorCode code) {
    node.router.failures.put(0, new Reply.Failed(code, "said by the test"));
  }

  @Test
  void everyAnswerThatIsNamedIsGivenAsItIsNamed() throws IOException {
    keys();
    listAndBatch();
    ClusterResourceTest.fill(node.router);
    for (String path : List.of("cluster", "nodes", "partitions", "ring", "stats", "history")) {
      ask(200, "GET /v1/" + path, "");
    }
    ask(400, "GET /v1/cluster?x=1", "");
    node.router.documents = Map.of();
    ask(200, "GET /v1/slowlog", "");
    ask(400, "GET /v1/slowlog?count=-1", "");
    ask(200, "GET /v1/session", "");
    ask(204, "POST /v1/session", "{\"user\":\"default\",\"password\":\"any\"}");
    ask(401, "POST /v1/session", "{\"user\":\"nobody\",\"password\":\"any\"}");
    String form = "Content-Type: application/x-www-form-urlencoded";
    ask(303, "POST /v1/session", "user=default&password=any", form);
    ask(204, "DELETE /v1/session", "");
    ask(200, "GET /healthz", "");
    ask(200, "GET /readyz", "");
    node.notReady = Optional.of("partition 0 has no leader");
    ask(503, "GET /readyz", "");
    ask(200, "GET /metrics", "");
    ask(200, "GET /openapi.yaml", "");
    console();
    ask(200, "GET /problems/no-room", "");
    ask(404, "GET /problems/none", "");
    noRoom();

    assertThat(node.contract.given()).isEqualTo(Contract.named());
  }

  private void noRoom() throws IOException {
    Runnable documentsRead = node.fillDocuments();
    for (String path :
        List.of("cluster", "nodes", "partitions", "ring", "stats", "history", "slowlog")) {
      ask(503, "GET /v1/" + path, "");
    }
    for (String path : List.of("metrics", "openapi.yaml", "", "console/app.js")) {
      ask(503, "GET /" + path, "");
    }
    documentsRead.run();
    Runnable bodiesSent = node.fillBodies();
    ask(503, "POST /v1/batch", "{}");
    bodiesSent.run();
  }

  private void console() throws IOException {
    String tag = ask(200, "GET /", "").header("ETag");
    ask(304, "GET /", "", "If-None-Match: " + tag);
    tag = ask(200, "GET /console/app.js", "", "Accept-Encoding: gzip").header("ETag");
    ask(304, "GET /console/app.js", "", "Accept-Encoding: gzip", "If-None-Match: " + tag);
    for (String file : List.of("style.css", "icon.svg", "inter.woff2", "uplot-license.txt")) {
      ask(200, "GET /console/" + file, "");
    }
    ask(404, "GET /console/none.js", "");
  }

  private void keys() throws IOException {
    String key = " /v1/kv/a";
    ask(404, "GET" + key, "");
    ask(404, "HEAD" + key, "");
    ask(404, "DELETE" + key, "");
    String tag = ask(201, "PUT" + key, "0123").header("ETag");
    ask(204, "PUT" + key, "01234");
    ask(200, "GET" + key, "");
    ask(200, "GET" + key, "", "Accept: application/json");
    ask(206, "GET" + key, "", "Range: bytes=1-2");
    ask(416, "GET" + key, "", "Range: bytes=9-");
    String now = ask(200, "HEAD" + key, "").header("ETag");
    ask(304, "GET" + key, "", "If-None-Match: " + now);
    ask(304, "HEAD" + key, "", "If-None-Match: " + now);
    for (String method : List.of("GET", "HEAD", "PUT", "DELETE")) {
      ask(412, method + key, "", "If-Match: " + tag);
      ask(400, method + key + "?x=1", "");
    }
    Answer elsewhere =
        node.exchange("GET /v1/kv/a HTTP/1.1\r\nHost: evil.example\r\n\r\n".getBytes(UTF_8)).get(0);
    node.contract.hold("GET" + key, elsewhere);
    node.contract.hold("PUT" + key, elsewhere);
    assertThat(elsewhere.status()).isEqualTo(421);
    ask(403, "PUT" + key, "x", "Origin: http://evil.example");
    ask(415, "PUT" + key, "x", "Content-Encoding: gzip");
    ask(417, "PUT" + key, "x", "Expect: tea");
    byte[] tooLong = new byte[HttpTestNode.VALUE_BYTES_MAX + 1];
    assertThat(node.ask("PUT" + key, tooLong).status()).isEqualTo(413);
    node.ask("PUT /v1/kv/long", new byte[KeyRecord.JSON_VALUE_BYTES_MAX + 1]);
    ask(406, "GET /v1/kv/long", "", "Accept: application/json");
    ask(406, "HEAD /v1/kv/long", "", "Accept: application/json");
    for (String method : List.of("GET", "HEAD", "PUT", "DELETE")) {
      failing(ErrorCode.CLUSTERDOWN);
      ask(503, method + key, "");
    }
    failing(ErrorCode.UNKNOWN);
    ask(504, "PUT" + key, "");
    ask(504, "DELETE" + key, "");
    failing(ErrorCode.OOM);
    ask(507, "PUT" + key, "");
    node.router.failures.clear();
    ask(201, "PUT" + key, "");
    ask(204, "DELETE" + key, "");
  }

  private void listAndBatch() throws IOException {
    ask(201, "PUT /v1/kv/%ff", "x");
    ask(200, "GET /v1/kv", "");
    ask(200, "GET /v1/kv?limit=1", "");
    ask(400, "GET /v1/kv?limit=0", "");
    String put = "{\"op\":\"put\",\"key\":\"a\",\"value\":\"b\",\"ifVersion\":0}";
    String batch = "{\"operations\":[" + put + ",{\"op\":\"get\",\"key\":\"a\"}]}";
    ask(200, "POST /v1/batch", batch);
    ask(207, "POST /v1/batch", batch);
    ask(400, "POST /v1/batch", "");
    failing(ErrorCode.CLUSTERDOWN);
    ask(503, "GET /v1/kv", "");
    ask(207, "POST /v1/batch", batch);
    node.router.failures.clear();
  }

  @Test
  void aContractThatHoldsNothingWouldBeNone() {
    Contract contract = new Contract();
    TreeMap<String, String> json = new TreeMap<>(Map.of("content-type", "application/json"));
    for (Answer wrong :
        List.of(
            new Answer(200, json, "{\"status\":\"dead\"}".getBytes(UTF_8)),
            new Answer(200, json, "{}".getBytes(UTF_8)),
            new Answer(200, new TreeMap<>(Map.of("content-type", "text/html")), new byte[0]),
            new Answer(500, json, "{\"status\":\"alive\"}".getBytes(UTF_8)),
            new Answer(503, json, "{\"status\":\"alive\"}".getBytes(UTF_8)),
            new Answer(202, json, "{\"status\":\"alive\"}".getBytes(UTF_8)))) {
      assertThatThrownBy(() -> contract.hold("GET /healthz", wrong))
          .isInstanceOf(AssertionError.class);
    }
  }
}

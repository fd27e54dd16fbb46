// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cairn.server.resp.FakeRouter;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The cluster's documents, joined from its status and what nodes tell. */
final class ClusterResourceTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpTestNode node = new HttpTestNode(1);

  ClusterResourceTest() throws IOException {
    fill(node.router);
  }

  /** Two nodes, one of which is down, and one partition. */
  static void fill(FakeRouter router) {
    router.status = status(10, 10);
    router.documents =
        Map.of(
            FakeRouter.NODE_0,
            """
            {"connections":{"client":1,"cluster":0},"queues":{"writes":0,"reads":0,"proposals":0},
             "partitions":[{"index":0,"keys":42,"dataBytes":1000,"diskBytes":900,"logBytes":50}]}
            """
                .getBytes(UTF_8));
  }

  /** After so many reads that took 1 to 2 milliseconds, and so many that took longer than any. */
  private static String status(long fast, long slow) {
    return """
    {"answeredBy":"127.0.0.1:5000","clusterId":"0123456789abcdef0123456789abcdef01234567","epoch":3,"replicationFactor":2,"partitions":1,
     "healthy":false,"problems":[{"name":"node-down","subject":"127.0.0.1:5001","state":"set","ageMillis":7000,"text":"x"}],
     "nodes":[{"name":"127.0.0.1:5000","id":"%1$s","host":"db1.example","clientPort":7001,"clusterPort":0,"up":true,"heard":true,"reached":true,"unreachedBy":[],"heardMillisAgo":3,"leads":1,"replicas":1,"witnesses":0,"version":"0.1",
               "upMillis":%3$d,"diskBytes":4,"diskFreeBytes":3,"diskLow":false,"heapUsedBytes":1,"heapMaxBytes":2,"residentBytes":5,
               "reads":%3$d,"writes":0,"failed":1,
               "within":[{"micros":1000,"count":0},{"micros":2000,"count":%4$d},{"micros":null,"count":%3$d}]},
              {"name":"127.0.0.1:5001","id":"%2$s","host":"127.0.0.1","clientPort":5001,"clusterPort":25001,"up":false,"heard":false,"reached":false,"unreachedBy":[],"leads":0,"replicas":1,"witnesses":0,"version":""}],
     "partitionList":[{"index":0,"firstSlot":0,"lastSlot":16383,"leader":"127.0.0.1:5000","term":2,"canLose":0,
       "replicas":[{"node":"127.0.0.1:5000","up":true,"counts":true,"lag":0},{"node":"127.0.0.1:5001","up":false,"counts":false,"lag":7}],
       "witness":null}]}
    """
        .formatted(FakeRouter.NODE_0, FakeRouter.NODE_1, fast + slow, fast);
  }

  @AfterEach
  void stop() {
    node.close();
  }

  private JsonNode get(String path) throws IOException {
    HttpTestNode.Answer answer = node.ask("GET " + path);
    assertThat(answer.status()).as(answer.text()).isEqualTo(200);
    return JSON.readTree(answer.body());
  }

  @Test
  void nodesThatAreUpTellMore() throws IOException {
    JsonNode nodes = get("/v1/nodes").get("nodes");
    assertThat(nodes.findValuesAsText("state")).containsExactly("up", "down");
    assertThat(nodes.get(0).get("diskFreeBytes").asLong()).isEqualTo(3);
    assertThat(nodes.get(0).get("connections").get("client").asLong()).isEqualTo(1);
    assertThat(nodes.get(0).get("host").asText()).isEqualTo("db1.example");
    assertThat(nodes.get(0).get("clientPort").asInt()).isEqualTo(7001);
    assertThat(nodes.get(0).get("clusterPort").asInt()).isZero();
    assertThat(nodes.get(1).get("diskFreeBytes").isNull()).isTrue();
    assertThat(get("/v1/cluster").get("epoch").asLong()).isEqualTo(3);
  }

  @Test
  void partitionsSayWhoLagsAndWhatTheyHold() throws IOException {
    JsonNode partition = get("/v1/partitions").get("partitions").get(0);
    assertThat(partition.get("keys").asLong()).isEqualTo(42);
    assertThat(partition.get("replicas").findValuesAsText("lag")).containsExactly("0", "7");
    assertThat(partition.get("replicas").get(1).get("keys").isNull()).isTrue();
    assertThat(partition.get("witness").isNull()).isTrue();
  }

  @Test
  void aNodeThatIsHeardOrReachedOnlyIsNeitherUpNorDown() {
    assertThat(state(true, true)).isEqualTo("up");
    assertThat(state(true, false)).isEqualTo("unreached");
    assertThat(state(false, true)).isEqualTo("unheard");
    assertThat(state(false, false)).isEqualTo("down");
  }

  private static String state(boolean heard, boolean reached) {
    return ClusterResource.state(
        JSON.createObjectNode()
            .put("up", heard && reached)
            .put("heard", heard)
            .put("reached", reached));
  }

  @Test
  void theRingHasPlacesFromZeroToOne() throws IOException {
    JsonNode ring = get("/v1/ring");
    assertThat(ring.get("nodes").get(0).get("points"))
        .hasSize(64)
        .allSatisfy(point -> assertThat(point.asDouble()).isBetween(0.0, 1.0));
    assertThat(ring.get("partitions").get(0).get("point").asDouble()).isBetween(0.0, 1.0);
  }

  @Test
  void figuresAreCountedAndAreRatesSinceAnEarlierAnswer() throws IOException {
    AtomicLong nanos = new AtomicLong();
    StatsDocument stats = new StatsDocument(nanos::get);
    JsonNode first = write(stats, status(100, 0));
    assertThat(first.at("/cluster/reads/count").asLong()).isEqualTo(100);
    assertThat(first.at("/cluster/reads/perSecond").asDouble()).isZero();
    assertThat(first.at("/cluster/latency/p50Millis").isNull()).isTrue();

    nanos.set(2_000_000_000L);
    JsonNode second = write(stats, status(120, 0));
    assertThat(second.at("/windowSeconds").asDouble()).isEqualTo(2);
    assertThat(second.at("/cluster/reads/perSecond").asDouble()).isEqualTo(10);
    assertThat(second.at("/cluster/latency/p50Millis").asDouble()).isBetween(1.0, 2.0);
    assertThat(second.at("/nodes/0/buckets/1/count").asLong()).isEqualTo(120);
    assertThat(second.at("/nodes/1/state").asText()).isEqualTo("down");

    for (long seconds = 3; seconds < 30; seconds++) {
      nanos.set(seconds * 1_000_000_000L);
      write(stats, status(120, 0));
    }
    assertThat(write(stats, status(120, 0)).at("/windowSeconds").asDouble()).isBetween(10.0, 11.0);
    JsonNode anew = write(stats, status(3, 4));
    assertThat(anew.at("/cluster/reads/perSecond").asDouble()).as("it was started anew").isZero();
  }

  private static JsonNode write(StatsDocument stats, String status) throws IOException {
    ObjectNode document = JSON.createObjectNode();
    stats.write(document, JSON.readTree(status));
    return document;
  }

  @Test
  void percentilesLieInTheirBucket() {
    double[] bounds = {1, 2};
    assertThat(StatsDocument.millis(bounds, new long[] {0, 0, 4}, 0.5)).isEqualTo(2);
    assertThat(StatsDocument.millis(bounds, new long[] {4, 4, 4}, 0.5)).isEqualTo(0.5);
    assertThat(StatsDocument.millis(bounds, new long[] {0, 4, 4}, 1)).isEqualTo(2);
  }

  @Test
  void slowCommandsOfAllNodesTheLatestFirst() throws IOException {
    node.router.documents =
        Map.of(
            FakeRouter.NODE_0,
            "[{\"id\":1,\"atMillis\":1000,\"words\":[\"R0VU\",\"/w==\"]},{\"id\":0,\"atMillis\":500}]"
                .getBytes(UTF_8),
            FakeRouter.NODE_1,
            "[{\"id\":0,\"atMillis\":700}]".getBytes(UTF_8));
    JsonNode entries = get("/v1/slowlog?count=2").get("entries");
    assertThat(entries.findValuesAsText("atMillis")).containsExactly("1000", "700");
    assertThat(entries.get(0).at("/command/0").asText()).isEqualTo("GET");
    assertThat(entries.get(0).at("/command/1").asText()).isEqualTo("\\xff");
    assertThat(entries.get(1).get("node").asText()).isEqualTo("127.0.0.1:5001");
    assertThat(node.ask("GET /v1/slowlog?count=x").status()).isEqualTo(400);
  }
}

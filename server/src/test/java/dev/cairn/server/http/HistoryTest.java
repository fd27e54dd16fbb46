// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.metrics.CommandMetrics;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a node keeps of the cluster's last quarter of an hour. */
final class HistoryTest {
  private static final List<String> NAMES =
      List.of("reads", "writes", "failed", "p50Millis", "p99Millis");

  private Map<String, NodeReport.Figures> reports = Map.of();
  private long nowMillis = 1_000_000;
  private final History history = new History(() -> reports, () -> nowMillis * 1_000_000);

  @AfterEach
  void stop() {
    history.close();
  }

  /** A node that is up for so long and has answered so much, all of it within 1 to 2 ms. */
  private static NodeReport.Figures node(long upMillis, long reads, long writes, long failed) {
    List<CommandMetrics.Bucket> within =
        List.of(
            new CommandMetrics.Bucket(1_000, 0),
            new CommandMetrics.Bucket(2_000, reads + writes),
            new CommandMetrics.Bucket(Long.MAX_VALUE, reads + writes));
    return new NodeReport.Figures(
        upMillis, 0, 0, 0, 0, new CommandMetrics.Totals(reads, writes, failed, within));
  }

  private void sample(long afterMillis, Map<String, NodeReport.Figures> told) {
    nowMillis += afterMillis;
    reports = told;
    history.sample();
  }

  private JsonNode points() {
    return history.document().get("points");
  }

  private void isGap(JsonNode point) {
    assertThat(NAMES).allMatch(name -> point.get(name).isNull());
  }

  @Test
  void ratesOfAllNodesAreAddedUpAndAMomentHasItsAge() {
    sample(0, Map.of("a", node(1_000, 10, 0, 0), "b", node(5_000, 0, 0, 0)));
    sample(3_000, Map.of("a", node(4_000, 40, 6, 3), "b", node(7_000, 20, 0, 0)));
    nowMillis += 500;

    assertThat(points()).hasSize(2);
    isGap(points().get(0));
    JsonNode point = points().get(1);
    assertThat(point.get("millisAgo").asLong()).isEqualTo(500);
    assertThat(point.get("reads").asDouble()).isEqualTo(20);
    assertThat(point.get("writes").asDouble()).isEqualTo(2);
    assertThat(point.get("failed").asDouble()).isEqualTo(1);
    assertThat(point.get("p50Millis").asDouble()).isEqualTo(1.5);
    assertThat(point.get("p99Millis").asDouble()).isEqualTo(1.99);
  }

  @Test
  void aQuietMomentHasZeroesAndNoLatency() {
    sample(0, Map.of("a", node(1_000, 10, 0, 0)));
    sample(3_000, Map.of("a", node(4_000, 10, 0, 0)));
    assertThat(points().get(1).get("reads").asDouble()).isZero();
    assertThat(points().get(1).get("reads").isNull()).isFalse();
    assertThat(points().get(1).get("p50Millis").isNull()).isTrue();
  }

  /** A pause of the process, of which nobody knows what was done in it. */
  @Test
  void whatCameLateIsAGap() {
    sample(0, Map.of("a", node(1_000, 10, 0, 0)));
    sample(7_500, Map.of("a", node(8_500, 20, 0, 0)));
    sample(7_501, Map.of("a", node(16_001, 9_000, 0, 0)));
    sample(3_000, Map.of("a", node(19_001, 9_003, 0, 0)));
    assertThat(points().get(1).get("reads").isNull()).isFalse();
    isGap(points().get(2));
    assertThat(points().get(3).get("reads").asDouble()).isEqualTo(1);
  }

  @Test
  void aNodeThatBeganAnewOrIsDownAddsNothing() {
    sample(0, Map.of("a", node(1_000, 0, 0, 0), "b", node(90_000, 500, 0, 0)));
    sample(3_000, Map.of("a", node(4_000, 30, 0, 0), "b", node(200, 7, 0, 0)));
    sample(3_000, Map.of("a", node(7_000, 60, 0, 0), "b", node(3_200, 10, 0, 0)));
    sample(3_000, Map.of("a", node(10_000, 90, 0, 0)));
    assertThat(points().findValues("reads").stream().skip(1).map(JsonNode::asDouble))
        .containsExactly(10.0, 11.0, 10.0);
  }

  @Test
  void withoutANewReportNothingIsKnown() {
    sample(0, Map.of());
    sample(3_000, Map.of("a", node(1_000, 0, 0, 0)));
    sample(3_000, Map.of("a", node(1_000, 0, 0, 0)));
    points().forEach(this::isGap);
  }

  @Test
  void theOldestMomentsAreForgotten() {
    for (int i = 0; i <= History.POINTS; i++) {
      sample(History.EVERY_MILLIS, Map.of("a", node(3_000L * i + 1, i * 3L, 0, 0)));
    }
    assertThat(points()).hasSize(History.POINTS);
    assertThat(points().get(0).get("reads").asDouble()).as("the gap at the start").isEqualTo(1);
    assertThat(points().get(0).get("millisAgo").asLong())
        .isEqualTo((History.POINTS - 1L) * History.EVERY_MILLIS);
    assertThat(points().get(History.POINTS - 1).get("millisAgo").asLong()).isZero();
  }
}

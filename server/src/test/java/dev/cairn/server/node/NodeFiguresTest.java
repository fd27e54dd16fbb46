// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.metrics.CommandMetrics.Bucket;
import dev.cairn.server.metrics.CommandMetrics.Kind;
import dev.cairn.server.metrics.CommandMetrics.Outcome;
import dev.cairn.server.metrics.CommandMetrics.Totals;
import dev.cairn.server.metrics.Metrics;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeFiguresTest {
  @TempDir Path folder;

  @Test
  void commandsAreCountedByWhatTheyDoToDataAndHowTheyEnded() throws Exception {
    try (Metrics metrics = new Metrics()) {
      NodeFigures figures = new NodeFigures(folder, metrics);
      assertThat(figures.look().answered().reads()).isZero();
      metrics.commands().answered("get", Outcome.OK, 90_000);
      metrics.commands().answered("get", Outcome.UNKNOWN, 1_500_000_000);
      metrics.commands().answered("set", Outcome.OK, 3_000_000);
      metrics.commands().answered("set", Outcome.OK, 60_000_000_000L);
      metrics.commands().answered("del", Outcome.REFUSED, 90_000);
      metrics.commands().answered("incr", Outcome.INVALID, 90_000);
      metrics.commands().answered("ping", Outcome.OK, 90_000);
      metrics.commands().answered("http.kv.put", Outcome.OK, 90_000);
      Totals totals = figures.look().answered();
      assertThat(totals.reads()).isEqualTo(2);
      assertThat(totals.writes()).isEqualTo(5);
      assertThat(totals.failed()).isEqualTo(2);
      assertThat(totals.within())
          .contains(new Bucket(100, 2), new Bucket(2_500, 2), new Bucket(5_000, 3))
          .endsWith(new Bucket(10_000_000, 3), new Bucket(Long.MAX_VALUE, 4));
    }
  }

  @Test
  void whatTheNodeUsesIsKnown() throws Exception {
    try (Metrics metrics = new Metrics()) {
      NodeReport.Figures figures = new NodeFigures(folder, metrics).look();
      assertThat(figures.upMillis()).isPositive();
      assertThat(figures.diskBytes()).isPositive();
      assertThat(figures.heapUsedBytes()).isPositive().isLessThan(figures.heapMaxBytes());
      assertThat(figures.residentBytes()).isNotNegative();
    }
  }

  @Test
  void everyCommandHasItsKind() {
    assertThat(NodeFigures.kind("mget")).isEqualTo(Kind.READ);
    assertThat(NodeFigures.kind("setrange")).isEqualTo(Kind.WRITE);
    assertThat(NodeFigures.kind("client")).isEqualTo(Kind.OTHER);
    assertThat(NodeFigures.kind("of another version")).isEqualTo(Kind.OTHER);
    assertThat(NodeFigures.kind("http.kv.get")).isEqualTo(Kind.READ);
    assertThat(NodeFigures.kind("http.batch.post")).isEqualTo(Kind.WRITE);
  }
}

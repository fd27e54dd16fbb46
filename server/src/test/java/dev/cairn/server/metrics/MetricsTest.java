// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class MetricsTest {
  private final Metrics metrics = new Metrics();

  private List<String> lines() {
    return new String(metrics.scrape(), StandardCharsets.UTF_8).lines().toList();
  }

  @Test
  void countersGrow() {
    metrics.counter(Metric.FORWARDED, "read").increment();
    metrics.counter(Metric.FORWARDED, "read").add(4);

    assertThat(lines()).contains("cairn_forwarded_requests_total{kind=\"read\"} 5.0");
  }

  @Test
  void commandsHaveAHistogramOfSecondsForEachResult() {
    metrics.commands().answered("get", CommandMetrics.Outcome.OK, 300_000);
    metrics.commands().answered("get", CommandMetrics.Outcome.OK, 20_000_000_000L);
    metrics.commands().answered("get", CommandMetrics.Outcome.UNKNOWN, 1);

    assertThat(lines())
        .contains(
            "cairn_command_duration_seconds_bucket{command=\"get\",result=\"ok\",le=\"2.5E-4\"} 0",
            "cairn_command_duration_seconds_bucket{command=\"get\",result=\"ok\",le=\"5.0E-4\"} 1",
            "cairn_command_duration_seconds_bucket{command=\"get\",result=\"ok\",le=\"10.0\"} 1",
            "cairn_command_duration_seconds_bucket{command=\"get\",result=\"ok\",le=\"+Inf\"} 2",
            "cairn_command_duration_seconds_count{command=\"get\",result=\"unknown\"} 1");
  }

  @Test
  void rowsComeAndGo() {
    List<Metrics.Row> rows = new ArrayList<>(List.of(Metrics.Row.of(1, 10), Metrics.Row.of(2, 20)));
    metrics.gauges(Metric.PARTITION_KEYS, () -> List.copyOf(rows));
    assertThat(lines()).contains("cairn_partition_keys{partition=\"1\"} 10.0");

    rows.set(1, Metrics.Row.of(2, 21));
    rows.remove(0);

    assertThat(lines())
        .contains("cairn_partition_keys{partition=\"2\"} 21.0")
        .noneMatch(line -> line.startsWith("cairn_partition_keys{partition=\"1\""));
  }

  @Test
  void whatIsAskedForIsKeptForAsLongAsTheNodeRuns() {
    metrics.counted(Metric.ROCKSDB_STALLED, () -> 1.5, "data");
    metrics.timed(Metric.LOG_FSYNC_DURATION, () -> 3, () -> 0.25);
    System.gc();

    assertThat(lines())
        .contains(
            "cairn_rocksdb_stalled_seconds_total{database=\"data\"} 1.5",
            "cairn_log_fsync_duration_seconds_count 3",
            "cairn_log_fsync_duration_seconds_sum 0.25");
  }

  /** Prometheus' rules: a count belongs to a histogram or summary, units are not abbreviated. */
  @Test
  void namesOfTheProcessFollowTheRules() {
    metrics.measureProcess();

    assertThat(lines())
        .anyMatch(line -> line.startsWith("process_cpu_seconds_total "))
        .noneMatch(line -> line.matches("# TYPE (\\w+_count|\\w+_(ns|ms|us)(_total)?) .*"));
  }

  @Test
  void whoeverIsNamedLastIsAsked() {
    for (int i = 1; i <= 2; i++) {
      int generation = i;
      metrics.gauge(Metric.DISK_FREE, () -> generation);
      metrics.counted(Metric.ROCKSDB_STALLED, () -> generation, "data");
      metrics.timed(Metric.LOG_FSYNC_DURATION, () -> generation, () -> generation);
      metrics.gauges(
          Metric.PARTITION_KEYS, () -> List.of(Metrics.Row.of("of " + generation, generation)));
      lines();
    }

    assertThat(lines())
        .contains(
            "cairn_disk_free_bytes 2.0",
            "cairn_rocksdb_stalled_seconds_total{database=\"data\"} 2.0",
            "cairn_log_fsync_duration_seconds_count 2",
            "cairn_partition_keys{partition=\"of 2\"} 2.0")
        .noneMatch(line -> line.contains("of 1"));
  }

  @Test
  void misuseIsRefused() {
    assertThatThrownBy(() -> metrics.counter(Metric.FORWARDED))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> metrics.counter(Metric.CONNECTIONS, "client"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void whatIsNamedAgainIsAskedOfTheNewPart() throws IOException {
    try (Metrics metrics = new Metrics()) {
      metrics.gauge(Metric.DISK_FREE, () -> 1);
      metrics.gauge(Metric.DISK_FREE, () -> 2);
      String text = new String(metrics.scrape(), StandardCharsets.UTF_8);
      assertThat(text.lines().filter(line -> line.startsWith(Metric.DISK_FREE.metricName())))
          .singleElement()
          .asString()
          .endsWith(" 2.0");
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.metrics.Metric;
import dev.cairn.server.partition.LogLimits;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What three nodes measure of themselves, below their client ports. */
class NodeMetricsTest {
  /** Measured at the client ports, or of TLS, which these nodes have not. */
  private static final Set<Metric> OF_CLIENT_PORTS =
      EnumSet.of(
          Metric.COMMAND_DURATION,
          Metric.REFUSALS,
          Metric.CONNECTIONS,
          Metric.CONNECTIONS_OPENED,
          Metric.CONNECTIONS_REFUSED,
          Metric.RECEIVED_BYTES,
          Metric.SENT_BYTES,
          Metric.SOCKET_READS,
          Metric.SOCKET_WRITES,
          Metric.REQUEST_BYTES,
          Metric.CERTIFICATE_EXPIRES,
          Metric.HANDSHAKES,
          Metric.HANDSHAKES_UNDER_WAY,
          Metric.AUDIT_LOST);

  @TempDir Path folder;

  @Test
  void everyMetricOfTheTableIsThereWithItsType() throws Exception {
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, LogLimits.DEFAULT)) {
      List<List<String>> scrapes = List.of(lines(cluster, 0), lines(cluster, 1), lines(cluster, 2));

      assertThat(Arrays.stream(Metric.values()).filter(m -> !OF_CLIENT_PORTS.contains(m)))
          .allSatisfy(
              metric ->
                  assertThat(scrapes)
                      .anySatisfy(
                          lines ->
                              assertThat(lines)
                                  .contains(
                                      "# TYPE " + metric.metricName() + " " + metric.kind().type())
                                  .anyMatch(line -> line.startsWith(metric.metricName()))));
      assertThat(scrapes.get(0))
          .contains(
              "cairn_cluster_nodes 3.0", "cairn_cluster_nodes_up 3.0", "cairn_log_damaged 0.0");
      assertThat(scrapes.stream().mapToDouble(lines -> sum(lines, "cairn_partition_leads")).sum())
          .isEqualTo(RuntimeCluster.PARTITIONS);
      assertThat(scrapes)
          .allSatisfy(
              lines ->
                  assertThat(sum(lines, "cairn_log_fsync_duration_seconds_count")).isPositive());
    }
  }

  private static List<String> lines(RuntimeCluster cluster, int node) {
    return new String(cluster.metrics(node).scrape(), StandardCharsets.UTF_8)
        .lines()
        .collect(Collectors.toList());
  }

  private static double sum(List<String> lines, String name) {
    return lines.stream()
        .filter(line -> line.startsWith(name + "{") || line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }
}

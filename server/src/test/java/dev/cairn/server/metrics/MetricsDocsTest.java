// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code docs/reference/metrics.md} is made from the table ({@code -Dcairn.rewrite=true} writes
 * it), and what the files in {@code ops/} ask for exists.
 */
class MetricsDocsTest {
  private static final Path CHECKOUT = Path.of(System.getProperty("cairn.checkout", ".."));
  private static final Pattern NAME =
      Pattern.compile("\\b(?:cairn|jvm|process|system)_[a-z_]+[a-z]\\b");
  private static final Pattern SUFFIX = Pattern.compile("_(?:bucket|count|sum|max)$");

  @Test
  void pageIsMadeFromTheTable() throws IOException {
    Path page = CHECKOUT.resolve("docs/reference/metrics.md");
    if (Boolean.getBoolean("cairn.rewrite")) {
      Files.writeString(page, page());
    }

    assertThat(page).hasContent(page());
  }

  @ParameterizedTest
  @ValueSource(strings = {"ops/grafana-dashboard.json", "ops/alerts.yaml", "ops/alerts-test.yaml"})
  void whatIsAskedForExists(String file) throws IOException {
    Set<String> known = new TreeSet<>();
    Arrays.stream(Metric.values()).map(Metric::metricName).forEach(known::add);
    try (Metrics metrics = new Metrics()) {
      metrics.measureProcess();
      new String(metrics.scrape(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> line.startsWith("# TYPE "))
          .map(line -> line.split(" ")[2])
          .forEach(known::add);
    }
    known.add("jvm_gc_pause_seconds"); // comes with the first collection
    Set<String> asked = new TreeSet<>();
    Matcher names = NAME.matcher(Files.readString(CHECKOUT.resolve(file)));
    while (names.find()) {
      asked.add(names.group());
    }

    assertThat(asked)
        .isNotEmpty()
        .allSatisfy(
            name ->
                assertThat(known)
                    .as("%s in %s", name, file)
                    .containsAnyOf(name, SUFFIX.matcher(name).replaceFirst("")));
  }

  private static String page() {
    String rows =
        Arrays.stream(Metric.values())
            .map(
                metric ->
                    "| `%s` | %s | %s | %s |"
                        .formatted(
                            metric.metricName(),
                            metric.kind().type(),
                            metric.labels().stream()
                                .map(label -> "`" + label + "`")
                                .collect(Collectors.joining(", ")),
                            metric.help()))
            .collect(Collectors.joining("\n"));
    return """
    # Metrics

    Every node serves what it measures at `/metrics` of its client port, in Prometheus' text format:

        $ curl -s http://127.0.0.1:5000/metrics
        ...
        # TYPE cairn_cluster_nodes_up gauge
        cairn_cluster_nodes_up 3.0
        ...

    [ops/prometheus.yaml](../../ops/prometheus.yaml) scrapes three nodes, [ops/alerts.yaml](../../ops/alerts.yaml) has alert rules,
    [ops/grafana-dashboard.json](../../ops/grafana-dashboard.json) is a dashboard to import. A target by a name that is neither `localhost` nor
    one that a node announces needs that name in `--http-hosts`, or the node answers 421 ([browsers](http.md#browsers)).

    Names follow Prometheus: base units, `_total` for what only grows until the node restarts. A histogram has `_bucket`, `_count` and
    `_sum`, and beside it a gauge `_max` with the largest of the last two to three minutes. The values of labels are bounded: by Cairn's
    own names, by the number of partitions, or by that of nodes; none carries a key or a client.

    Made from the table `Metric` (run `MetricsDocsTest` with `-Dcairn.rewrite=true`): do not edit.

    | name | type | labels | what |
    |---|---|---|---|
    %s

    Beside these stand those of the JVM (`jvm_*`), the process (`process_*`) and the machine's processors (`system_*`), under Micrometer's
    names. `cairn_command_duration_seconds` and `cairn_refusals_total` have a line for a command, result or code once there was one.

    ## By Redis' exporter

    Dashboards made for Redis read `INFO`, which has the same figures ([commands](commands.md#info)), through `redis_exporter` (Debian's
    `prometheus-redis-exporter`), one for each node:

    `prometheus-redis-exporter -redis.addr redis://127.0.0.1:5000 -web.listen-address 127.0.0.1:9121`

    Against the cluster port give it `-is-cluster` too.
    """
        .formatted(rows);
  }
}

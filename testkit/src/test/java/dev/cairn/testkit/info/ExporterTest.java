// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.info;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.testkit.FreePorts;
import dev.cairn.testkit.ProcessCluster;
import dev.cairn.testkit.RespConnection;
import dev.cairn.testkit.Secured;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Debian's prometheus-redis-exporter reads a node on both its ports: {@code .ci/clients} runs it.
 */
@Tag("clients")
class ExporterTest {
  private static final int METRICS_MIN = 100;
  private static final String PASSWORD = "a-password-of-an-exporter";
  private static final String USER =
      "user metrics on >%s".formatted(PASSWORD)
          + " +info +config|get +slowlog|get +slowlog|len +cluster|info +client|setname +ping";
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @TempDir Path folder;

  @Test
  void bothPortsGiveAHundredMetrics() throws IOException, InterruptedException {
    bothPortsGiveAHundredMetrics(
        ProcessCluster.of(1).options("--replication-factor", "1"), "redis://");
  }

  /** As a user who reads no key. */
  @Test
  void soTheyDoOverTlsWithAPassword() throws IOException, InterruptedException {
    Secured secured = Secured.in(folder, USER);
    bothPortsGiveAHundredMetrics(
        ProcessCluster.of(1).options("--replication-factor", "1").in(secured),
        "rediss://",
        "-tls-ca-cert-file",
        secured.ca().toString(),
        "-redis.user",
        "metrics",
        "-redis.password",
        PASSWORD);
  }

  private void bothPortsGiveAHundredMetrics(
      ProcessCluster.Builder described, String scheme, String... options)
      throws IOException, InterruptedException {
    try (ProcessCluster cluster = described.start()) {
      cluster.awaitHealthy();
      try (RespConnection connection = cluster.connect(0)) {
        connection.call("SET", "key", "value", "EX", "1000");
        connection.call("GET", "key");
        connection.call("GET", "none");
        connection.call("INCR", "key");
      }
      String host = scheme + cluster.node(0).host();
      List<String> inClusterMode = new ArrayList<>(List.of(options));
      inClusterMode.add("-is-cluster");
      isWhole(scrape(host + ":" + cluster.node(0).port(), List.of(options)));
      isWhole(scrape(host + ":" + cluster.clusterPort(0), inClusterMode));
    }
  }

  private static void isWhole(List<String> lines) {
    Set<String> names =
        lines.stream()
            .filter(line -> line.startsWith("redis_"))
            .map(line -> line.replaceFirst("[{ ].*", ""))
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(names).hasSizeGreaterThanOrEqualTo(METRICS_MIN);
    assertThat(lines)
        .contains("redis_up 1", "redis_exporter_last_scrape_error{err=\"\"} 0")
        .contains("redis_keyspace_hits_total 1", "redis_keyspace_misses_total 1")
        .contains("redis_commands_failed_calls_total{cmd=\"incr\"} 1");
  }

  /** What the exporter says of a server, in Prometheus' text format. */
  private List<String> scrape(String address, List<String> options)
      throws IOException, InterruptedException {
    int port = FreePorts.take(1).get(0);
    List<String> command =
        new ArrayList<>(
            List.of(
                "prometheus-redis-exporter",
                "-redis.addr",
                address,
                "-web.listen-address",
                "127.0.0.1:" + port));
    command.addAll(options);
    Process exporter =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("exporter-" + port).toFile())
            .start();
    try {
      HttpClient http = HttpClient.newHttpClient();
      HttpRequest request =
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/metrics")).build();
      String[] body = new String[1];
      await()
          .atMost(PATIENCE)
          .ignoreExceptions()
          .until(
              () -> {
                HttpResponse<String> answer =
                    http.send(request, HttpResponse.BodyHandlers.ofString());
                body[0] = answer.body();
                return answer.statusCode() == 200;
              });
      return body[0].lines().toList();
    } finally {
      exporter.destroyForcibly();
      exporter.waitFor();
    }
  }
}

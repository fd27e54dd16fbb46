// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.info;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.testkit.ProcessCluster;
import dev.cairn.testkit.RespConnection;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** A node's counters move as redis-server's do ({@code info-acts.txt}). */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class InfoCountersTest {
  private ProcessCluster cluster;

  @BeforeAll
  void start() {
    cluster = ProcessCluster.of(1).options("--replication-factor", "1").start();
    cluster.awaitHealthy();
  }

  @AfterAll
  void stop() {
    cluster.close();
  }

  @Test
  void eachActMovesWhatItMovesInRedis() throws IOException {
    assertThat(new InfoActs(() -> cluster.connect(0)).play()).isEqualTo(InfoActs.expected());
  }

  @Test
  void resetstatSetsTheCountersToZeroAndLeavesTheRest() throws IOException {
    try (RespConnection connection = cluster.connect(0)) {
      connection.call("SET", "a", "b");
      connection.call("GET", "a");
      connection.call("GET", "none");
      connection.call("NOSUCH");
      assertThat(RespConnection.text(connection.call("CONFIG", "RESETSTAT"))).isEqualTo("OK");
      Map<String, String> fields =
          InfoActs.fields(RespConnection.text(connection.call("INFO", "all")));
      for (String field :
          List.of(
              "keyspace_hits",
              "keyspace_misses",
              "expired_keys",
              "total_error_replies",
              "total_connections_received",
              "rejected_connections",
              "sync_full")) {
        assertThat(fields).containsEntry(field, "0");
      }
      assertThat(fields)
          .containsEntry("total_commands_processed", "1") // RESETSTAT itself, answered since
          .containsKey("cmdstat_config|resetstat")
          .doesNotContainKeys("cmdstat_get", "errorstat_ERR", "latency_percentiles_usec_get");
      assertThat(Double.parseDouble(fields.get("used_cpu_user"))).isPositive();
      assertThat(fields.get("connected_clients")).isNotEqualTo("0");
      assertThat(fields.get("db0")).startsWith("keys=");
    }
  }

  @Test
  void latencyStandsBetweenTheBoundsOfItsBuckets() throws IOException {
    try (RespConnection connection = cluster.connect(0)) {
      connection.call("PING");
      Map<String, String> fields =
          InfoActs.fields(RespConnection.text(connection.call("INFO", "latencystats")));
      assertThat(fields.get("latency_percentiles_usec_ping"))
          .matches("p50=\\d+\\.\\d{3},p99=\\d+\\.\\d{3},p99\\.9=\\d+\\.\\d{3}");
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * A node that is started wrongly ends with status 2 and says in a line what to do; those that run
 * go on.
 */
@Tag("nightly")
class MisuseTest {
  private static final int NOT_STARTED = 2;

  @RegisterExtension static final Clusters CLUSTERS = Clusters.ofClass();
  private static ProcessCluster cluster;

  @TempDir Path folder;

  @BeforeAll
  static void start() {
    cluster = CLUSTERS.startHealthy(ProcessCluster.of(3));
  }

  @AfterEach
  void theOthersGoOn() throws IOException {
    for (int node : cluster.indexes()) {
      try (RespConnection connection = cluster.connect(node)) {
        assertThat(RespConnection.text(connection.call("SET", "after", "misuse"))).isEqualTo("OK");
      }
    }
  }

  @Test
  void aPortInUse() {
    int port = cluster.node(0).port();
    assertRefused(node(port, freshData()), Integer.toString(port), "is another node running?");
  }

  @Test
  void aPeerPortInUse() {
    int peerPort = cluster.node(0).peerPort();
    assertRefused(
        node(FreePorts.take(1).get(0), peerPort, freshData()),
        "peer port " + peerPort,
        "--peer-port");
  }

  @Test
  void aDataFolderInUseByAnotherProcess() {
    assertRefused(
        node(FreePorts.take(1).get(0), cluster.node(1).data()),
        "in use",
        "process " + cluster.node(1).pid(),
        "--data");
  }

  @Test
  void anUnknownOption() {
    assertRefused(
        node(FreePorts.take(1).get(0), freshData(), "--relpication-factor", "2"),
        "--relpication-factor",
        "--replication-factor",
        "--help");
  }

  @Test
  void aValueThatIsNoNumberOrOutOfBounds() {
    int port = FreePorts.take(1).get(0);
    assertRefused(
        node(port, freshData(), "--replication-factor", "two"), "replication-factor", "two");
    assertRefused(node(port, freshData(), "--replication-factor", "8"), "replication-factor", "8");
    assertRefused(node(port, freshData(), "--partitions", "0"), "partitions");
  }

  @Test
  void malformedYaml() throws IOException {
    Path file = Files.writeString(folder.resolve("cairn.yaml"), "port: [5000\n  data: : x\n");
    assertRefused(CommandRun.node(Map.of(), "node", "--config", file.toString()), file.toString());
  }

  @Test
  void aSettingInYamlThatDoesNotExist() throws IOException {
    Path file = Files.writeString(folder.resolve("cairn.yaml"), "port: 5999\nprot: 5000\n");
    assertRefused(
        CommandRun.node(Map.of(), "node", "--config", file.toString()), "prot", file.toString());
  }

  @Test
  void aFolderThatHoldsSomethingElse() throws IOException {
    Path data = Files.createDirectory(folder.resolve("photos"));
    Files.writeString(data.resolve("holiday.jpg"), "not ours");
    assertRefused(node(FreePorts.take(1).get(0), data), data.toString(), "--data");
    assertThat(data).isDirectoryNotContaining("glob:**lock");
  }

  @Test
  void oneNodeWithTheDefaultSettingsIsToldWhatToType() {
    ProcessCluster one = CLUSTERS.start(ProcessCluster.of(1));
    one.awaitLeaders();
    assertThat(CommandRun.tool("", "status", "--nodes", one.addresses()).out())
        .contains("There is 1 node for 2 copies", "--replication-factor 1");
  }

  @Test
  void aNodeThatTheClusterDoesNotListIsToldWhatIsPossible() throws Exception {
    List<Integer> ports = FreePorts.take(2);
    StringBuilder list = new StringBuilder("127.0.0.1:" + ports.get(0) + "/" + ports.get(1));
    for (int node : cluster.indexes()) {
      NodeProcess member = cluster.node(node);
      list.append(",127.0.0.1:").append(member.port()).append('/').append(member.peerPort());
    }
    Path log = folder.resolve("log");
    Process fourth =
        Children.start(
            Children.node(
                    List.of(),
                    "node",
                    ports.get(0).toString(),
                    "--data",
                    freshData().toString(),
                    "--cluster",
                    list.toString(),
                    "--cluster-port",
                    "0")
                .redirectErrorStream(true)
                .redirectOutput(log.toFile()));
    try {
      Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> Files.readString(log).contains(" does not list "));
      assertThat(Files.readString(log))
          .contains(
              "a running cluster cannot take in more nodes yet",
              "./cairn export",
              "./cairn import");
    } finally {
      fourth.destroyForcibly().waitFor();
    }
  }

  private Path freshData() {
    return folder.resolve("data");
  }

  private static CommandRun node(int port, Path data, String... more) {
    return node(port, FreePorts.take(1).get(0), data, more);
  }

  private static CommandRun node(int port, int peerPort, Path data, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "node",
                Integer.toString(port),
                "--data",
                data.toString(),
                "--cluster",
                "127.0.0.1:" + port + "/" + peerPort,
                "--cluster-port",
                "0"));
    arguments.addAll(Arrays.asList(more));
    return CommandRun.node(Map.of(), arguments.toArray(new String[0]));
  }

  private static void assertRefused(CommandRun run, String... said) {
    assertThat(run.exitStatus()).as(run.err()).isEqualTo(NOT_STARTED);
    assertThat(run.err()).contains(said).doesNotContain("\tat ", "Exception");
    assertThat(run.err().lines().filter(line -> line.startsWith("cairn: "))).hasSize(1);
  }
}

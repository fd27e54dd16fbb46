// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.client.CairnClient;
import dev.cairn.protocol.RespValue;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * Out of a cluster of three nodes and into another of one with other partitions: all of it, to the
 * byte, though export, import and a node are killed on the way.
 */
@Tag("nightly")
class ExportImportClustersTest {
  private static final long SEED = 20_260_101;
  private static final long LATER_MILLIS = 3_600_000;
  private static final int SMALL_KEYS = 3_000;
  private static final int LARGE_KEYS = 4;

  @RegisterExtension final Clusters clusters = Clusters.ofEachTest();
  @TempDir private Path folder;

  @Test
  void allOfItIsThereThoughEachSideWasKilledOnTheWay() throws Exception {
    ProcessCluster from = clusters.startHealthy(ProcessCluster.of(3));
    ProcessCluster to =
        clusters.startHealthy(
            ProcessCluster.of(1).options("--replication-factor", "1", "--partitions", "11"));
    fill(from);

    Path file = folder.resolve("all.jsonl.gz");
    Path part = folder.resolve("all.jsonl.gz.part");
    String[] export = {"export", "--nodes", from.addresses(), file.toString()};
    killOnce(() -> Files.exists(part) && Files.size(part) > (2 << 20), export);
    assertThat(part).exists();
    assertThat(file).doesNotExist();
    from.kill(2);
    CommandRun exported = CommandRun.tool("", export);
    assertThat(exported.exitStatus()).as(exported.err()).isZero();
    assertThat(exported.err()).contains("Going on behind the ");
    from.start(2);

    killOnce(
        () -> keys(to) > 200,
        "import",
        "--nodes",
        to.addresses(),
        "--rate",
        "500",
        file.toString());
    CommandRun imported = CommandRun.tool("", "import", "--nodes", to.addresses(), file.toString());
    assertThat(imported.exitStatus()).as(imported.err()).isZero();
    assertThat(imported.out()).startsWith("Stored 3,004, failed 0, unknown 0 in ");
    assertThat(keys(to)).isEqualTo(SMALL_KEYS + LARGE_KEYS);

    from.awaitHealthy();
    assertThat(records(to, "to.jsonl")).isEqualTo(records(from, "from.jsonl"));
  }

  /** Binary, text and nothing; some that expire; some as large as a value may be. */
  private static void fill(ProcessCluster cluster) {
    Random random = new Random(SEED);
    try (CairnClient client = cluster.client().deadline(Duration.ofSeconds(30)).build()) {
      List<CompletableFuture<?>> writes = new ArrayList<>();
      for (int i = 0; i < SMALL_KEYS; i++) {
        byte[] key = (i + ":" + (char) random.nextInt(0x800)).getBytes(StandardCharsets.UTF_8);
        key[key.length - 1] ^= (byte) (i % 5 == 0 ? 0xff : 0);
        byte[] value = new byte[i % 7 == 0 ? 0 : random.nextInt(10_000)];
        random.nextBytes(value);
        writes.add(
            i % 3 == 0
                ? client.putAsync(key, value, System.currentTimeMillis() + LATER_MILLIS)
                : client.putAsync(key, value));
      }
      CompletableFuture.allOf(writes.toArray(new CompletableFuture<?>[0])).join();
      for (int i = 0; i < LARGE_KEYS; i++) {
        byte[] value = new byte[16 << 20];
        if (i % 2 == 0) {
          random.nextBytes(value);
        } else {
          Arrays.fill(value, (byte) 'x');
        }
        client.put(("large" + i).getBytes(StandardCharsets.UTF_8), value);
      }
    }
  }

  private interface Condition {
    boolean holds() throws IOException;
  }

  /** Starts a command, and kills it when something holds. */
  private static void killOnce(Condition condition, String... arguments) throws Exception {
    Process process =
        Children.start(
            Children.tool(arguments)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD));
    try {
      await()
          .atMost(Duration.ofSeconds(60))
          .pollInterval(Duration.ofMillis(5))
          .until(condition::holds);
    } finally {
      process.destroyForcibly().waitFor();
    }
    assertThat(process.exitValue()).as("killed before its end").isEqualTo(137);
  }

  private static long keys(ProcessCluster cluster) throws IOException {
    try (RespConnection connection = cluster.connect(0)) {
      return ((RespValue.Int) connection.call("DBSIZE")).value();
    }
  }

  /** The lines of an export but for its header, which names the cluster. */
  private List<String> records(ProcessCluster cluster, String name) throws IOException {
    Path file = folder.resolve(name);
    CommandRun run = CommandRun.tool("", "export", "--nodes", cluster.addresses(), file.toString());
    assertThat(run.exitStatus()).as(run.err()).isZero();
    List<String> lines = Files.readAllLines(file);
    return lines.subList(1, lines.size()).stream()
        .map(
            line ->
                line.length() > 1_000 ? Integer.toHexString(line.hashCode()) + line.length() : line)
        .toList();
  }
}

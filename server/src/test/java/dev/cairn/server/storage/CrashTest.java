// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.cairn.server.metrics.Metrics;
import dev.cairn.state.Applied;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever a crash leaves: the data is exactly as of the row that is found with it. */
class CrashTest {
  private static final EngineConfig SMALL = new EngineConfig(1 << 20, 1 << 20, 64 << 10, 2);
  private static final PartitionIdentity IDENTITY = new PartitionIdentity("c", 0, 1);

  @Property(tries = 8)
  void unflushedWritesAreLostWithTheirRow(@ForAll long seed) throws IOException {
    Path path = Files.createTempDirectory("cairn-crash").resolve("p-0000");
    RandomOperations operations = new RandomOperations(seed, 3000);
    Random random = new Random(seed);
    try (StorageEngine engine = StorageEngine.open(SMALL, damage -> {}, new Metrics())) {
      long durable = 0;
      for (int life = 0; life < 4; life++) {
        try (PartitionFolder folder = PartitionFolder.open(engine, path, IDENTITY)) {
          long found = assertWhole(folder, operations, durable);
          long until = found + 1 + random.nextInt(600);
          for (long index = found + 1; index <= until; index++) {
            operations.write(folder, index);
            if (random.nextInt(200) == 0) {
              folder.sync();
              durable = index;
            }
          }
          assertThat(Changes.contents(folder)).isEqualTo(operations.model(until));
        } // closed as by a crash: what was not synced is gone
      }
      assertThat(engine.damage()).isEmpty();
    } finally {
      DurableFiles.deleteTree(path.getParent());
    }
  }

  /** The data is as of its row, which is durable; the row's index. */
  private static long assertWhole(
      PartitionFolder folder, RandomOperations operations, long durable) {
    Applied row = Changes.applied(folder);
    assertThat(row.index()).isGreaterThanOrEqualTo(durable);
    assertThat(row).isEqualTo(row.index() == 0 ? Applied.NONE : RandomOperations.row(row.index()));
    assertThat(Changes.contents(folder)).isEqualTo(operations.model(row.index()));
    return row.index();
  }

  @Test
  void aKilledProcessLeavesDataAndRowOfTheSameMoment(@TempDir Path temporary) throws Exception {
    Path path = temporary.resolve("p-0000");
    RandomOperations operations = new RandomOperations(4711, KilledWriter.VALUE_BYTES_MAX);
    for (int life = 1; life <= 3; life++) {
      long durable = writeAndKill(path, 4711, life * 2);
      try (StorageEngine engine =
              StorageEngine.open(SMALL, damage -> fail("damaged"), new Metrics());
          PartitionFolder folder = PartitionFolder.open(engine, path, IDENTITY)) {
        long found = assertWhole(folder, operations, durable);
        String meta = new String(folder.snapshotMeta().orElseThrow(), StandardCharsets.UTF_8);
        assertThat(Long.parseLong(meta)).isBetween(durable, found);
      }
    }
  }

  private static long writeAndKill(Path path, long seed, int flushes) throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Xmx128m",
                "-cp",
                System.getProperty("java.class.path"),
                KilledWriter.class.getName(),
                path.toString(),
                Long.toString(seed))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    long durable = -1;
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
      for (int i = 0; i < flushes; ) {
        String line = lines.readLine();
        assertThat(line).as("the writer died by itself").isNotNull();
        if (!line.isEmpty() && line.chars().allMatch(Character::isDigit)) {
          durable = Long.parseLong(line);
          i++;
        }
      }
    } finally {
      process.destroyForcibly().waitFor();
    }
    return durable;
  }
}

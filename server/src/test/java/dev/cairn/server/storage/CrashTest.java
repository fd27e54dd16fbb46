// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.cairn.server.metrics.Metrics;
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
        PartitionFolder folder = PartitionFolder.open(engine, path, IDENTITY);
        PartitionStore store = folder.store();
        long found = store.applied().index();
        assertThat(found).isGreaterThanOrEqualTo(durable);
        assertThat(store.durableIndex()).isEqualTo(found);
        if (found > 0) {
          assertThat(store.applied()).isEqualTo(RandomOperations.row(found));
        }
        assertThat(RandomOperations.contents(store)).isEqualTo(operations.model(found));
        long until = found + 1 + random.nextInt(600);
        for (long index = found + 1; index <= until; index++) {
          operations.apply(store, index);
          if (random.nextInt(200) == 0) {
            assertThat(store.flush()).isEqualTo(index);
          }
        }
        assertThat(RandomOperations.contents(store)).isEqualTo(operations.model(until));
        durable = store.durableIndex();
        store.database().forgetUnflushed(); // closes as a crash would: what lies in memory is gone
        folder.close();
      }
      assertThat(engine.damage()).isEmpty();
    } finally {
      DurableFiles.deleteTree(path.getParent());
    }
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
        AppliedRow row = folder.store().applied();
        assertThat(row.index()).isGreaterThanOrEqualTo(durable);
        assertThat(row).isEqualTo(RandomOperations.row(row.index()));
        assertThat(RandomOperations.contents(folder.store()))
            .isEqualTo(operations.model(row.index()));
        String meta = new String(folder.snapshotMeta().orElseThrow(), StandardCharsets.UTF_8);
        assertThat(Long.parseLong(meta)).isBetween(durable, row.index());
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

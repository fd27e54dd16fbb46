// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.operation.OperationCodecTest;
import dev.cairn.server.storage.EngineConfig;
import dev.cairn.server.storage.PartitionFolder;
import dev.cairn.server.storage.PartitionIdentity;
import dev.cairn.server.storage.StorageEngine;
import dev.cairn.state.CrashingDatabase;
import dev.cairn.state.Database;
import dev.cairn.state.TwinDatabase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * {@link PartitionState} does the same through flushes, starts and crashes at random as straight
 * on: every answer, all keys with their versions, counts and ids. And straight on it does what it
 * did when {@code applied-logs.txt} was written, which is a digest a seed. More: {@code
 * -Dcairn.partition.seeds=1000}. One again: {@code -Dcairn.partition.first=SEED
 * -Dcairn.partition.seeds=1}. {@code -Dcairn.partition.rewrite=true} writes the digests anew, where
 * another answer is meant.
 */
class PartitionStateTest {
  private static final long FIRST = Long.getLong("cairn.partition.first", 1);
  private static final int SEEDS = Integer.getInteger("cairn.partition.seeds", 12);
  private static final int RUNS_A_LOG = 5; // the same log, with other flushes and crashes
  private static final int MISTAKE_SEEDS = 40;
  private static final int ENTRIES = 150;
  private static final int DIGESTS = 100;
  private static final Path DIGESTS_FILE = Path.of("src/test/resources/applied-logs.txt");
  private static final PartitionIdentity IDENTITY = new PartitionIdentity("c".repeat(40), 3, 1);

  @TempDir Path temp;

  private static StraightRun straight(long seed) throws IOException {
    return new StraightRun(seed, ENTRIES);
  }

  @Test
  void logsComeToWhatTheyCameTo() throws IOException {
    List<String> digests = new ArrayList<>();
    for (long seed = 1; seed <= DIGESTS; seed++) {
      digests.add(seed + " " + straight(seed).digest());
    }
    List<String> lines = Files.readAllLines(DIGESTS_FILE);
    List<String> head = lines.stream().takeWhile(line -> line.startsWith("#")).toList();
    if (Boolean.getBoolean("cairn.partition.rewrite")) {
      Files.write(DIGESTS_FILE, Stream.concat(head.stream(), digests.stream()).toList());
      return;
    }

    assertThat(digests).isEqualTo(lines.subList(head.size(), lines.size()));
  }

  @Test
  void flushesStartsAndCrashesDoNotShow() throws IOException {
    Map<String, Long> seen = new TreeMap<>();
    Set<Integer> opcodes = new TreeSet<>();
    for (long seed = FIRST; seed < FIRST + SEEDS; seed++) {
      StraightRun expected = straight(seed);
      opcodes.addAll(expected.opcodes());
      for (int i = 0; i < RUNS_A_LOG; i++) {
        run(expected, seed, i, new Twin(), GuardedDatabase.Mistake.NONE, seen);
      }
    }
    System.out.println("seeds " + FIRST + " to " + (FIRST + SEEDS - 1) + ": " + seen);
    if (SEEDS >= 10) {
      assertThat(seen)
          .containsKeys(
              "answers from memory",
              "comparisons",
              "crashes",
              "entries skipped",
              "fetches",
              "fetches that a flush made void",
              "starts",
              "steps of flushes");
      Set<Integer> all = new TreeSet<>();
      OperationCodecTest.operations().forEach(each -> StraightRun.add(each, all));
      assertThat(opcodes).isEqualTo(all);
    }
  }

  @Test
  void soItDoesOnDisk() throws IOException {
    StraightRun expected = straight(FIRST);
    StorageEngine engine = StorageEngine.open(EngineConfig.DEFAULT, damage -> {}, new Metrics());
    try {
      Map<String, Long> seen = new HashMap<>();
      for (int i = 0; i < RUNS_A_LOG; i++) {
        Folder folder = new Folder(engine, temp.resolve("state" + i));
        run(expected, FIRST, i, folder, GuardedDatabase.Mistake.NONE, seen);
      }
      assertThat(seen).containsKeys("crashes", "starts");
    } finally {
      engine.close();
    }
  }

  /** The comparison finds what it is there to find. */
  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void aPlantedMistakeIsFound(GuardedDatabase.Mistake mistake) throws IOException {
    StraightRun expected = straight(1);
    String found = null;
    for (int i = 0; i < MISTAKE_SEEDS && found == null; i++) {
      try {
        run(expected, 1, i, new Twin(), mistake, new HashMap<>());
      } catch (AssertionError e) {
        found = "run " + i + ": " + e.getMessage().lines().findFirst().orElse("");
      }
    }
    System.out.println(mistake + ": " + found);
    assertThat(found).as("%s, within %d runs", mistake, MISTAKE_SEEDS).isNotNull();
  }

  private static void run(
      StraightRun expected,
      long seed,
      int number,
      CrashingDatabase disk,
      GuardedDatabase.Mistake mistake,
      Map<String, Long> seen)
      throws IOException {
    try {
      StateRun.run(expected, seed * RUNS_A_LOG + number, disk, mistake, seen);
    } catch (AssertionError | RuntimeException e) {
      throw new AssertionError("seed %d, run %d: %s".formatted(seed, number, e), e);
    }
  }

  /** The twin in memory; a crash drops what was not synced. */
  private static final class Twin implements CrashingDatabase {
    private final TwinDatabase database = new TwinDatabase();

    @Override
    public Database open() {
      return database;
    }

    @Override
    public void crash(RandomGenerator random) {
      database.crash(random);
    }
  }

  /** The database on disk; closing one flushes nothing. */
  private record Folder(StorageEngine engine, Path path) implements CrashingDatabase {
    @Override
    public Database open() {
      return PartitionFolder.open(engine, path, IDENTITY);
    }

    @Override
    public void crash(RandomGenerator random) {}
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random operations, flushes, crashes between any two steps, and copies, beside plain maps; the
 * same on the twin of the database and on disk. More: {@code -Dcairn.state.seeds=100000}. One
 * again: {@code -Dcairn.state.first=SEED -Dcairn.state.seeds=1}.
 */
class StateSimulationTest {
  private static final int SEEDS = Integer.getInteger("cairn.state.seeds", 300);
  private static final int DISK_SEEDS = Integer.getInteger("cairn.state.diskSeeds", 4);
  private static final int LONG_DISK_SEEDS = 40;
  private static final long FIRST = Long.getLong("cairn.state.first", 1);
  private static final int STEPS = 600;

  @TempDir private Path folder;

  @Test
  void theTwinIsAsThePlainMapSays() {
    Map<String, Long> seen = new TreeMap<>();
    for (long seed = FIRST; seed < FIRST + SEEDS; seed++) {
      Simulation.run(seed, STEPS, TwinDatabase::new, seen);
    }
    assertAll(seen, SEEDS);
  }

  @Test
  void soIsTheDatabaseOnDisk() throws IOException {
    onDisk(DISK_SEEDS);
  }

  @Test
  @Tag("nightly")
  void soIsItWithMoreSeeds() throws IOException {
    onDisk(LONG_DISK_SEEDS);
  }

  private void onDisk(int seeds) throws IOException {
    Map<String, Long> seen = new TreeMap<>();
    for (long seed = FIRST; seed < FIRST + seeds; seed++) {
      Path ofSeed = Files.createDirectory(folder.resolve(Long.toString(seed)));
      List<RocksFolder> folders = new ArrayList<>();
      Simulation.run(
          seed,
          STEPS,
          () -> {
            folders.add(new RocksFolder(ofSeed.resolve(Integer.toString(folders.size()))));
            return folders.get(folders.size() - 1);
          },
          seen);
      folders.forEach(RocksFolder::close);
    }
    assertAll(seen, seeds);
  }

  private static void assertAll(Map<String, Long> seen, int seeds) {
    if (seeds >= 4) {
      assertThat(seen)
          .containsKeys(
              "crashes",
              "entries left out by a replay",
              "fetches",
              "fetches that a flush made void",
              "flushes",
              "installs",
              "views of states that went on");
    }
    if (seeds >= LONG_DISK_SEEDS) {
      assertThat(seen).containsKey("flushes that an install overtook");
    }
  }
}

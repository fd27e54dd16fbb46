// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.storage.PartitionFolder.Received;
import dev.cairn.state.CrashingDatabase;
import dev.cairn.state.Database;
import dev.cairn.state.Simulation;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The simulation of a state, over partitions' folders on disk. More: {@code
 * -Dcairn.state.diskSeeds=100}. One again: {@code -Dcairn.state.first=SEED
 * -Dcairn.state.diskSeeds=1}.
 */
class FolderSimulationTest {
  private static final int SEEDS = Integer.getInteger("cairn.state.diskSeeds", 4);
  private static final int LONG_SEEDS = 40;
  private static final long FIRST = Long.getLong("cairn.state.first", 1);
  private static final int STEPS = 600;
  private static final EngineConfig SMALL = new EngineConfig(1 << 20, 1 << 20, 64 << 10, 2);

  @TempDir private Path temporary;

  @Test
  void aStateOverAFolderIsAsThePlainMapSays() {
    run(SEEDS);
  }

  @Test
  @Tag("nightly")
  void soIsItWithMoreSeeds() {
    run(LONG_SEEDS);
  }

  private void run(int seeds) {
    Map<String, Long> seen = new TreeMap<>();
    List<StorageException> damages = new ArrayList<>();
    try (StorageEngine engine = StorageEngine.open(SMALL, damages::add, new Metrics())) {
      for (long seed = FIRST; seed < FIRST + seeds; seed++) {
        String name = seed + "-";
        List<Path> folders = new ArrayList<>();
        Simulation.run(
            seed,
            STEPS,
            () -> {
              folders.add(temporary.resolve(name + folders.size()));
              return new Disk(engine, folders.get(folders.size() - 1));
            },
            seen);
        assertThat(engine.generations()).as("all are closed").isEmpty();
        folders.forEach(PartitionFolder::delete);
      }
    }
    assertThat(damages).isEmpty();
    if (seeds >= 4) {
      assertThat(seen)
          .containsKeys(
              "crashes",
              "entries left out by a replay",
              "fetches",
              "flushes",
              "installs",
              "views of states that went on");
    }
    if (seeds >= LONG_SEEDS) {
      assertThat(seen)
          .containsKeys("fetches that a flush made void", "flushes that an install overtook");
    }
  }

  /** A folder. It is closed as a crash closes it: what lies in write buffers is gone. */
  private record Disk(StorageEngine engine, Path path) implements CrashingDatabase {
    private static final PartitionIdentity IDENTITY = new PartitionIdentity("c", 0, 1);

    @Override
    public Database open() {
      return new Bringing(PartitionFolder.open(engine, path, IDENTITY));
    }

    @Override
    public void crash(RandomGenerator random) {}
  }

  /** Brings copies of another folder to its own before it installs them. */
  private record Bringing(PartitionFolder folder) implements Database {
    @Override
    public void install(Copy copy) {
      Received received = (Received) copy;
      Path incoming = folder.newIncoming();
      try {
        Files.delete(incoming);
        Files.move(received.folder(), incoming);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      folder.install(new Received(incoming, received.meta(), received.applied()));
    }

    @Override
    public void write(Batch batch) {
      folder.write(batch);
    }

    @Override
    public void sync() {
      folder.sync();
    }

    @Override
    public Live view() {
      return folder.view();
    }

    @Override
    public Copy copy() {
      return folder.copy();
    }

    @Override
    public void close() {
      folder.close();
    }
  }
}

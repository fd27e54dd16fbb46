// SPDX-License-Identifier: Apache-2.0
package dev.cairn.replication;

import dev.cairn.consensus.EntriesWanted;
import dev.cairn.consensus.Entry;
import dev.cairn.consensus.Peer;
import dev.cairn.consensus.Restored;
import dev.cairn.consensus.SharedLog;
import dev.cairn.consensus.SnapshotReference;
import dev.cairn.consensus.simulation.SimulatedLog;
import dev.cairn.log.Figures;
import dev.cairn.log.Log;
import dev.cairn.log.LogException;
import dev.cairn.log.LogSettings;
import dev.cairn.log.SimulatedFiles;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.zip.CRC32C;

/**
 * The log that ships, on a simulated disk, as the log of a simulated node. Its segments are small,
 * so that they are used again and copied all the time.
 *
 * <p>A process may die while the disk works, also in a start. Of what was not synced then any part
 * may be there. The disk may be full for a while, and a write, sync or new file may fail: then the
 * process ends. While the process is away the files may be damaged, if the groups survive that; the
 * log must say so, or hold all that it should.
 *
 * <p>The log is opened as soon as the process is gone: nothing happens to a disk in between.
 */
final class ShippingLog implements SimulatedLog {
  private static final int SEGMENT_BYTES_MIN = 16 << 10;
  private static final int BATCH_BYTES = 4 << 10;
  private static final int RUN_BYTES = 24;

  private final RandomGenerator random;
  private final Consumer<String> count;
  private final LogSettings settings;
  private final boolean failing;
  private BiConsumer<Long, EntriesWanted> reads;
  private SimulatedFiles files;
  private Log log;
  private ShardLog shardLog;

  ShippingLog(RandomGenerator random, Consumer<String> count) {
    this.random = random;
    this.count = count;
    this.settings =
        new LogSettings(
            SEGMENT_BYTES_MIN << random.nextInt(3),
            BATCH_BYTES,
            1 + random.nextInt(3),
            RUN_BYTES * (random.nextBoolean() ? 40 : 4),
            random.nextBoolean() ? 1 << 20 : 1 << 10);
    this.failing = random.nextInt(3) == 0;
    this.files = new SimulatedFiles(random);
    files.direct = random.nextBoolean();
    open();
  }

  private void open() {
    while (true) {
      if (random.nextInt(8) == 0) {
        files.crashAt = files.steps() + 1 + random.nextInt(6);
      }
      try {
        log = Log.open(files, settings, random);
        files.crashAt = Long.MAX_VALUE;
        shardLog = new ShardLog(log, (group, wanted) -> reads.accept(group, wanted));
        return;
      } catch (SimulatedFiles.Crash e) {
        count.accept("crashes in a start");
        files = files.afterCrash();
      } catch (IOException e) {
        throw new AssertionError("nothing failed, but a start did", e);
      }
    }
  }

  @Override
  public void start(Set<Long> placed, BiConsumer<Long, EntriesWanted> carriesOut) {
    reads = carriesOut;
    for (long group : log.groups()) {
      if (!placed.contains(group)) {
        shardLog.remove(group);
      }
    }
  }

  // ---- While the process lives ----

  @Override
  public long append(List<SharedLog.Part> parts) {
    long number = shardLog.append(parts);
    if (shardLog.holdsBack()) {
      count.accept("appends held back");
    }
    return number;
  }

  @Override
  public void remove(long group) {
    shardLog.remove(group);
  }

  @Override
  public boolean takesProposals() {
    return !shardLog.holdsBack();
  }

  @Override
  public long write() {
    shardLog.durable();
    log.write();
    endIfFailed();
    return shardLog.durable();
  }

  @Override
  public long keepHouse(boolean stormy) {
    if (stormy) {
      spoil();
    } else {
      files.room = Long.MAX_VALUE;
      files.failAt = Long.MAX_VALUE;
    }
    log.prepare();
    if (log.copy()) {
      count.accept("segments copied");
    }
    if (random.nextInt(4) == 0) {
      log.mark();
    }
    endIfFailed();
    return 1L + random.nextInt(100);
  }

  /** The disk becomes full or has room again, and may fail soon. */
  private void spoil() {
    switch (random.nextInt(20)) {
      case 0 -> {
        files.room = files.used() + random.nextInt(2 * settings.segmentBytes());
        count.accept("disks full");
      }
      case 1, 2, 3, 4 -> files.room = Long.MAX_VALUE;
      case 5 -> {
        if (failing) {
          files.failAt = files.steps() + 1 + random.nextInt(20);
        }
      }
      default -> {
        // As it was.
      }
    }
  }

  private void endIfFailed() {
    LogException failure = log.failure().orElse(null);
    if (failure != null) {
      if (files.steps() < files.failAt) {
        throw new AssertionError("nothing failed, but the log did", failure);
      }
      throw new Failed(failure);
    }
  }

  @Override
  public void read(long group, EntriesWanted wanted) {
    shardLog.read(group, wanted);
  }

  @Override
  public List<Entry> entries(long group, long from, long bytesMax) {
    List<Entry> entries = shardLog.entries(group, from, bytesMax);
    endIfFailed();
    return entries;
  }

  @Override
  public Restored restored(long group, Peer self, SnapshotReference data) {
    return shardLog.restored(group, self, data).orElse(null);
  }

  // ---- When it dies ----

  @Override
  public int crash(int unsynced, BooleanSupplier mayBeLost) {
    Map<String, Long> figures = Figures.of(log);
    if (figures.get("ordinal") > figures.get("segments") + figures.get("free")) {
      count.accept("logs that used segments again");
    }
    boolean damaged = log.failure().isEmpty() && random.nextInt(3) == 0 && mayBeLost.getAsBoolean();
    files.room = Long.MAX_VALUE;
    files.failAt = Long.MAX_VALUE;
    if (damaged) {
      log.mark(); // what was synced before the mark is written can be lost unseen
    } else if (log.failure().isEmpty()) {
      workOn();
    }
    files = files.afterCrash();
    return damaged ? reopenDamaged() : reopen();
  }

  private int reopen() {
    open();
    return 0;
  }

  /** The disk was at something, or at several things. */
  private void workOn() {
    if (random.nextInt(3) == 0) {
      return;
    }
    files.crashAt = files.steps() + 1 + random.nextInt(4);
    try {
      for (int i = random.nextInt(3); i >= 0; i--) {
        switch (random.nextInt(6)) {
          case 0 -> log.copy();
          case 1 -> log.prepare();
          case 2 -> log.mark();
          default -> log.write();
        }
      }
    } catch (SimulatedFiles.Crash e) {
      count.accept("crashes while the disk worked");
    }
  }

  private int reopenDamaged() {
    List<String> names = files.list();
    String name = names.get(random.nextInt(names.size()));
    if (random.nextInt(6) == 0) {
      files.remove(name);
    } else {
      flip(name);
    }
    try {
      open();
      count.accept("damage that touched nothing");
      return 0;
    } catch (LogException e) {
      boolean told = e.kind() == LogException.Kind.DAMAGED || e.kind() == LogException.Kind.FOREIGN;
      if (!told) {
        throw e;
      }
      count.accept("damage told");
      boolean direct = files.direct;
      files = new SimulatedFiles(random);
      files.direct = direct;
      open();
      return LOST;
    }
  }

  private void flip(String name) {
    byte[] bytes = files.bytes(name).clone();
    for (int i = random.nextInt(4); i >= 0 && bytes.length > 0; i--) {
      int at = random.nextInt(bytes.length);
      for (int tries = 0; bytes[at] == 0 && tries < 100; tries++) {
        at = random.nextInt(bytes.length); // most of a segment may be empty
      }
      bytes[at] ^= (byte) (1 << random.nextInt(8));
    }
    files.put(name, bytes);
  }

  @Override
  public long hash() {
    CRC32C crc = new CRC32C();
    for (String name : files.list()) {
      crc.update(files.bytes(name));
    }
    return crc.getValue();
  }
}

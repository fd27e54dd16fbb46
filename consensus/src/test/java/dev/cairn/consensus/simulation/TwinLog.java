// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus.simulation;

import dev.cairn.consensus.EntriesWanted;
import dev.cairn.consensus.Entry;
import dev.cairn.consensus.Peer;
import dev.cairn.consensus.Restored;
import dev.cairn.consensus.SharedLog;
import dev.cairn.consensus.SnapshotReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.function.LongFunction;
import java.util.random.RandomGenerator;

/**
 * A log that does what the disks of a node's replicas say, one append at a time: as quick as it can
 * be, so that most seeds run on it. A process that dies leaves some of the oldest appends.
 */
final class TwinLog implements SimulatedLog {
  private static final int ENTRIES_MAX = 20;

  private final RandomGenerator random;
  private final LongFunction<Disk> disks;
  private BiConsumer<Long, EntriesWanted> reads;
  private long appended;
  private long durable;

  TwinLog(RandomGenerator random, LongFunction<Disk> disks) {
    this.random = random;
    this.disks = disks;
  }

  @Override
  public void start(Set<Long> placed, BiConsumer<Long, EntriesWanted> carriesOut) {
    reads = carriesOut;
  }

  @Override
  public long append(List<SharedLog.Part> parts) {
    return ++appended;
  }

  @Override
  public void remove(long group) {}

  @Override
  public boolean takesProposals() {
    return true;
  }

  @Override
  public long write() {
    durable = Math.min(durable + 1, appended);
    return durable;
  }

  @Override
  public long keepHouse(boolean stormy) {
    return 0;
  }

  @Override
  public void read(long group, EntriesWanted wanted) {
    reads.accept(group, wanted);
  }

  @Override
  public List<Entry> entries(long group, long from, long bytesMax) {
    Disk disk = disks.apply(group);
    List<Entry> entries = new ArrayList<>();
    for (long i = from; disk.has(i) && entries.size() < ENTRIES_MAX; i++) {
      entries.add(disk.entry(i));
    }
    return entries;
  }

  @Override
  public Restored restored(long group, Peer self, SnapshotReference data) {
    Disk disk = disks.apply(group);
    return disk.isMarked() ? disk.restored(data) : null;
  }

  @Override
  public int crash(int unsynced, BooleanSupplier mayBeLost) {
    durable = appended;
    return unsynced == 0 ? 0 : random.nextInt(unsynced + 1);
  }

  @Override
  public long hash() {
    return 0;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus.simulation;

import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.Entry;
import dev.cairn.consensus.HardState;
import dev.cairn.consensus.Restored;
import dev.cairn.consensus.SnapshotReference;
import dev.cairn.consensus.Write;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * What one replica must have on its disk: the log as it is after a power cut, the writes that are
 * not synced yet, and the data as of its last flush.
 */
final class Disk {
  private HardState hardState = new HardState(0, null);
  private SnapshotReference base;
  private final List<Entry> entries = new ArrayList<>();
  private final TreeMap<Long, Configuration> configurations = new TreeMap<>();
  private final Deque<Write> unsynced = new ArrayDeque<>();
  private SnapshotReference data;
  private boolean marked;
  private int configurationsLost;

  Disk(Configuration founded) {
    base = new SnapshotReference(0, 0, founded, 0);
    data = base;
    configurations.put(0L, founded);
  }

  void write(Write write) {
    unsynced.addLast(write);
  }

  /** The oldest write is synced; the first one has the replica's marker. */
  Write sync() {
    Write write = unsynced.pollFirst();
    marked = true;
    carryOut(write);
    return write;
  }

  boolean hasUnsynced() {
    return !unsynced.isEmpty();
  }

  /** The power goes: no write that was not synced is there. */
  void lose() {
    unsynced.clear();
  }

  private void carryOut(Write write) {
    if (write.hardState() != null) {
      hardState = write.hardState();
    }
    if (write.reset() != null) {
      base = write.reset();
      entries.clear();
      configurations.clear();
      configurations.put(base.configurationIndex(), base.configuration());
    }
    if (write.compactedTo() > base.index()) {
      compact(write.compactedTo());
    }
    for (Entry entry : write.entries()) {
      append(entry);
    }
  }

  private void compact(long index) {
    Map.Entry<Long, Configuration> held = configurations.floorEntry(index);
    SnapshotReference compacted =
        new SnapshotReference(index, entry(index).term(), held.getValue(), held.getKey());
    entries.subList(0, (int) (index - base.index())).clear();
    base = compacted;
    configurations.headMap(held.getKey()).clear();
  }

  private void append(Entry entry) {
    int place = (int) (entry.index() - base.index() - 1);
    if (place > entries.size() || place < 0) {
      throw new AssertionError("a gap in the log before " + entry + ", base " + base.index());
    }
    entries.subList(place, entries.size()).clear();
    configurationsLost += configurations.tailMap(entry.index(), true).size();
    configurations.tailMap(entry.index(), true).clear();
    entries.add(entry);
    if (entry.configuration() != null) {
      configurations.put(entry.index(), entry.configuration());
    }
  }

  /** How many configurations went by truncation since this was asked. */
  int takeConfigurationsLost() {
    int lost = configurationsLost;
    configurationsLost = 0;
    return lost;
  }

  long configurationIndex() {
    return configurations.lastKey();
  }

  long last() {
    return base.index() + entries.size();
  }

  long base() {
    return base.index();
  }

  Entry entry(long index) {
    return entries.get((int) (index - base.index() - 1));
  }

  boolean has(long index) {
    return index > base.index() && index <= last();
  }

  long termAt(long index) {
    return index == base.index() ? base.term() : has(index) ? entry(index).term() : -1;
  }

  HardState hardState() {
    return hardState;
  }

  SnapshotReference data() {
    return data;
  }

  /** The data is flushed, or replaced by a snapshot; either is whole or not at all. */
  void data(SnapshotReference flushed) {
    data = flushed;
  }

  /**
   * What a process finds when it begins.
   *
   * @param flushed what the state machine has on disk; null for a witness
   */
  Restored restored(SnapshotReference flushed) {
    return new Restored(hardState, base, List.copyOf(entries), flushed == null ? base : flushed);
  }

  boolean isMarked() {
    return marked;
  }

  /** How a log that was read differs from this one; null if it does not. */
  String differenceFrom(Restored found) {
    if (found == null || !marked) {
      return marked == (found != null) ? null : "marker: " + marked + ", there " + (found != null);
    }
    long compacted = found.base().index();
    if (compacted > base.index()
        && unsynced.stream().anyMatch(write -> write.compactedTo() == compacted)) {
      compact(compacted); // it may go ahead of what came before it
    }
    boolean same =
        found.hardState().equals(hardState)
            && found.base().equals(base)
            && found.entries().size() == entries.size();
    for (int i = 0; same && i < entries.size(); i++) {
      Entry here = entries.get(i);
      Entry there = found.entries().get(i);
      same =
          there.index() == here.index()
              && there.term() == here.term()
              && Objects.equals(there.configuration(), here.configuration());
    }
    return same
        ? null
        : hardState
            + " "
            + base
            + " "
            + entries
            + ", there "
            + found.hardState()
            + " "
            + found.base()
            + " "
            + found.entries();
  }
}

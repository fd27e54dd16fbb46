// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus.simulation;

import dev.cairn.consensus.EntriesWanted;
import dev.cairn.consensus.Entry;
import dev.cairn.consensus.Peer;
import dev.cairn.consensus.Restored;
import dev.cairn.consensus.SharedLog;
import dev.cairn.consensus.SnapshotReference;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * The log of a simulated node, with the disk below it: a twin ({@link TwinLog}), or the one that
 * ships. Each replica's {@link Disk} stands beside it and says what it must hold.
 */
public interface SimulatedLog {
  /** Makes the log of each node. */
  interface Maker {
    /**
     * Makes an empty one.
     *
     * @param count counts something that a test wants to have seen
     */
    SimulatedLog make(RandomGenerator random, Consumer<String> count);
  }

  /** The log has failed: the process has to end. */
  final class Failed extends RuntimeException {
    /** With what the log says. */
    public Failed(Throwable cause) {
      super(cause);
    }
  }

  /** What {@link #crash} says when nothing of the log may be used any more. */
  int LOST = -1;

  /**
   * The process begins. Groups that are not placed here any more go.
   *
   * @param reads carries out what is read
   */
  void start(Set<Long> placed, BiConsumer<Long, EntriesWanted> reads);

  /** Queues an append; its number, higher than those before. */
  long append(List<SharedLog.Part> parts);

  /** A replica ended here while the process lives. */
  void remove(long group);

  /** Whether proposals may be taken. */
  boolean takesProposals();

  /** The disk does what is next; up to which number all appends are on it. */
  long write();

  /**
   * All that a log does beside writing what waits.
   *
   * @param stormy whether the disk may fail and be full
   * @return after how many milliseconds it is to be called again; 0 for never
   */
  long keepHouse(boolean stormy);

  /** Begins to read entries. */
  void read(long group, EntriesWanted wanted);

  /** Entries on disk, at least one where there are any. */
  List<Entry> entries(long group, long from, long bytesMax);

  /**
   * What is on disk of a replica; null where its marker is not.
   *
   * @param data what its state machine has on disk; null for a witness
   */
  Restored restored(long group, Peer self, SnapshotReference data);

  /**
   * The process is gone, with what it had in memory.
   *
   * @param unsynced appends that were not told to be on disk
   * @param mayBeLost whether the log may be damaged
   * @return how many of them are there at least; or {@link #LOST}, and the log is a new one
   */
  int crash(int unsynced, BooleanSupplier mayBeLost);

  /** Of all that is on disk. */
  long hash();
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus.simulation;

import dev.cairn.consensus.Entry;
import dev.cairn.consensus.SnapshotReference;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * The state of a simulated replica, with what it has on disk: a twin ({@link TwinState}), which is
 * the number of the last entry that was applied, or the one that ships.
 */
public interface SimulatedState {
  /** Makes what the states of each group have in common. */
  interface Maker {
    /**
     * Makes it for one group.
     *
     * @param count counts something that a test wants to have seen
     */
    OfGroup make(RandomGenerator random, Consumer<String> count);
  }

  /** What the states of a group's replicas have in common. */
  interface OfGroup {
    /**
     * The state of a replica that is placed on an empty disk.
     *
     * @param founded what an empty state covers
     */
    SimulatedState place(SnapshotReference founded);

    /** What a client's entry has. */
    byte[] request(long token);
  }

  /** Something that takes several steps, between which the process may die. */
  interface Step {
    /** Does what is next; whether that was the last. */
    boolean isLast();
  }

  /** A copy of the data. */
  interface Copy {
    /** What it covers. */
    SnapshotReference reference();
  }

  /** The process begins. */
  void start();

  /** The process is gone, with what it had in memory. */
  void crash();

  /** What was applied. */
  SnapshotReference applied();

  /** What is on disk. */
  SnapshotReference durable();

  /** Applies the entry behind the one that was applied last. */
  void apply(Entry entry);

  /** A reader is answered from the state as it is. */
  void read();

  /** Begins to put what was applied on disk; null if there is nothing to begin. */
  Step beginFlush();

  /** A copy of the data as it is now, which is on disk then. */
  Copy copy();

  /** Begins to put a copy, which is ahead, in the place of all. Nothing is applied meanwhile. */
  Step beginInstall(Copy copy);

  /** Of all that is on disk. */
  long hash();
}

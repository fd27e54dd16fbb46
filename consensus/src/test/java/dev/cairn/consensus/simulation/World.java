// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus.simulation;

import dev.cairn.consensus.Message;
import dev.cairn.consensus.Peer;
import dev.cairn.consensus.Settings;
import dev.cairn.consensus.SnapshotReference;
import java.util.SplittableRandom;

/** What a {@link Machine} knows of the world around it. */
interface World {
  long now();

  SplittableRandom random();

  Settings settings();

  Oracle oracle();

  void after(long millis, Runnable action);

  void send(Message message);

  /** A process ended: the others' connections to it are refused. */
  void died(String node);

  /** The data of a peer as of its last flush, if it can be reached; else null. */
  SnapshotReference copyOf(Peer source, String by);

  /** A witness let go of entries. */
  void witnessDropped(Peer witness, long upTo);

  /** Whether faults are still coming. */
  boolean isStormy();

  /** Counts something that a test wants to have seen. */
  void count(String what);
}

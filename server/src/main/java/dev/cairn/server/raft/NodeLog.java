// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import java.io.IOException;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.LongPredicate;

/**
 * What the rest of a node asks of its write-ahead log. Only what is on disk counts. Thread-safe.
 */
public interface NodeLog extends AutoCloseable {
  /** The incarnation whose marker a group has; 0 without one. */
  long incarnation(String group);

  /**
   * A replica takes part only under the incarnation whose marker is there.
   *
   * @throws IOException when it is another, or none: the disk was replaced
   */
  default void requireIncarnation(String group, long incarnation) throws IOException {
    long marker = incarnation(group);
    if (marker != incarnation) {
      throw new IOException(
          ("group %s: the log holds incarnation %d of this replica and the cluster expects %d;"
                  + " it does not vote until it was removed and added again")
              .formatted(group, marker, incarnation));
    }
  }

  /**
   * Marks a group as this incarnation, fsynced. Under another incarnation than before it starts
   * empty: entries, first index, term and vote go in the same batch.
   *
   * @param incarnation 1 or more
   * @throws LogDamagedException when it could not be written
   */
  void writeIncarnation(String group, long incarnation);

  /** Index of the first entry on disk, or of the next one while there is none; 1 for no group. */
  long firstIndex(String group);

  /**
   * Index of the last entry on disk; {@code firstIndex - 1} while there is none, so 0 for a new
   * group and for no group.
   */
  long lastIndex(String group);

  /** The term of an entry; empty outside of first to last. */
  OptionalLong termAt(String group, long index);

  /** About how many bytes the entries of a group are. */
  long entryBytes(String group);

  /** Whether a change of the group's voters has begun and its end is not on disk here yet. */
  boolean votersInTransition(String group);

  /**
   * The voters of a group by the last configuration that is on disk here; none when it has none, or
   * {@link #votersInTransition}.
   */
  Set<Peer> voters(String group);

  /**
   * Reads all of the log that can be checked while it is in use, and checks it.
   *
   * @param pace told the bytes of each part after it was read; may wait; false to end here
   */
  void verify(LongPredicate pace);

  @Override
  void close();
}

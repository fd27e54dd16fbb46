// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import java.util.List;

/** The log of a node, as a {@link Shard} needs it. */
public interface SharedLog {
  /**
   * What one group adds to an append.
   *
   * @param group its id on this node
   * @param marker the replica that was placed here, which its first append says; null in all others
   * @param write what the group writes; null with a marker
   */
  record Part(long group, Peer marker, Write write) {}

  /**
   * Queues what all groups have to write in a round. After a crash all of it is there or nothing,
   * and nothing of a later append without it.
   *
   * @return its number, higher than those before; {@link Shard#durable} names it when it is on disk
   */
  long append(List<Part> parts);

  /** Begins to read entries of a group; {@link Shard#loaded} brings them. */
  void read(long group, EntriesWanted wanted);
}

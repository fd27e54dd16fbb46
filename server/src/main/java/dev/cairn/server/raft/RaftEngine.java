// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import dev.cairn.server.peer.PeerTransport;
import java.io.IOException;
import java.util.Optional;

/** The Raft engine of a node: one peer port, one log, many groups. Thread-safe. */
public interface RaftEngine extends AutoCloseable {
  /** The connections to other nodes. */
  PeerTransport transport();

  /** The log of all groups. */
  NodeLog log();

  /**
   * Opens a group that this node is a member of. May wait for the disk.
   *
   * @param group the group's name; only letters, digits, '-' and '_', the first one a letter
   * @param incarnation the incarnation under which this node is a member; the log must hold its
   *     marker
   * @param founders with whom the group began; ignored once its log says otherwise
   * @param witness whether this member holds no data
   * @param snapshots where snapshots come from and go to; empty for a group that keeps its whole
   *     log, and for a witness
   * @throws IOException when the log does not hold the marker (the disk was replaced) or the group
   *     cannot be opened
   */
  RaftGroup open(
      String group,
      int incarnation,
      Founders founders,
      boolean witness,
      Optional<SnapshotHost> snapshots,
      GroupListener listener)
      throws IOException;

  /** Ends all groups' work and all connections. The log stays its owner's to close. */
  @Override
  void close();
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.cluster.Replica;
import dev.cairn.server.raft.RaftGroup;

/**
 * A replica or witness that the placement gives this node, open or not.
 *
 * <p>Threads: {@link ReplicaOpener}'s writes what it opened; {@link ReplicaCare}'s the rest.
 */
final class HeldReplica implements AutoCloseable {
  final Replica replica;
  final boolean witness;
  volatile NodeReport.Status status = NodeReport.Status.CREATED;
  volatile PartitionGroup group; // of a full replica that is open
  volatile WitnessReplica witnessReplica; // of a witness that is open
  volatile LogRetention retention;
  volatile long leadsSinceNanos;
  final HandOverBackoff handBack = new HandOverBackoff();
  final HandOverBackoff giveWay = new HandOverBackoff();
  long tendedNanos;
  volatile long snapshotNanos;
  volatile long snapshotIndex; // of the last that was taken
  volatile long snapshotTriedIndex;

  HeldReplica(Replica replica, boolean witness) {
    this.replica = replica;
    this.witness = witness;
  }

  /** Its group, or null while it is not open. */
  RaftGroup raft() {
    return group != null ? group.raft() : witnessReplica != null ? witnessReplica.raft() : null;
  }

  @Override
  public void close() {
    if (retention != null) {
      retention.close(); // else the group waits for the snapshot that is held
    }
    if (group != null) {
      group.close();
    }
    if (witnessReplica != null) {
      witnessReplica.close();
    }
  }
}

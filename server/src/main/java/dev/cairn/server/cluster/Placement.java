// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Where one partition lives.
 *
 * @param index the partition's number, from 0
 * @param firstSlot first slot, inclusive
 * @param lastSlot last slot, inclusive
 * @param replicas the full copies in ring order; the first is the preferred leader
 * @param witness the voter without data, or {@code null}
 */
public record Placement(
    int index, int firstSlot, int lastSlot, List<Replica> replicas, Replica witness) {
  public Placement {
    replicas = List.copyOf(replicas);
  }

  /** All voters: the full copies, then the witness. */
  @JsonIgnore
  public List<Replica> voters() {
    if (witness == null) {
      return replicas;
    }
    List<Replica> voters = new ArrayList<>(replicas);
    voters.add(witness);
    return voters;
  }

  /** The voter on a node, if it holds one. */
  public Optional<Replica> voterOn(String nodeId) {
    return voters().stream().filter(voter -> voter.nodeId().equals(nodeId)).findFirst();
  }

  /** Whether the voter on this node is the witness. */
  public boolean witnessOn(String nodeId) {
    return witness != null && witness.nodeId().equals(nodeId);
  }

  Placement mapVoters(java.util.function.UnaryOperator<Replica> change) {
    return new Placement(
        index,
        firstSlot,
        lastSlot,
        replicas.stream().map(change).toList(),
        witness == null ? null : change.apply(witness));
  }
}

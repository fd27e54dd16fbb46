// SPDX-License-Identifier: Apache-2.0
package dev.cairn.protocol;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Who is in the cluster and who holds what, as one node sees it at one moment.
 *
 * <p>Invariants: {@code partitions} is sorted by first slot and covers 0 to 16383 without a hole
 * once a placement exists (before that it is empty); {@code epoch} only grows; leaders are a hint
 * that may be out of date, placement is not.
 *
 * @param clusterId the cluster's random id, 40 hex digits; empty before the cluster has formed
 * @param epoch the placement's number; 0 before there is one
 * @param nodes all members, in the order of their names
 * @param partitions all partitions, by index
 */
public record Topology(String clusterId, long epoch, List<Node> nodes, List<Partition> partitions) {
  /** The topology of a node that belongs to no cluster yet. */
  public static final Topology NONE = new Topology("", 0, List.of(), List.of());

  public Topology {
    nodes = List.copyOf(nodes);
    partitions = List.copyOf(partitions);
  }

  /**
   * A member.
   *
   * @param id 40 hex digits, never changes
   * @param host the address that clients are told
   * @param clientPort any key, answered by forwarding
   * @param clusterPort MOVED for what the node does not lead; 0 when the node has none
   * @param up whether the node was heard of lately
   */
  public record Node(String id, String host, int clientPort, int clusterPort, boolean up) {
    /**
     * {@code host:clientPort}, the name by which people know the node; an IPv6 host stands in
     * brackets.
     */
    public String name() {
      return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + clientPort;
    }
  }

  /**
   * A contiguous range of slots.
   *
   * @param firstSlot first slot, inclusive
   * @param lastSlot last slot, inclusive
   * @param replicaIds ids of the nodes with a full copy, in ring order; the first is the preferred
   *     leader
   * @param witnessId id of the node that votes and keeps the log only, if there is one
   * @param leaderId id of the leader, if one is known
   */
  public record Partition(
      int index,
      int firstSlot,
      int lastSlot,
      List<String> replicaIds,
      Optional<String> witnessId,
      Optional<String> leaderId) {
    public Partition {
      replicaIds = List.copyOf(replicaIds);
    }
  }

  /** The member with this id, if there is one. */
  public Optional<Node> node(String id) {
    return nodes.stream().filter(node -> node.id().equals(id)).findFirst();
  }

  /** The partition that holds a slot (0 to 16383), or empty when no placement is known yet. */
  public Optional<Partition> partitionOfSlot(int slot) {
    int position = positionOfSlot(slot);
    return position < 0 ? Optional.empty() : Optional.of(partitions.get(position));
  }

  /** The index of {@link #partitionOfSlot}, without an object. */
  public OptionalInt indexOfSlot(int slot) {
    int position = positionOfSlot(slot);
    return position < 0 ? OptionalInt.empty() : OptionalInt.of(partitions.get(position).index());
  }

  private int positionOfSlot(int slot) {
    int low = 0;
    int high = partitions.size() - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      Partition partition = partitions.get(middle);
      if (slot < partition.firstSlot()) {
        high = middle - 1;
      } else if (slot > partition.lastSlot()) {
        low = middle + 1;
      } else {
        return middle;
      }
    }
    return -1;
  }
}

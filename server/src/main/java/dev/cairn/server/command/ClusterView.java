// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.Topology;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The topology as a Redis Cluster would have it, of the nodes that have a cluster port.
 *
 * <p>In Redis a node is a master of slots, or a replica of one master. Here it leads some
 * partitions and follows others; a client that meets a node in both roles keeps the one that it saw
 * first (redis-py), and leaves the node out when it adds up what masters count. So:
 *
 * <ol>
 *   <li>Each partition has one owner while any node has a cluster port: never a hole in the slots,
 *       at which clients give up without asking anybody. It is the leader; while none is known, or
 *       it has no cluster port, a node that will find it.
 *   <li>A node that owns something is a master, and a replica of nothing.
 *   <li>A node that owns nothing is a replica of the owner of the first partition of which it holds
 *       a copy, and a master without slots if it holds none.
 * </ol>
 */
final class ClusterView {
  private final Topology topology;
  private final List<Topology.Node> nodes;
  private final Map<Integer, Topology.Node> owners = new HashMap<>(); // by partition

  /**
   * Draws the view.
   *
   * @param selfId the node that tells it: it is up for certain
   */
  ClusterView(Topology topology, String selfId) {
    this.topology = topology;
    nodes = topology.nodes().stream().filter(node -> node.clusterPort() != 0).toList();
    for (Topology.Partition partition : topology.partitions()) {
      owner(partition, selfId).ifPresent(owner -> owners.put(partition.index(), owner));
    }
  }

  private Optional<Topology.Node> owner(Topology.Partition partition, String selfId) {
    Optional<Topology.Node> leader = partition.leaderId().flatMap(this::node);
    if (leader.isPresent()) {
      return leader;
    }
    List<Topology.Node> candidates = new ArrayList<>();
    if (partition.replicaIds().contains(selfId)) {
      node(selfId).ifPresent(candidates::add);
    }
    holders(partition).stream().filter(Topology.Node::up).forEach(candidates::add);
    nodes.stream().filter(Topology.Node::up).forEach(candidates::add);
    candidates.addAll(nodes);
    return candidates.stream().findFirst();
  }

  /** All that have a cluster port, in the order of their names. */
  List<Topology.Node> nodes() {
    return nodes;
  }

  /** One of {@link #nodes}. */
  Optional<Topology.Node> node(String id) {
    return nodes.stream().filter(node -> node.id().equals(id)).findFirst();
  }

  /** Whom to ask for the keys of a partition; empty only when no node has a cluster port. */
  Optional<Topology.Node> owner(Topology.Partition partition) {
    return Optional.ofNullable(owners.get(partition.index()));
  }

  /** The partitions that the node owns, by index. */
  List<Topology.Partition> owned(Topology.Node node) {
    return topology.partitions().stream()
        .filter(partition -> node.equals(owners.get(partition.index())))
        .toList();
  }

  /** The nodes that hold a copy of the partition and own nothing, in ring order. */
  List<Topology.Node> replicas(Topology.Partition partition) {
    return holders(partition).stream().filter(node -> !owners.containsValue(node)).toList();
  }

  /** The node of which this one is a replica; empty for a master. */
  Optional<Topology.Node> masterOf(Topology.Node node) {
    return topology.partitions().stream()
        .filter(partition -> replicas(partition).contains(node))
        .findFirst()
        .flatMap(this::owner);
  }

  private List<Topology.Node> holders(Topology.Partition partition) {
    return partition.replicaIds().stream().flatMap(id -> node(id).stream()).toList();
  }
}

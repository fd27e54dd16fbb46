// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

import dev.cairn.protocol.Slots;
import dev.cairn.protocol.Topology;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Which nodes to ask for a key, best first: the leader at its cluster port (one hop), then the
 * other replicas, the remaining nodes and the addresses that the client was given, at their client
 * ports, where any node answers any key by passing it on.
 *
 * <p>Invariants: a topology of the same cluster never goes back to a lower epoch; every node that
 * the client was given stays a candidate, so that addresses which a cluster announces but nobody
 * can reach cost time, never the answer. A node that failed within the last second comes last.
 * Thread-safe: one immutable {@link View}, replaced as a whole.
 */
final class Routes {
  private static final long PENALTY_NANOS = 1_000_000_000L;

  /**
   * A node as a candidate.
   *
   * @param node its name: host and client port
   * @param connect where to connect
   */
  record Target(Address node, Address connect) {}

  /**
   * What follows from one topology.
   *
   * @param bySlot candidates for each slot; empty without a topology
   */
  private record View(Topology topology, List<List<Target>> bySlot, List<Target> any) {}

  private final List<Target> given;
  private final ConcurrentMap<Address, Long> failedNanos = new ConcurrentHashMap<>();
  private final AtomicInteger rotation = new AtomicInteger();
  private volatile View view;

  Routes(List<Address> nodes) {
    given = nodes.stream().map(node -> new Target(node, node)).toList();
    view = new View(Topology.NONE, List.of(), given);
  }

  Topology topology() {
    return view.topology;
  }

  /** Candidates for a slot, in the order of preference, whatever failed before. */
  List<Target> preferred(int slot) {
    View now = view;
    return now.bySlot.isEmpty() ? now.any : now.bySlot.get(slot);
  }

  /** All nodes; {@code rotated}: beginning with another one each time. */
  List<Target> any(boolean rotated) {
    List<Target> targets = view.any;
    if (!rotated || targets.size() < 2) {
      return targets;
    }
    List<Target> copy = new ArrayList<>(targets);
    Collections.rotate(copy, -Math.floorMod(rotation.getAndIncrement(), copy.size()));
    return copy;
  }

  /** The same candidates, those that failed lately last. */
  List<Target> usableFirst(List<Target> targets) {
    if (failedNanos.isEmpty()) {
      return targets;
    }
    List<Target> sorted = new ArrayList<>(targets.size());
    List<Target> last = new ArrayList<>();
    for (Target target : targets) {
      (failedLately(target.connect) ? last : sorted).add(target);
    }
    sorted.addAll(last);
    return sorted;
  }

  void failed(Address connect) {
    failedNanos.put(connect, System.nanoTime());
  }

  void answered(Address connect) {
    if (!failedNanos.isEmpty()) {
      failedNanos.remove(connect);
    }
  }

  private boolean failedLately(Address connect) {
    Long nanos = failedNanos.get(connect);
    if (nanos == null) {
      return false;
    }
    if (System.nanoTime() - nanos < PENALTY_NANOS) {
      return true;
    }
    failedNanos.remove(connect, nanos);
    return false;
  }

  /** Takes a topology that a node sent, unless it is older than the one known. */
  synchronized void learn(Topology topology) {
    Topology known = view.topology;
    boolean sameCluster = known.clusterId().equals(topology.clusterId());
    if (topology.partitions().isEmpty() || (sameCluster && topology.epoch() < known.epoch())) {
      return;
    }
    view = viewOf(topology);
  }

  /** Notes that another node leads a slot; returns where to go. */
  synchronized Target moved(int slot, Address clusterAddress) {
    Topology known = view.topology;
    Optional<Topology.Node> leader =
        known.nodes().stream()
            .filter(node -> node.host().equals(clusterAddress.host()))
            .filter(
                node ->
                    node.clusterPort() == clusterAddress.port()
                        || node.clientPort() == clusterAddress.port())
            .findFirst();
    if (leader.isEmpty()) {
      return new Target(clusterAddress, clusterAddress);
    }
    List<Topology.Partition> partitions = new ArrayList<>(known.partitions());
    partitions.replaceAll(
        partition ->
            slot < partition.firstSlot() || slot > partition.lastSlot()
                ? partition
                : new Topology.Partition(
                    partition.index(),
                    partition.firstSlot(),
                    partition.lastSlot(),
                    partition.replicaIds(),
                    partition.witnessId(),
                    Optional.of(leader.get().id())));
    view = viewOf(new Topology(known.clusterId(), known.epoch(), known.nodes(), partitions));
    return new Target(clientAddress(leader.get()), clusterAddress);
  }

  private View viewOf(Topology topology) {
    Map<Address, Target> all = new LinkedHashMap<>();
    given.forEach(target -> all.put(target.node, target));
    topology.nodes().forEach(node -> addClientPort(all, node));
    List<Target> any = List.copyOf(all.values());
    List<List<Target>> bySlot = new ArrayList<>(Collections.nCopies(Slots.COUNT, any));
    for (Topology.Partition partition : topology.partitions()) {
      List<Target> candidates = candidates(topology, partition);
      for (int slot = partition.firstSlot(); slot <= partition.lastSlot(); slot++) {
        bySlot.set(slot, candidates);
      }
    }
    return new View(topology, bySlot, any);
  }

  private List<Target> candidates(Topology topology, Topology.Partition partition) {
    Map<Address, Target> targets = new LinkedHashMap<>();
    partition
        .leaderId()
        .flatMap(topology::node)
        .ifPresent(
            leader ->
                targets.put(
                    clientAddress(leader),
                    new Target(
                        clientAddress(leader),
                        new Address(
                            leader.host(),
                            leader.clusterPort() > 0
                                ? leader.clusterPort()
                                : leader.clientPort()))));
    for (boolean up : new boolean[] {true, false}) {
      for (String replica : partition.replicaIds()) {
        topology
            .node(replica)
            .filter(node -> node.up() == up)
            .ifPresent(node -> addClientPort(targets, node));
      }
      topology.nodes().stream()
          .filter(node -> node.up() == up)
          .forEach(node -> addClientPort(targets, node));
    }
    given.forEach(target -> targets.putIfAbsent(target.node, target));
    return List.copyOf(targets.values());
  }

  private static void addClientPort(Map<Address, Target> targets, Topology.Node node) {
    Address address = clientAddress(node);
    targets.putIfAbsent(address, new Target(address, address));
  }

  private static Address clientAddress(Topology.Node node) {
    return new Address(node.host(), node.clientPort());
  }
}

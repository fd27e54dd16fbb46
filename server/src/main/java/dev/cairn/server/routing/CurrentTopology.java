// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import dev.cairn.protocol.Topology;
import dev.cairn.server.cluster.Announced;
import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.cluster.Replica;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The cluster as clients are told of it: placements as they were logged, leaders and nodes that are
 * up as this node knows them. Made at most once in {@link #KEPT_NANOS}: clients may ask for it with
 * every command.
 *
 * <p>Threads: any.
 */
final class CurrentTopology {
  private static final long KEPT_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private final LocalNode node;
  private final LongSupplier nanoTime;
  private volatile Made last;

  /** A topology, and the state and time that it was made from. */
  private record Made(ClusterState of, long atNanos, Topology topology) {}

  CurrentTopology(LocalNode node, LongSupplier nanoTime) {
    this.node = node;
    this.nanoTime = nanoTime;
  }

  /**
   * The topology of a state, at most {@link #KEPT_NANOS} old.
   *
   * @param cluster null: none is known yet
   */
  @SuppressWarnings("ReferenceEquality") // a state never changes; comparing two costs as much
  Topology of(ClusterState cluster) {
    Made made = last;
    long now = nanoTime.getAsLong();
    if (made == null || made.of() != cluster || now - made.atNanos() > KEPT_NANOS) {
      made = new Made(cluster, now, make(cluster));
      last = made;
    }
    return made.topology();
  }

  /** By the last topology of this state, however old: which slots are whose is in that. */
  @SuppressWarnings("ReferenceEquality") // as above
  OptionalInt partitionOfSlot(ClusterState cluster, int slot) {
    Made made = last;
    boolean present = made != null && made.of() == cluster;
    return (present ? made.topology() : of(cluster)).indexOfSlot(slot);
  }

  private Topology make(ClusterState cluster) {
    if (cluster == null) {
      return Topology.NONE;
    }
    List<Topology.Node> nodes = cluster.members().stream().map(this::nodeOf).toList();
    List<Topology.Partition> placed =
        cluster.partitions().stream()
            .map(
                placement ->
                    new Topology.Partition(
                        placement.index(),
                        placement.firstSlot(),
                        placement.lastSlot(),
                        placement.replicas().stream().map(Replica::nodeId).toList(),
                        Optional.ofNullable(placement.witness()).map(Replica::nodeId),
                        node.partitions().leaderId(placement.index())))
            .toList();
    return new Topology(cluster.clusterId(), cluster.epoch(), nodes, placed);
  }

  private Topology.Node nodeOf(Member member) {
    Announced announced = node.membership().announced(member);
    return new Topology.Node(
        member.id(),
        announced.host(),
        announced.clientPort(),
        announced.clusterPort(),
        node.membership().isUp(member.id()));
  }
}

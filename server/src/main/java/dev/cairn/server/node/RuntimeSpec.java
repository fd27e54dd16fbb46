// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.server.access.AccessControl;
import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.CreationSettings;
import dev.cairn.server.cluster.Formation;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.cluster.Ring;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.partition.LogLimits;
import dev.cairn.server.peer.EventLoops;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What a {@link NodeRuntime} is built from.
 *
 * @param identity which node it is, and of which cluster
 * @param founders of what a new cluster forms
 * @param bounds how much is used
 * @param figures what is told of the node
 * @param access acts on the rights of the cluster
 * @param loops serve clients, other nodes and the node's shard; the caller's to close, after the
 *     runtime
 * @param onFault told of faults that stop all groups, by any thread; returns at once
 */
record RuntimeSpec(
    Identity identity,
    Founders founders,
    Bounds bounds,
    Figures figures,
    AccessControl access,
    EventLoops loops,
    Consumer<NodeFault> onFault) {
  /**
   * Which node it is, and of which cluster.
   *
   * @param self this node, with its id
   * @param bindHost the address that the peer port listens on
   * @param tls what peers have to prove there, and what the node tells of its protection
   * @param folder the data folder, locked by the caller
   * @param founded the cluster that this node belongs to, empty before it has one
   * @param record writes the cluster down in the node's identity, on disk when it returns
   */
  record Identity(
      Member self,
      String bindHost,
      NodeTls tls,
      Path folder,
      Optional<ClusterState> founded,
      Consumer<ClusterState> record) {}

  /**
   * Of what a new cluster forms.
   *
   * @param listed the nodes of the list that every node is given at first start
   * @param creation what was given of what is fixed when a cluster forms
   */
  record Founders(List<Formation.Address> listed, CreationSettings creation) {}

  /**
   * How much is used.
   *
   * @param cacheBytes memory for data read from the disk
   * @param requestTimeoutMillis until when a request must be answered
   * @param logLimits how much log each partition keeps
   * @param scrub how fast what is on disk is checked in the background
   */
  record Bounds(
      long cacheBytes, long requestTimeoutMillis, LogLimits logLimits, Scrub.Pace scrub) {}

  /**
   * What is told of the node.
   *
   * @param version the version of Cairn
   * @param metrics what is measured goes there
   * @param stats what the node tells of itself when it is asked
   * @param room how much room the disk has
   */
  record Figures(
      String version, Metrics metrics, NodeStats stats, Supplier<NodeReport.Room> room) {}

  /** How many replicas this node holds at most. */
  int replicasMax() {
    return identity.founded().isPresent()
        ? Ring.replicasMax(
            identity.founded().get().members().size(),
            identity.founded().get().partitionCount(),
            identity.founded().get().replicationFactor())
        : Ring.replicasMax(
            founders.listed().size(),
            founders.creation().partitionsNow(),
            founders.creation().replicationFactorNow());
  }
}

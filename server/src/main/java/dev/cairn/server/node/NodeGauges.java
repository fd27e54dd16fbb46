// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Membership;
import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.cluster.Placement;
import dev.cairn.server.cluster.Replica;
import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.metrics.Metrics.Row;
import dev.cairn.server.partition.LogLimits;
import dev.cairn.server.partition.PartitionFigures;
import dev.cairn.server.partition.Partitions;
import dev.cairn.server.peer.PeerTransport;
import dev.cairn.server.routing.ClusterRouter;
import dev.cairn.server.routing.ClusterStatus;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/** What is to be known of a node only when somebody looks: asked of its parts then. */
final class NodeGauges {
  private static final long FIGURES_FOR_NANOS = 100_000_000;

  private final Partitions partitions;
  private final Membership membership;
  private final ClusterRouter router;
  private final ClusterStatus status;
  private final Supplier<ClusterState> cluster; // null before it has formed
  private final Supplier<List<NodeReport.PartitionReport>> latest;
  private final PeerTransport peers;
  private final LogLimits limits;
  private List<PartitionFigures> figures = List.of(); // guarded by this
  private long figuresNanos; // guarded by this
  private boolean figuresKnown; // guarded by this

  /**
   * Tells nothing yet.
   *
   * @param latest what this node's replicas last said of themselves
   */
  NodeGauges(
      Partitions partitions,
      Membership membership,
      ClusterRouter router,
      ClusterStatus status,
      Supplier<ClusterState> cluster,
      Supplier<List<NodeReport.PartitionReport>> latest,
      PeerTransport peers,
      LogLimits limits) {
    this.partitions = partitions;
    this.membership = membership;
    this.router = router;
    this.status = status;
    this.cluster = cluster;
    this.latest = latest;
    this.peers = peers;
    this.limits = limits;
  }

  void tell(Metrics metrics, Path dataFolder, String version) {
    metrics.measureProcess();
    metrics.gauge(Metric.BUILD, () -> 1, version);
    metrics.gauge(Metric.DISK_FREE, () -> dataFolder.toFile().getUsableSpace());
    metrics.gauge(Metric.DISK_SIZE, () -> dataFolder.toFile().getTotalSpace());
    tellOfQueues(metrics);
    tellOfPeers(metrics);
    tellOfPartitions(metrics);
    tellOfCluster(metrics);
  }

  private void tellOfQueues(Metrics metrics) {
    metrics.gauge(Metric.REPLY_BYTES, router.replies()::bytes);
    metrics.gauge(Metric.QUEUE_REQUESTS, () -> router.queued(true).requests(), "write");
    metrics.gauge(Metric.QUEUE_REQUESTS, () -> router.queued(false).requests(), "read");
    metrics.gauge(Metric.QUEUE_BYTES, () -> router.queued(true).bytes(), "write");
    metrics.gauge(Metric.QUEUE_BYTES, () -> router.queued(false).bytes(), "read");
    metrics.gauge(Metric.QUEUE_REQUESTS, () -> sum(PartitionFigures::queuedRequests), "proposal");
    metrics.gauge(Metric.QUEUE_BYTES, () -> sum(PartitionFigures::queuedBytes), "proposal");
  }

  private void tellOfPeers(Metrics metrics) {
    metrics.gauge(Metric.PEER_CONNECTIONS, peers::connections);
    metrics.gauge(Metric.PEER_UNANSWERED_BYTES, peers::unansweredBytes);
    metrics.counted(Metric.PEER_MESSAGES, peers::messagesSent, "sent");
    metrics.counted(Metric.PEER_MESSAGES, peers::messagesReceived, "received");
  }

  private void tellOfPartitions(Metrics metrics) {
    metrics.gauge(Metric.LOG_BYTES, () -> sumOf(NodeReport.PartitionReport::logBytes));
    metrics.gauge(
        Metric.UNFLUSHED_ENTRIES,
        () -> sumOf(report -> Math.max(0, report.appliedIndex() - report.durableIndex())));
    metrics.gauge(
        Metric.LOG_KEPT_MAX, () -> sum(f -> f.holdsData() ? limits.replicaBytesMax() : 0));
    metrics.gauge(
        Metric.REPLICAS_OPENING,
        () -> sumOf(report -> report.status() == NodeReport.Status.CREATED ? 1 : 0));
    ofPartitions(metrics, Metric.PARTITION_LEADS, f -> f.leads() ? 1 : 0, false);
    ofPartitions(metrics, Metric.PARTITION_STOPPED, f -> f.stopped() ? 1 : 0, false);
    ofPartitions(metrics, Metric.PARTITION_LOG_BYTES, PartitionFigures::logBytes, false);
    ofPartitions(metrics, Metric.PARTITION_KEYS, PartitionFigures::keys, true);
    ofPartitions(metrics, Metric.PARTITION_DATA_BYTES, PartitionFigures::dataBytes, true);
    ofPartitions(metrics, Metric.PARTITION_DISK_BYTES, PartitionFigures::diskBytes, true);
    ofPartitions(metrics, Metric.APPLY_LAG, PartitionFigures::unappliedEntries, true);
    metrics.gauges(Metric.REPLICA_LAG, this::replicaLag);
  }

  private void tellOfCluster(Metrics metrics) {
    metrics.gauge(Metric.NODES, () -> cluster.get() == null ? 0 : cluster.get().members().size());
    metrics.gauge(Metric.NODES_UP, () -> membership.upCount().orElse(0));
    metrics.gauge(
        Metric.PARTITIONS, () -> cluster.get() == null ? 0 : cluster.get().partitionCount());
    metrics.gauge(Metric.PARTITIONS_LED, this::partitionsLed);
    metrics.gauge(Metric.CAN_LOSE, status::canLose);
    metrics.gauges(
        Metric.PROBLEM,
        () ->
            status.problemSeconds().entrySet().stream()
                .map(entry -> new Row(List.of(entry.getKey().slug()), entry.getValue()))
                .toList());
  }

  private void ofPartitions(
      Metrics metrics, Metric metric, ToDoubleFunction<PartitionFigures> value, boolean dataOnly) {
    metrics.gauges(
        metric,
        () ->
            figures().stream()
                .filter(f -> !dataOnly || f.holdsData())
                .map(f -> Row.of(f.index(), value.applyAsDouble(f)))
                .toList());
  }

  private double sumOf(ToDoubleFunction<NodeReport.PartitionReport> value) {
    return latest.get().stream().mapToDouble(value).sum();
  }

  private double sum(ToDoubleFunction<PartitionFigures> value) {
    return figures().stream().mapToDouble(value).sum();
  }

  private double partitionsLed() {
    ClusterState known = cluster.get();
    return known == null
        ? 0
        : known.partitions().stream()
            .filter(p -> partitions.leaderId(p.index()).filter(membership::isHeard).isPresent())
            .count();
  }

  /** Of the partitions that this node leads: how far each other full replica said it was. */
  private List<Row> replicaLag() {
    List<Row> rows = new ArrayList<>();
    ClusterState known = cluster.get();
    for (PartitionFigures own : figures()) {
      if (!own.leads() || known == null) {
        continue;
      }
      Placement placement = known.partitions().get(own.index());
      for (Replica replica : placement.replicas()) {
        if (placement.index() == own.index() && !replica.nodeId().equals(router.nodeId())) {
          long reached =
              membership
                  .report(replica, own.index())
                  .map(NodeReport.PartitionReport::appliedIndex)
                  .orElse(0L);
          rows.add(
              new Row(
                  List.of(
                      Integer.toString(own.index()),
                      known.member(replica.nodeId()).orElseThrow().name()),
                  Math.max(0, own.appliedIndex() - reached)));
        }
      }
    }
    return rows;
  }

  /** Asked of the partitions once for all gauges of a scrape. */
  private synchronized List<PartitionFigures> figures() {
    long now = System.nanoTime();
    if (!figuresKnown || now - figuresNanos > FIGURES_FOR_NANOS) {
      figures = partitions.figures();
      figuresNanos = now;
      figuresKnown = true;
    }
    return figures;
  }
}

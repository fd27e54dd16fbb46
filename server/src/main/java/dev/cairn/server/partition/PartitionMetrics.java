// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;

/**
 * What this node's partitions are measured by, all of them together: proposals, and keys' lookups.
 *
 * @param operations how many one carries
 * @param bytes how large one is
 * @param applied how long one takes until it is applied
 * @param refused until it is refused
 * @param unknown until it is given up
 * @param keys what lookups found
 * @param snapshots of the replicas
 */
record PartitionMetrics(
    Metrics.Sizes operations,
    Metrics.Sizes bytes,
    Metrics.Latency applied,
    Metrics.Latency refused,
    Metrics.Latency unknown,
    KeyMetrics keys,
    Snapshots snapshots) {

  static PartitionMetrics of(Metrics metrics) {
    return new PartitionMetrics(
        metrics.sizes(Metric.PROPOSAL_OPERATIONS),
        metrics.sizes(Metric.PROPOSAL_BYTES),
        metrics.latency(Metric.PROPOSAL_DURATION, "applied"),
        metrics.latency(Metric.PROPOSAL_DURATION, "refused"),
        metrics.latency(Metric.PROPOSAL_DURATION, "unknown"),
        KeyMetrics.of(metrics),
        new Snapshots(metrics, System::nanoTime, System::currentTimeMillis));
  }
}

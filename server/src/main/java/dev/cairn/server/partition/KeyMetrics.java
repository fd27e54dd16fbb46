// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.operation.Lookups;

/**
 * What keys' lookups came to, over all partitions of a node. Any thread.
 *
 * <p>A read counts where it is answered, once its answer counts. What stands in the log counts
 * where it was proposed, not at the other replicas, and not again when the log is applied anew
 * after a start.
 */
record KeyMetrics(
    Metrics.Count hits, Metrics.Count misses, Metrics.Count expired, Metrics.Count fullSweeps) {
  static KeyMetrics of(Metrics metrics) {
    return new KeyMetrics(
        metrics.counter(Metric.KEY_LOOKUPS, "hit"),
        metrics.counter(Metric.KEY_LOOKUPS, "miss"),
        metrics.counter(Metric.EXPIRED_KEYS),
        metrics.counter(Metric.FULL_SWEEPS));
  }

  /** Takes what was met, and clears it. */
  void take(Lookups lookups) {
    add(hits, lookups.hits());
    add(misses, lookups.misses());
    add(expired, lookups.expired());
    add(fullSweeps, lookups.fullSweeps());
    lookups.clear();
  }

  private static void add(Metrics.Count count, long amount) {
    if (amount > 0) {
      count.add(amount);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import java.util.OptionalInt;

/**
 * What is fixed when a cluster is created, as a node was told at its start. What was not given
 * takes the default in a cluster that forms, and the logged value in one that has formed: so a
 * default may be another one in a later version.
 *
 * @param replicationFactor full copies wanted, 1 or more; empty when not given
 * @param partitions how many, 1 or more; empty when not given
 * @param listed how many nodes the list has from which a cluster would form
 */
public record CreationSettings(OptionalInt replicationFactor, OptionalInt partitions, int listed) {
  private static final int REPLICATION_FACTOR_DEFAULT = 2;
  private static final int PARTITIONS_PER_NODE = 2;

  /** Full copies of each partition in a cluster that forms now. */
  public int replicationFactorNow() {
    return replicationFactor.orElse(REPLICATION_FACTOR_DEFAULT);
  }

  /** Partitions of a cluster that forms now. */
  public int partitionsNow() {
    return partitions.orElse(PARTITIONS_PER_NODE * listed);
  }

  /** Whether something was given that is otherwise in a cluster that has formed. */
  public boolean contradict(ClusterState state) {
    return replicationFactor.orElse(state.replicationFactor()) != state.replicationFactor()
        || partitions.orElse(state.partitionCount()) != state.partitionCount();
  }

  /** What was given, for a message; {@code -} for what was not. */
  public String given() {
    return "replication-factor=" + text(replicationFactor) + " partitions=" + text(partitions);
  }

  private static String text(OptionalInt value) {
    return value.isPresent() ? String.valueOf(value.getAsInt()) : "-";
  }
}

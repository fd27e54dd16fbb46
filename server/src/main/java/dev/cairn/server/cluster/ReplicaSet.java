// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import java.util.List;
import java.util.Optional;

/**
 * Who holds one partition.
 *
 * @param replicas the nodes with a full copy, in ring order; the first is the preferred leader
 * @param witness the node that votes and keeps the log only: there is one when the number of copies
 *     is even and the cluster has more nodes than copies
 */
public record ReplicaSet(List<String> replicas, Optional<String> witness) {
  public ReplicaSet {
    replicas = List.copyOf(replicas);
    if (replicas.isEmpty()) {
      throw new IllegalArgumentException("a partition needs at least one replica");
    }
    if (witness.isPresent() && replicas.contains(witness.get())) {
      throw new IllegalArgumentException(witness.get() + " cannot be replica and witness at once");
    }
  }
}

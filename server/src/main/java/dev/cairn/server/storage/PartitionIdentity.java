// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

/**
 * Whose data a folder holds. Data of another identity is refused before anything is written.
 *
 * @param clusterId the cluster's random id
 * @param partition the partition's number in that cluster
 * @param incarnation which life of this replica; a replica whose disk was lost comes back under the
 *     next one
 */
public record PartitionIdentity(String clusterId, int partition, long incarnation) {
  public PartitionIdentity {
    if (clusterId.isEmpty() || clusterId.length() > 256) {
      throw new IllegalArgumentException("a cluster id has 1 to 256 characters: " + clusterId);
    }
  }

  @Override
  public String toString() {
    return "cluster %s, partition %d, incarnation %d".formatted(clusterId, partition, incarnation);
  }
}

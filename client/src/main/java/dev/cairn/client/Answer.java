// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

import java.util.List;

/**
 * What a call brought, and who answered.
 *
 * @param value what was asked for
 * @param node the node that answered, by its client port. When the client asked for replica states
 *     this is the partition's leader, even if another node passed the request on
 * @param replicas for a write by a client that asked for replica states: each live full replica,
 *     the leader first, then in ring order; otherwise empty
 * @param ageMillis for a read of level ONE, how old the value may be, where the node that answered
 *     has heard no leader for a while; else 0
 */
public record Answer<T>(T value, String node, List<ReplicaState> replicas, long ageMillis) {
  public Answer {
    replicas = List.copyOf(replicas);
  }

  /**
   * One replica of the key that was written.
   *
   * @param node {@code host:port} by its client port
   * @param durable whether it had the write on disk when the leader answered
   */
  public record ReplicaState(String node, boolean durable) {}
}

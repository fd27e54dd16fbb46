// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import java.util.Locale;

/**
 * What can be wrong with a cluster, by name; the first first, as a person reads them. {@code
 * docs/reference/errors.md} says of each what to do.
 */
public enum ProblemKind {
  /** The answering node serves nothing just now, and comes back by itself. */
  NODE_CLOSED,
  /** The nodes of the list have not become a cluster yet. */
  CLUSTER_NOT_FORMED,
  /** The cluster has formed and its partitions have no place yet. */
  PARTITIONS_NOT_PLACED,
  /** A node is neither heard nor reached by anybody. */
  NODE_DOWN,
  /** A node is alive, and others cannot send to it. */
  NODE_UNREACHED,
  /** A node's disk has too little room. */
  DISK_LOW,
  /** A node's replicas do not vote: its disk holds another incarnation's marker, or none. */
  DISK_LOST,
  /** A replica's data is not what was written. */
  REPLICA_DAMAGED,
  /** A replica has stopped after a local fault. */
  REPLICA_STOPPED,
  /** Partitions that nobody can lead. */
  NO_MAJORITY,
  /** Partitions that nobody leads, though somebody could. */
  NO_LEADER,
  /** A node's copies lack entries that are older than five seconds. */
  COPY_BEHIND,
  /** Partitions whose voters change. */
  VOTERS_CHANGE,
  /** A witness keeps more than half of the log that it may. */
  WITNESS_LOG_LARGE,
  /** A node's certificate has expired, or does so soon. */
  CERTIFICATE_EXPIRES,
  /** A node cannot use what stands now where its certificate did. */
  CERTIFICATE_UNREADABLE,
  /** A node has long not heard what the latest rights of users are. */
  RIGHTS_OLD,
  /** A node has lost events of its audit log. */
  AUDIT_LOST,
  /** There are fewer nodes than copies. */
  FEWER_NODES_THAN_COPIES,
  /** There are more nodes than partitions. */
  MORE_NODES_THAN_PARTITIONS;

  /** As in status, metrics and alerts: {@code node-down}. */
  public String slug() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}

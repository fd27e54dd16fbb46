// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

/**
 * One voter of a partition: which node, and which incarnation of that node's disk.
 *
 * <p>Invariant: a node opens the replica only when {@code created} is logged <em>and</em> its log
 * holds the marker of this incarnation. It writes the marker only while {@code created} is not
 * logged. So a disk that was emptied later has no marker and can get none: it never votes under
 * this incarnation again.
 *
 * @param nodeId the node
 * @param incarnation 1 for the first, one more each time the replica is placed anew
 * @param created whether the node has reported that its marker is on disk
 */
public record Replica(String nodeId, int incarnation, boolean created) {
  Replica withCreated() {
    return new Replica(nodeId, incarnation, true);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

/**
 * A member of a Raft group: a node and the incarnation of its disk. Where the node is stands
 * nowhere in a group's log or votes; the transport knows ({@link
 * dev.cairn.server.peer.PeerTransport#locate}). So a node that moves to another address stays the
 * member that it was, and no configuration changes.
 *
 * <p>Invariant: two peers of the same node and different incarnations are different members, so
 * what a wiped disk once acknowledged is never counted for the empty one that took its place.
 *
 * <p>As text, in a partition's data too, it is {@code nodeId:0:incarnation}.
 *
 * @param nodeId the node's id; without ':'
 * @param incarnation 1 for a group's first members, one more each time the replica is created anew
 */
public record Peer(String nodeId, int incarnation) {
  @Override
  public String toString() {
    return nodeId + ":0:" + incarnation;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.util.Endpoint;

/**
 * A member of a Raft group: a node and the incarnation of its disk. Where the node is stands
 * nowhere in a group's log or votes; the transport knows ({@link
 * dev.cairn.server.peer.PeerTransport#locate}). So a node that moves to another address stays the
 * member that it was, and no configuration changes.
 *
 * <p>Invariant: two peers of the same node and different incarnations are different members, so
 * what a wiped disk once acknowledged is never counted for the empty one that took its place.
 *
 * <p>The engine wants an address: its host is the node's id, its port is always 0.
 *
 * @param nodeId the node's id; without ':'
 * @param incarnation 1 for a group's first members, one more each time the replica is created anew
 */
public record Peer(String nodeId, int incarnation) {
  private static final int NO_PORT = 0;

  /** Reads the form that {@link #toString} writes. */
  public static Peer parse(String text) {
    PeerId peerId = new PeerId();
    if (!peerId.parse(text) || peerId.getPort() != NO_PORT) {
      throw new IllegalArgumentException("not a peer: '" + text + "'; expected node:0:incarnation");
    }
    return of(peerId);
  }

  static Peer of(PeerId peerId) {
    return new Peer(peerId.getIp(), peerId.getIdx());
  }

  /** As the engine names a node. */
  static Endpoint endpoint(String nodeId) {
    return new Endpoint(nodeId, NO_PORT);
  }

  PeerId toPeerId() {
    return new PeerId(nodeId, NO_PORT, incarnation);
  }

  @Override
  public String toString() {
    return toPeerId().toString();
  }
}

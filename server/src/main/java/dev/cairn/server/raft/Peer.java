// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.entity.PeerId;

/**
 * A member of a Raft group: an address and the incarnation of its disk.
 *
 * <p>Invariant: two peers with the same address and different incarnations are different members,
 * so what a wiped disk once acknowledged is never counted for the empty one that took its place.
 *
 * @param host peer address, without brackets
 * @param port peer port
 * @param incarnation 1 for a group's first members, one more each time the replica is created anew
 */
public record Peer(String host, int port, int incarnation) {
  /** Reads the form that {@link #toString} writes. */
  public static Peer parse(String text) {
    PeerId peerId = new PeerId();
    if (!peerId.parse(text)) {
      throw new IllegalArgumentException(
          "not a peer: '" + text + "'; expected host:port:incarnation");
    }
    return of(peerId);
  }

  static Peer of(PeerId peerId) {
    return new Peer(peerId.getIp(), peerId.getPort(), peerId.getIdx());
  }

  PeerId toPeerId() {
    return new PeerId(host, port, incarnation);
  }

  @Override
  public String toString() {
    return toPeerId().toString();
  }
}

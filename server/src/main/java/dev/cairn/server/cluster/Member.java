// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import dev.cairn.server.peer.PeerAddress;

/**
 * A node of the cluster. Its id is what it is; all else but the incarnation says where it is, and
 * is logged anew when the node comes back elsewhere ({@link Addresses}).
 *
 * @param id 40 hex digits, made at the node's first start, never changed
 * @param name {@code host:clientPort}, under which the other nodes list it: what people call it,
 *     and its place on the ring when the first placement is computed
 * @param host where clients find it, as the next two; what counts is what it reports ({@link
 *     NodeReport})
 * @param clientPort its client port
 * @param clusterPort its cluster port, 0 when it has none
 * @param peerHost the address that peers use
 * @param peerPort its peer port
 * @param incarnation under which it is a member of the meta group: 1 for the first node of this
 *     place, one more each time a node with another disk took it
 * @param start the number of the node's start that told this address: a higher one is newer
 */
public record Member(
    String id,
    String name,
    String host,
    int clientPort,
    int clusterPort,
    String peerHost,
    int peerPort,
    int incarnation,
    long start) {
  /** Where clients find it, as long as it has not reported. */
  public Announced announced() {
    return new Announced(host, clientPort, clusterPort);
  }

  /**
   * This member's place taken by a node with another disk, which must not pass for the one that
   * voted before.
   */
  Member replacedBy(Member node) {
    return new Member(
        node.id(),
        name,
        node.host(),
        node.clientPort(),
        node.clusterPort(),
        node.peerHost(),
        node.peerPort(),
        incarnation + 1,
        node.start());
  }

  /** This member where a later start of its node says that it is. */
  public Member at(Member told) {
    return new Member(
        id,
        told.name(),
        told.host(),
        told.clientPort(),
        told.clusterPort(),
        told.peerHost(),
        told.peerPort(),
        incarnation,
        told.start());
  }

  /** The same, as the node's start of this number tells it. */
  public Member startedAs(long number) {
    return new Member(
        id, name, host, clientPort, clusterPort, peerHost, peerPort, incarnation, number);
  }

  /** Where its peers find it. */
  public PeerAddress peerAddress() {
    return new PeerAddress(peerHost, peerPort);
  }

  /** Whether it is where another one is, for clients and peers alike. */
  boolean isWhere(Member other) {
    return startedAs(0).equals(at(other).startedAs(0));
  }
}

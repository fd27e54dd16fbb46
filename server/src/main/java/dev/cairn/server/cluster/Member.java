// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

/**
 * A node of the cluster.
 *
 * @param id 40 hex digits, made at the node's first start, never changed
 * @param name {@code host:clientPort} at the time it became a member; its place on the ring
 * @param host where clients found it when it became a member, as the next two; what counts is what
 *     it reports ({@link NodeReport})
 * @param clientPort its client port
 * @param clusterPort its cluster port, 0 when it has none
 * @param peerHost the address that peers use
 * @param peerPort its peer port
 * @param incarnation under which it is a member of the meta group: 1 for the first node of this
 *     name, one more each time a node with another disk took its place
 */
public record Member(
    String id,
    String name,
    String host,
    int clientPort,
    int clusterPort,
    String peerHost,
    int peerPort,
    int incarnation) {
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
        incarnation + 1);
  }
}

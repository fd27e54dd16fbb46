// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

/**
 * A node of the cluster.
 *
 * @param id 40 hex digits, made at the node's first start, never changed
 * @param name {@code host:clientPort} at the time it became a member; its place on the ring
 * @param host the address that clients are told
 * @param clientPort its client port
 * @param clusterPort its cluster port, 0 when it has none
 * @param peerHost the address that peers use
 * @param peerPort its peer port
 */
public record Member(
    String id,
    String name,
    String host,
    int clientPort,
    int clusterPort,
    String peerHost,
    int peerPort) {}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import dev.cairn.server.cluster.Membership;
import dev.cairn.server.partition.Partitions;
import dev.cairn.server.peer.PeerTransport;

/**
 * This node as its router sees it.
 *
 * @param id its id, 40 hex digits
 * @param partitions its replicas
 * @param membership what it knows of the other nodes
 * @param transport its connections with them
 */
public record LocalNode(
    String id, Partitions partitions, Membership membership, PeerTransport transport) {}

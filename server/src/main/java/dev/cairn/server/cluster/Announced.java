// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

/**
 * Where clients are told to find a node: behind a proxy or a published port that is not where it
 * listens, nor where its peers find it. A node says it in every {@link NodeReport}, so that a
 * restart may change it.
 *
 * @param host name or literal, IPv6 without brackets
 * @param clientPort 1 to 65535
 * @param clusterPort 1 to 65535, or 0 when the node has none
 */
public record Announced(String host, int clientPort, int clusterPort) {}

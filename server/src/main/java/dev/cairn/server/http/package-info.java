// SPDX-License-Identifier: Apache-2.0
/**
 * HTTP/1.1 on the client port: keys, the cluster's state, health, metrics, the console's files.
 * Takes over connections whose first line says so; never knows Redis' protocol. Owns Netty's HTTP
 * codec.
 *
 * <p>{@link dev.cairn.server.http.HttpSession} reads one request at a time, {@link
 * dev.cairn.server.http.HttpFront} lets it in or not, {@link dev.cairn.server.http.Routes} says who
 * answers it.
 *
 * <p>Imports of ours: access, cluster, command, metrics, operation, protocol, routing, storage,
 * tls.
 */
package dev.cairn.server.http;

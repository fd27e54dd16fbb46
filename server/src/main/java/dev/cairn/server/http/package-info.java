// SPDX-License-Identifier: Apache-2.0
/**
 * HTTP/1.1 on the client port: health, metrics and the cluster's state. Takes over connections
 * whose first line says so; never knows Redis' protocol. Owns Netty's HTTP codec.
 */
package dev.cairn.server.http;

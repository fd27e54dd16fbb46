// SPDX-License-Identifier: Apache-2.0
/**
 * Redis' wire on the two client ports: decoding within limits, sessions that answer in order, back
 * pressure. Owns Netty (with http). Must never know what a key is or where it lives.
 *
 * <p>Imports of ours: access, command, metrics, peer, protocol, routing, tls.
 */
package dev.cairn.server.resp;

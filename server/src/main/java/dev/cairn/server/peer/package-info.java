// SPDX-License-Identifier: Apache-2.0
/**
 * Messages between nodes: connections, frames, and which thread deals with what arrives. Raft's
 * messages and the node's own travel side by side.
 *
 * <p>Owns Netty on the peer port. A message is bytes; this package knows nothing of what they mean,
 * and builds no object from what a peer sent.
 *
 * <p>Imports of ours: tls.
 */
package dev.cairn.server.peer;

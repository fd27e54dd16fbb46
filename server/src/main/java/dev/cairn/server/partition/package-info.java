// SPDX-License-Identifier: Apache-2.0
/**
 * One partition on this node: its Raft group, the packing of requests into proposals, its
 * deterministic state machine, its reads, its witness rules. Must never know sockets or commands.
 *
 * <p>Imports of ours: cluster, metrics, operation, peer, raft, state, storage.
 */
package dev.cairn.server.partition;

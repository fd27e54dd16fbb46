// SPDX-License-Identifier: Apache-2.0
/**
 * Owns JRaft: groups, the log of all groups of a node, terms and votes, snapshots between nodes.
 * Must never know what an entry means.
 *
 * <p>Imports of ours: metrics, peer, queues.
 */
package dev.cairn.server.raft;

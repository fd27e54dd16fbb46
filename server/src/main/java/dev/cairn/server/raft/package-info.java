// SPDX-License-Identifier: Apache-2.0
/**
 * Owns JRaft: groups, the log of all groups of a node, terms and votes, snapshots between nodes. Of
 * ours it imports {@code peer} and {@code metrics}; it must never know what an entry means.
 */
package dev.cairn.server.raft;

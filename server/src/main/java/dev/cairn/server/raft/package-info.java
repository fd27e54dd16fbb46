// SPDX-License-Identifier: Apache-2.0
/**
 * Owns JRaft and Bolt: groups, the log of all groups of a node, terms and votes, snapshots between
 * nodes, messages between peers. Imports nothing of ours; must never know what an entry means.
 */
package dev.cairn.server.raft;

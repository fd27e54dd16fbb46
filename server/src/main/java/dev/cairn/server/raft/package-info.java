// SPDX-License-Identifier: Apache-2.0
/**
 * What the rest of a node needs of its Raft groups: {@link dev.cairn.server.raft.RaftEngine} opens
 * them, {@link dev.cairn.server.raft.RaftGroup} is one, {@link dev.cairn.server.raft.NodeLog} is
 * the log of all of them, and {@link dev.cairn.server.raft.GroupListener} the state machine of one.
 * The package {@code replication} has the engine. Must never know what an entry means.
 *
 * <p>Imports of ours: peer.
 */
package dev.cairn.server.raft;

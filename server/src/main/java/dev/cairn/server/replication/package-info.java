// SPDX-License-Identifier: Apache-2.0
/**
 * The Raft groups of a node: {@link dev.cairn.server.replication.Shards} opens them, {@link
 * dev.cairn.server.replication.ShardLoop} is the loop that owns them, {@link
 * dev.cairn.server.replication.ReplicatedGroup} stands between the loop and a state machine, and
 * {@link dev.cairn.server.replication.WrittenLog} is their log. {@link
 * dev.cairn.server.replication.CopySender} gives copies of data, {@link
 * dev.cairn.server.replication.CopyFetch} gets one. Must never know what an entry means, nor how
 * the data is stored.
 *
 * <p>Imports of ours: consensus, log, metrics, peer, raft, replication.
 */
package dev.cairn.server.replication;

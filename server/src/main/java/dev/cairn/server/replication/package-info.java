// SPDX-License-Identifier: Apache-2.0
/**
 * What a node adds to Cairn's own engine: here the copies of a replica's data between nodes. Not in
 * use: a node runs JRaft ({@code raft}) until this is proven. Must never know what an entry means,
 * nor how the data is stored.
 *
 * <p>{@link dev.cairn.server.replication.CopySender} gives copies, {@link
 * dev.cairn.server.replication.CopyFetch} gets one.
 *
 * <p>Imports of ours: peer.
 */
package dev.cairn.server.replication;

// SPDX-License-Identifier: Apache-2.0

/**
 * Where consensus meets the log. {@link dev.cairn.replication.ShardLog} puts the writes of a {@link
 * dev.cairn.consensus.Shard} into the node's {@link dev.cairn.log.Log}; {@link
 * dev.cairn.replication.BatchCodec} has the bytes of what it sends to another node.
 *
 * <p>Imports of ours: consensus, log. Beside these it imports nothing but the JDK. It must never
 * know of threads, sockets, files, clocks, or what the data in entries means, so that a simulator
 * can run it.
 */
package dev.cairn.replication;

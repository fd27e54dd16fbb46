// SPDX-License-Identifier: Apache-2.0
/**
 * Owns RocksDB for data: one database a partition, shared cache and threads, the applied row,
 * checkpoints. Must never know Raft.
 *
 * <p>{@link dev.cairn.server.storage.StorageEngine} is what a node's partitions share, {@link
 * dev.cairn.server.storage.PartitionFolder} one partition's files and which of them count, {@link
 * dev.cairn.server.storage.Generation} the database that does.
 *
 * <p>Imports of ours: metrics, state.
 */
package dev.cairn.server.storage;

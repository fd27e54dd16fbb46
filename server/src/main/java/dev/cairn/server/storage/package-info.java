// SPDX-License-Identifier: Apache-2.0
/**
 * Owns RocksDB for data: one database a partition, shared cache and threads, the applied row,
 * checkpoints. Imports nothing of ours; must never know Raft.
 */
package dev.cairn.server.storage;

// SPDX-License-Identifier: Apache-2.0

/**
 * The database of a replica's state on disk, which is RocksDB. Nothing else of the module touches
 * RocksDB or files.
 *
 * <p>Imports of ours: state.
 */
package dev.cairn.state.rocks;

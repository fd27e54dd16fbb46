// SPDX-License-Identifier: Apache-2.0
/**
 * The table of commands and their handlers: arity, flags, key positions, documentation, and how
 * each becomes operations on partitions. Must never touch a socket, Raft or a file.
 *
 * <p>Imports of ours: access, metrics, operation, protocol, routing, state, storage, value.
 */
package dev.cairn.server.command;

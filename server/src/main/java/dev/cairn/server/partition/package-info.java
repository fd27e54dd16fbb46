// SPDX-License-Identifier: Apache-2.0
/**
 * One partition: its Raft group, the packing of operations into proposals, its deterministic state
 * machine, its witness rules. Must never know sockets or commands.
 */
package dev.cairn.server.partition;

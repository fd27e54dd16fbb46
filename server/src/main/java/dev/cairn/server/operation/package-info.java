// SPDX-License-Identifier: Apache-2.0
/**
 * What a request does to a partition: operations, queries, what they answer, their bytes in the log
 * and between nodes, and the keys as they see them. Deterministic: time comes with the log entry.
 * Must never know replicas, threads or commands.
 *
 * <p>Imports of ours: protocol, state, storage, value.
 */
package dev.cairn.server.operation;

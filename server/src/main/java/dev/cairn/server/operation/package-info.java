// SPDX-License-Identifier: Apache-2.0
/**
 * What a request does to a partition: operations, queries, what they answer, their bytes in the log
 * and between nodes, and the keys as they see them. Deterministic: time comes with the log entry.
 * Imports of ours {@code storage}, {@code value} and {@code protocol}; must never know replicas,
 * threads or commands.
 */
package dev.cairn.server.operation;

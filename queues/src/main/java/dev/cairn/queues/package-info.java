// SPDX-License-Identifier: Apache-2.0
/**
 * The threads that a node's work is handed to, in order: {@link dev.cairn.queues.TaskLoop}, and
 * {@link dev.cairn.queues.Placement}, which says which of them serves a queue of the Raft engine's.
 *
 * <p>The engine's queues themselves are {@link com.lmax.disruptor.RingBuffer}.
 * docs/design/decisions/0026-engine-queues.md has the reasons.
 */
package dev.cairn.queues;

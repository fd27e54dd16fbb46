// SPDX-License-Identifier: Apache-2.0

/**
 * The state of one partition's replica. {@link dev.cairn.state.State} keeps in memory what was
 * applied since the last flush, and writes the {@link dev.cairn.state.Database} behind.
 *
 * <p>Imports nothing of ours, and nothing but the JDK. It must never know of consensus, the log,
 * threads, files, clocks, or what a request means, so that a simulator can run it and operations
 * can be put on top.
 */
package dev.cairn.state;

// SPDX-License-Identifier: Apache-2.0

/**
 * Raft without I/O: the part of replication that decides. {@link dev.cairn.consensus.Group} is the
 * way in; {@link dev.cairn.consensus.Message} and {@link dev.cairn.consensus.Output} are what
 * passes.
 *
 * <p>It imports nothing but the JDK. It must never know of threads, sockets, files, clocks, or what
 * the data in its entries means.
 */
package dev.cairn.consensus;

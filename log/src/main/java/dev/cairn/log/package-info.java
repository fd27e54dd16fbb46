// SPDX-License-Identifier: Apache-2.0

/**
 * The write-ahead log of all Raft groups of a node. {@link dev.cairn.log.Log} is the way in; {@link
 * dev.cairn.log.LogThread} runs it on a real disk.
 *
 * <p>It imports nothing but the JDK. It must never know what the entries mean, who the voters are,
 * or of sockets; and nothing but {@link dev.cairn.log.FolderFiles}, {@link
 * dev.cairn.log.ReadOnlyFolder} and {@link dev.cairn.log.LogThread} may know of real files, threads
 * and clocks, so that a simulator can run the rest.
 */
package dev.cairn.log;

// SPDX-License-Identifier: Apache-2.0
/**
 * A cluster in a test, and the proof that it did nothing wrong.
 *
 * <p>{@link dev.cairn.testkit.ProcessCluster} runs nodes as child processes and does to them what
 * machines do: kill, freeze, wipe, restart. {@link dev.cairn.testkit.History} records what clients
 * asked for and were told; {@link dev.cairn.testkit.Linearizability} decides whether one copy of
 * the data, changed one operation at a time, could have told them that.
 *
 * <p>Sees the server from outside only: its command line, its ports, its log, its data folder.
 */
package dev.cairn.testkit;

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

/**
 * What a request will do once it is started, as far as other requests of its connection are
 * concerned. It follows from the request's {@link Plan}, so from its options and arguments too: a
 * {@code GETEX} without options reads, whatever its row in the {@link CommandTable} says. The row
 * says what clients are told by COMMAND.
 */
public enum Effect {
  /** Neither asks nor changes keys: waits for nothing, and nothing waits for it. */
  NOTHING,
  /** Asks for keys. Goes along with other reads, and waits for the writes before it. */
  READS,
  /** Changes keys. Goes along with other writes, and waits for the reads before it. */
  WRITES,
  /**
   * Tells or changes what requests leave behind beside their keys' data: counters, the slow log,
   * the node itself. Waits for all before it; a write after it waits for it as for a read.
   */
  REPORTS
}

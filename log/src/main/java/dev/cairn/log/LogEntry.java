// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

/**
 * One entry of a group's log.
 *
 * @param index its place; the first is 1
 * @param term of the leader that made it, 1 or more
 * @param kind what it is for
 * @param data what it carries; empty for {@link Kind#EMPTY}. Nobody may change the array.
 */
public record LogEntry(long index, long term, Kind kind, byte[] data) {
  /** What an entry is for. */
  public enum Kind {
    /** For the state machine. */
    DATA,
    /** The group's members from here on. */
    CONFIGURATION,
    /** A leader's first entry of its term. */
    EMPTY
  }

  @Override
  public String toString() {
    return index + "@" + term + " " + kind + " " + data.length;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

/**
 * One entry of a group's log as it lies on disk.
 *
 * @param data what was proposed; empty unless {@code kind} is {@link Kind#DATA}
 * @param configuration peers and learners as text; empty unless {@code kind} is {@link
 *     Kind#CONFIGURATION}
 */
public record StoredEntry(long index, long term, Kind kind, byte[] data, String configuration) {
  /** What an entry is for. */
  public enum Kind {
    /** A leader's first entry, or another that changes nothing. */
    NO_OP,
    /** A proposal for the state machine. */
    DATA,
    /** The group's members from here on. */
    CONFIGURATION
  }
}

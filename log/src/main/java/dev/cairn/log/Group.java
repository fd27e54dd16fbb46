// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.util.List;
import java.util.NavigableMap;

/**
 * What of a group is on disk, as it was when it was asked for. Nobody may change the arrays.
 *
 * @param term the highest that was stored; 0 at first
 * @param vote given in that term, as the group encodes it; empty for nobody
 * @param marker who this replica is, as the group encodes it; empty for none
 * @param base what lies before the first entry
 * @param last index of the last entry; that of the base when there is none
 * @param lastTerm term of the last entry, or of the base
 * @param commit as far as this node knew; 0 for unknown
 * @param terms of the entries, in order
 * @param configurations by their entries' indexes, behind the base
 */
public record Group(
    long term,
    byte[] vote,
    byte[] marker,
    Base base,
    long last,
    long lastTerm,
    long commit,
    List<TermRun> terms,
    NavigableMap<Long, byte[]> configurations) {
  /**
   * Entries of one term in a row.
   *
   * @param first index of the first
   * @param term of all up to the next run
   */
  public record TermRun(long first, long term) {}
}

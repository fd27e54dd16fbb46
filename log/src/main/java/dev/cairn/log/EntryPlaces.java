// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.util.Map;
import java.util.NavigableMap;

/**
 * Where entries are: what groups know of their positions, and the files that these name.
 *
 * <p>Guarded by whoever owns the maps. Invariant: each position of a group names a file of the
 * chain or a copied one.
 *
 * @param groups by number
 * @param chain the segments that count, by ordinal
 * @param copies the copied files that count, by the ordinal of the segment for which they stand
 */
record EntryPlaces(
    Map<Long, GroupState> groups,
    NavigableMap<Long, Segment> chain,
    NavigableMap<Long, Segment> copies) {

  /** Where an entry is, and those behind it in the same run; null when there is no such entry. */
  EntryReader.Run run(long group, long index, long to) {
    GroupState state = groups.get(group);
    if (state == null || index <= state.base().index() || index > Math.min(to, state.last())) {
      return null;
    }
    int run = state.positions().runOf(index);
    long place = state.positions().place(run);
    return new EntryReader.Run(
        segmentAt(Place.ordinal(place)),
        Place.block(place),
        state.positions().term(run),
        index,
        Math.min(to, state.positions().lastOf(run, state.last())));
  }

  private Segment segmentAt(long ordinal) {
    Segment copy = copies.get(ordinal);
    return copy != null ? copy : chain.get(ordinal);
  }

  /** The segment that goes on where another ended; null for none. */
  Segment next(Segment segment) {
    Map.Entry<Long, Segment> next = chain.higherEntry(segment.ordinal());
    return segment.isCopy() || next == null ? null : next.getValue();
  }
}

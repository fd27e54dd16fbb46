// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;

/**
 * What of one group is on disk: all but the entries' data.
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>Changes are applied when their whole append is on disk, in the order of the log. Recovery
 *       applies the same changes by the same method.
 *   <li>Entries go from {@code base.index + 1} to {@code last} without a gap, and terms do not
 *       fall.
 *   <li>Only while the log is opened may entries be {@link Place#MISSING}: copied files have only
 *       what was needed when they were made, and what follows in the log drops the rest.
 * </ol>
 *
 * Guarded by the log's lock.
 */
final class GroupState {
  private long hardTerm;
  private byte[] vote = Change.NOTHING;
  private byte[] marker = Change.NOTHING;
  private Base base = Base.NONE;
  private long last;
  private long commit;
  private final Positions positions = new Positions();
  private final TreeMap<Long, byte[]> configurations = new TreeMap<>();

  Base base() {
    return base;
  }

  long last() {
    return last;
  }

  Positions positions() {
    return positions;
  }

  long lastTerm() {
    return last == base.index() ? base.term() : positions.term(positions.size() - 1);
  }

  /** The term of an entry, or of the base; -1 for any other index. */
  long termAt(long index) {
    if (index == base.index()) {
      return base.term();
    }
    return index < base.index() || index > last ? -1 : positions.term(positions.runOf(index));
  }

  /** Where the configuration stands that holds at an index, and the configuration. */
  Base baseAt(long index, long term) {
    var held = configurations.floorEntry(index);
    return held == null
        ? new Base(index, term, base.configurationIndex(), base.configuration())
        : new Base(index, term, held.getKey(), held.getValue());
  }

  /**
   * Carries out a change that is on disk.
   *
   * @param place of its batch, or of its first part's
   * @throws LogException of kind DAMAGED when it does not follow from what was before
   */
  void apply(Change change, long place, int strideBlocks) {
    switch (change.kind()) {
      case Change.DATA, Change.CONFIGURATION, Change.EMPTY -> entry(change, place, strideBlocks);
      case Change.HARD_STATE -> {
        hardTerm = change.term();
        vote = change.payload();
      }
      case Change.MARKER -> marker = change.payload();
      case Change.RESET -> {
        base = change.toBase();
        last = base.index();
        commit = Math.max(commit, base.index());
        positions.clear();
        configurations.clear();
      }
      case Change.COMPACT -> compact(change.toBase());
      case Change.TRUNCATE -> truncate(change.index());
      case Change.COMMIT -> commit = Math.max(commit, change.index());
      default -> throw damaged("a record of kind " + change.kind() + " stands in an append");
    }
  }

  private void entry(Change change, long place, int strideBlocks) {
    long index = change.index();
    if (index <= base.index() || index > last + 1) {
      throw damaged("entry " + index + " does not follow " + base.index() + ".." + last);
    }
    truncate(index - 1);
    positions.add(index, change.term(), place, strideBlocks);
    last = index;
    if (change.kind() == Change.CONFIGURATION) {
      configurations.put(index, change.payload());
    }
  }

  private void truncate(long lastKept) {
    if (lastKept < base.index()) {
      throw damaged("entries up to " + base.index() + " cannot go, and " + lastKept + " should");
    }
    if (lastKept < last) {
      last = lastKept;
      positions.truncateTo(base.index(), lastKept);
      configurations.tailMap(lastKept, false).clear();
    }
  }

  private void compact(Base to) {
    if (to.index() <= base.index()) {
      return;
    }
    if (to.index() > last) {
      throw damaged("entries up to " + to.index() + " cannot go, " + last + " is the last");
    }
    base = to;
    commit = Math.max(commit, base.index());
    positions.compactTo(base.index(), last);
    configurations.headMap(base.index(), true).clear();
  }

  // ---- While the log is opened ----

  /** Takes an entry of a copied file: in the place of all that is at its index and behind. */
  void copied(Change change, long place) {
    long index = change.index();
    if (index <= last) {
      last = index - 1;
      positions.truncateTo(0, last);
      configurations.tailMap(last, false).clear();
    }
    if (!positions.isEmpty() && index > last + 1) {
      positions.add(last + 1, 0, Place.MISSING, 0);
    }
    positions.add(index, change.term(), place, 0);
    last = index;
    if (change.kind() == Change.CONFIGURATION) {
      configurations.put(index, change.payload());
    }
  }

  /** Takes over what the first segment says of the group; of the copied entries what fits it. */
  void begin(Change change) {
    GroupState at = of(change);
    hardTerm = at.hardTerm;
    vote = at.vote;
    marker = at.marker;
    commit = at.commit;
    base = at.base;
    positions.truncateTo(base.index(), at.last);
    configurations.tailMap(at.last, false).clear();
    long known = positions.isEmpty() ? base.index() : Math.min(last, at.last);
    if (known < at.last) {
      positions.add(Math.max(known, base.index()) + 1, 0, Place.MISSING, 0);
    }
    last = at.last;
    positions.compactTo(base.index(), last);
    configurations.headMap(base.index(), true).clear();
    if (last > base.index() && positions.first(0) > base.index() + 1) {
      positions.missingBefore(base.index() + 1);
    }
  }

  /** Whether a segment further on says the same of the group. */
  boolean agreesWith(Change change) {
    GroupState at = of(change);
    return hardTerm == at.hardTerm
        && commit == at.commit
        && last == at.last
        && base.index() == at.base.index()
        && base.term() == at.base.term()
        && base.configurationIndex() == at.base.configurationIndex()
        && Arrays.equals(base.configuration(), at.base.configuration())
        && Arrays.equals(vote, at.vote)
        && Arrays.equals(marker, at.marker);
  }

  /** Entries that should be there and are not, as text; null for none. */
  String missing() {
    for (int run = 0; run < positions.size(); run++) {
      if (positions.place(run) == Place.MISSING) {
        return positions.first(run) + ".." + positions.lastOf(run, last);
      }
    }
    return null;
  }

  /** What a segment says of the group in its first batch. */
  Change toChange(long group) {
    byte[] configuration = base.configuration();
    ByteBuffer bytes =
        ByteBuffer.allocate(
            5 * Long.BYTES + 8 + vote.length + marker.length + configuration.length);
    bytes.putLong(hardTerm).putLong(commit).putLong(base.index()).putLong(base.term());
    bytes.putLong(base.configurationIndex());
    bytes.putShort((short) vote.length).putShort((short) marker.length);
    bytes.putInt(configuration.length).put(vote).put(marker).put(configuration);
    return new Change(Change.GROUP, group, lastTerm(), last, bytes.array());
  }

  private static GroupState of(Change change) {
    GroupState state = new GroupState();
    ByteBuffer bytes = ByteBuffer.wrap(change.payload());
    state.hardTerm = bytes.getLong();
    state.commit = bytes.getLong();
    long index = bytes.getLong();
    long term = bytes.getLong();
    long configurationIndex = bytes.getLong();
    state.vote = new byte[bytes.getShort()];
    state.marker = new byte[bytes.getShort()];
    byte[] configuration = new byte[bytes.getInt()];
    bytes.get(state.vote).get(state.marker).get(configuration);
    state.base = new Base(index, term, configurationIndex, configuration);
    state.last = change.index();
    return state;
  }

  /** The last configuration. */
  byte[] configuration() {
    return configurations.isEmpty() ? base.configuration() : configurations.lastEntry().getValue();
  }

  Group view() {
    List<Group.TermRun> terms = new ArrayList<>();
    for (int run = 0; run < positions.size(); run++) {
      long from = Math.max(base.index() + 1, positions.first(run));
      long term = positions.term(run);
      if (terms.isEmpty() || terms.get(terms.size() - 1).term() != term) {
        terms.add(new Group.TermRun(from, term));
      }
    }
    return new Group(
        hardTerm,
        vote,
        marker,
        base,
        last,
        lastTerm(),
        commit,
        terms,
        new TreeMap<>(configurations));
  }

  private static LogException damaged(String what) {
    return new LogException(LogException.Kind.DAMAGED, what);
  }
}

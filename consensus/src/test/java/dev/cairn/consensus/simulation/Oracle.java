// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus.simulation;

import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.Entry;
import dev.cairn.consensus.GroupStatus;
import dev.cairn.consensus.Peer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.LongUnaryOperator;
import java.util.function.Supplier;

/** Sees everything, and says when something happened that may never happen. */
final class Oracle {
  /** Identifies an entry: log matching says that it has one content and one predecessor. */
  private record Place(long index, long term) {}

  /** By a term, an entry was committed; leaders of lower ones may lack it. */
  private record Committed(Entry entry, long term) {}

  private record Content(Entry entry, long previousTerm) {}

  private final Map<Long, Peer> leaders = new HashMap<>();
  private final Map<Place, Content> written = new HashMap<>();
  private final TreeMap<Long, Committed> committed = new TreeMap<>();
  private Configuration newestCommitted;
  private Configuration committedConfiguration;
  private long committedConfigurationIndex;
  private long acknowledged;

  Oracle(Configuration founded) {
    newestCommitted = founded;
    committedConfiguration = founded;
  }

  /**
   * Election safety and leader completeness; whether this is news. A vote that was long on its way
   * may make a leader of a lower term: what was committed in a higher one is not asked of it.
   */
  boolean leads(Peer peer, GroupStatus status, LongUnaryOperator termAt) {
    Peer other = leaders.putIfAbsent(status.term(), peer);
    check(
        other == null || other.equals(peer),
        () -> "term " + status.term() + " has two leaders: " + other + " and " + peer);
    if (other == null) {
      committed
          .tailMap(status.base(), false)
          .forEach(
              (index, each) ->
                  check(
                      each.term() > status.term()
                          || termAt.applyAsLong(index) == each.entry().term(),
                      () ->
                          peer
                              + " leads term "
                              + status.term()
                              + " without the committed entry "
                              + each.entry()));
    }
    return other == null;
  }

  long highestTerm() {
    return leaders.keySet().stream().mapToLong(term -> term).max().orElse(0);
  }

  /** Log matching. */
  void wrote(Peer peer, Entry entry, long previousTerm) {
    Content content = new Content(entry, previousTerm);
    Content before = written.putIfAbsent(new Place(entry.index(), entry.term()), content);
    check(
        before == null || (before.previousTerm() == previousTerm && same(before.entry(), entry)),
        () -> peer + " has " + entry + " behind term " + previousTerm + ", others have " + before);
  }

  /** What is read from a log is what was written. */
  void read(Peer peer, Entry entry) {
    Content content = written.get(new Place(entry.index(), entry.term()));
    check(
        content != null && same(content.entry(), entry),
        () -> peer + " reads " + entry + ", written was " + content);
  }

  /** State machine safety; an entry that a member of a term applies was committed by that term. */
  void applied(Peer peer, Entry entry, long term) {
    Committed before = committed.get(entry.index());
    if (before == null || term < before.term()) {
      committed.put(entry.index(), new Committed(entry, term));
    }
    check(
        before == null || same(before.entry(), entry),
        () -> peer + " applies " + entry + ", others " + before.entry());
    if (before == null && entry.configuration() != null) {
      newestCommitted = entry.configuration();
    }
  }

  /** A leader knows its configuration to be committed. */
  void committed(long index, Configuration configuration) {
    if (index > committedConfigurationIndex) {
      committedConfigurationIndex = index;
      committedConfiguration = configuration;
    }
  }

  Configuration committedConfiguration() {
    return committedConfiguration;
  }

  /** The term of a committed entry; -2, which no log has, where none was applied yet. */
  long termOfCommitted(long index) {
    Committed entry = committed.get(index);
    return entry == null ? -2 : entry.entry().term();
  }

  void acknowledged(long index) {
    acknowledged = Math.max(acknowledged, index);
  }

  /** The last index that a client was told of. */
  long acknowledged() {
    return acknowledged;
  }

  /** A read that began when this much was acknowledged is answered from a state. */
  void read(Peer peer, long acknowledgedBefore, long applied) {
    check(
        applied >= acknowledgedBefore,
        () ->
            peer
                + " answers a read at "
                + applied
                + ", acknowledged before: "
                + acknowledgedBefore);
  }

  Configuration newestCommitted() {
    return newestCommitted;
  }

  /** Ends the run unless something is as it must be. */
  static void check(boolean holds, Supplier<String> what) {
    if (!holds) {
      throw new AssertionError(what.get());
    }
  }

  private static boolean same(Entry one, Entry other) {
    return one.term() == other.term()
        && Arrays.equals(one.data(), other.data())
        && Objects.equals(one.configuration(), other.configuration());
  }
}

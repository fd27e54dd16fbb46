// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * What a group knows of its own log: where it begins and ends, the term of each entry, the
 * configurations, the last entries, and how far it is on disk. It writes nothing itself; it gathers
 * {@link Write}s and is told when they are durable.
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>An index is durable only if the write that made <em>this</em> entry there is. The same
 *       index and term can be appended, truncated and appended again; the first write's end says
 *       nothing of the second (etcd-io/raft, rawnode.go, "async storage writes").
 *   <li>The base is known with its term. What lies below is covered by a snapshot.
 *   <li>Nothing committed is truncated.
 * </ol>
 */
final class LogView {
  /** A write on its way to the disk, and how far the log would be durable by it. */
  private static final class Pending {
    final long sequence;
    long last;

    Pending(long sequence, long last) {
      this.sequence = sequence;
      this.last = last;
    }
  }

  private final TermRuns terms;
  private final ConfigurationHistory configurations = new ConfigurationHistory();
  private final EntryTail tail = new EntryTail();
  private final long tailBytesMax;

  private final Deque<Pending> pending = new ArrayDeque<>();
  private long sequence;
  private long durableSequence;
  private long durable;

  // What the next Write carries.
  private HardState hardState;
  private SnapshotReference reset;
  private long compactedTo;
  private final List<Entry> appended = new ArrayList<>();

  LogView(SnapshotReference base, long tailBytesMax) {
    this.terms = new TermRuns(base.index(), base.term());
    this.configurations.reset(base.configurationIndex(), base.configuration());
    this.durable = base.index();
    this.tailBytesMax = tailBytesMax;
  }

  /** Takes in an entry that the disk holds already, when the group is opened. */
  void restore(long index, long term, Configuration configuration) {
    terms.append(index, term);
    if (configuration != null) {
      configurations.append(index, configuration);
    }
    durable = index;
  }

  long base() {
    return terms.base();
  }

  long last() {
    return terms.last();
  }

  long lastTerm() {
    return terms.lastTerm();
  }

  long termAt(long index) {
    return terms.at(index);
  }

  /** The last index of which this log's own entry is on disk. */
  long durable() {
    return durable;
  }

  Configuration configuration() {
    return configurations.last();
  }

  long configurationIndex() {
    return configurations.lastIndex();
  }

  /** Names the state at an index that the log still knows. */
  SnapshotReference referenceAt(long index) {
    return configurations.referenceAt(index, termAt(index));
  }

  /** Whether a peer votes by the configuration that held at an index, or by any later one. */
  boolean namesVoterSince(long index, Peer peer) {
    return configurations.anySince(index, configuration -> configuration.votes(peer));
  }

  long lastWithTermAtMost(long index, long term) {
    return terms.lastWithTermAtMost(index, term);
  }

  /** Whether a log that ends so holds all that this one may have committed (Raft, 5.4.1). */
  boolean isMatchedBy(long lastIndex, long lastTerm) {
    return lastTerm > lastTerm() || (lastTerm == lastTerm() && lastIndex >= last());
  }

  // ---- Changes, gathered for the next Write ----

  void append(Entry entry) {
    terms.append(entry.index(), entry.term());
    if (entry.configuration() != null) {
      configurations.append(entry.index(), entry.configuration());
    }
    tail.append(entry);
    appended.add(entry);
  }

  /** Takes an entry and all behind it away. The next append says so to the disk. */
  void truncateFrom(long index) {
    if (index > last()) {
      return;
    }
    terms.truncateFrom(index);
    configurations.truncateFrom(index);
    tail.truncateFrom(index);
    appended.removeIf(entry -> entry.index() >= index);
    durable = Math.min(durable, index - 1);
    for (Pending write : pending) {
      write.last = Math.min(write.last, index - 1);
    }
  }

  /** Puts a snapshot in the place of the whole log. */
  void reset(SnapshotReference snapshot) {
    terms.reset(snapshot.index(), snapshot.term());
    configurations.reset(snapshot.configurationIndex(), snapshot.configuration());
    tail.clear();
    appended.clear();
    pending.forEach(write -> write.last = 0);
    durable = 0;
    reset = snapshot;
    compactedTo = 0;
  }

  void compactTo(long index) {
    terms.compactTo(index);
    configurations.compactTo(index);
    tail.compactTo(index);
    compactedTo = index;
  }

  void hardState(HardState changed) {
    hardState = changed;
  }

  /** The number of the write that will hold all that was changed so far. */
  long nextSequence() {
    return sequence + 1;
  }

  /** The number of the write after which all that this log holds now is on disk. */
  long coveringSequence() {
    return hasChanges() ? nextSequence() : sequence;
  }

  /** Whether all writes were handed over and are on disk. */
  boolean isWritten() {
    return !hasChanges() && pending.isEmpty();
  }

  private boolean hasChanges() {
    return hardState != null || reset != null || compactedTo > 0 || !appended.isEmpty();
  }

  /** Hands over what was gathered; null if nothing was. */
  Write take() {
    if (!hasChanges()) {
      return null;
    }
    sequence++;
    Write write = new Write(sequence, hardState, reset, compactedTo, List.copyOf(appended));
    pending.addLast(new Pending(sequence, last()));
    hardState = null;
    reset = null;
    compactedTo = 0;
    appended.clear();
    return write;
  }

  /** All writes up to one are on disk. */
  void durableUpTo(long written) {
    durableSequence = Math.max(durableSequence, written);
    while (!pending.isEmpty() && pending.peekFirst().sequence <= durableSequence) {
      durable = Math.max(durable, pending.pollFirst().last);
    }
  }

  long durableSequence() {
    return durableSequence;
  }

  // ---- Entries in memory ----

  /** Whether entries from an index on are in memory. */
  boolean inMemory(long index) {
    return index >= tail.first();
  }

  List<Entry> entries(long from, long bytesMax) {
    return tail.from(from, bytesMax);
  }

  /** Lets go of the oldest entries that are applied and durable, past the bound. */
  void shrinkTail(long applied) {
    tail.shrink(Math.min(applied, durable), tailBytesMax);
  }
}

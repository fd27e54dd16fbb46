// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What a leader knows of one other member, and how it sends to it (etcd-io/raft, tracker).
 *
 * <p>Invariants: match &lt; next; match never falls; all up to match is durable at the peer and
 * equal to the leader's log.
 */
final class Progress {
  /** How entries are sent. */
  enum Mode {
    /** One message at a time, until the peer says where its log meets the leader's. */
    PROBE,
    /** One message behind the other, within a window. */
    STREAM,
    /** None; the peer fetches a snapshot. */
    INSTALL
  }

  private record Sent(long last, long bytes) {}

  private final Deque<Sent> window = new ArrayDeque<>();
  private long windowBytes;

  private Mode mode = Mode.PROBE;
  private boolean probing;
  private long match;
  private long next;
  private long round;
  private long flushed;
  private long knownCommit;
  private long base = Long.MAX_VALUE;
  private long heardAt;
  private long toldCommit;
  private long toldKeep;
  private boolean loading;
  private long loadAt;
  private long paceAt;

  Progress(long next, long nowMillis) {
    this.next = next;
    this.heardAt = nowMillis;
  }

  Mode mode() {
    return mode;
  }

  long match() {
    return match;
  }

  long next() {
    return next;
  }

  long round() {
    return round;
  }

  long flushed() {
    return flushed;
  }

  /** The entry before the first that the peer's log has; Long.MAX_VALUE while that is not known. */
  long base() {
    return base;
  }

  /** A log's beginning never goes back; an answer that says less was overtaken. */
  void base(long told) {
    base = base == Long.MAX_VALUE ? told : Math.max(base, told);
  }

  /** How far the peer knows entries to be committed. */
  long knownCommit() {
    return knownCommit;
  }

  long heardAt() {
    return heardAt;
  }

  long toldCommit() {
    return toldCommit;
  }

  /** Anything came from the peer in this term. */
  void heard(long nowMillis) {
    heardAt = nowMillis;
  }

  /** How far the peer was told to keep its log. */
  long toldKeep() {
    return toldKeep;
  }

  void toldKeep(long from) {
    toldKeep = from;
  }

  void knowsCommit(long commit) {
    knownCommit = Math.max(knownCommit, commit);
  }

  void answered(long answeredRound, long nowFlushed) {
    round = Math.max(round, answeredRound);
    flushed = Math.max(flushed, nowFlushed);
  }

  void told(long commit) {
    toldCommit = Math.max(toldCommit, commit);
  }

  /** The peer has all up to an index on its disk. */
  void acknowledged(long index) {
    probing = false;
    match = Math.max(match, index);
    next = Math.max(next, match + 1);
    while (!window.isEmpty() && window.peekFirst().last() <= index) {
      windowBytes -= window.pollFirst().bytes();
    }
    if (mode == Mode.PROBE) {
      mode = Mode.STREAM;
      next = match + 1;
    }
  }

  /** The peer's log does not meet the leader's at an index; a hint says where it may. */
  void rejected(long prevIndex, long hint) {
    if (mode == Mode.INSTALL
        || prevIndex <= match
        || (mode == Mode.PROBE && prevIndex != next - 1)) {
      return; // an answer that was overtaken
    }
    probe(Math.min(prevIndex, hint + 1));
  }

  /** What was sent may be lost: finds out anew where the peer is. */
  void startOver() {
    knownCommit = 0;
    toldKeep = 0;
    probe(match + 1);
  }

  private void probe(long from) {
    mode = Mode.PROBE;
    probing = false;
    next = Math.max(match + 1, from);
    window.clear();
    windowBytes = 0;
    loading = false;
  }

  /** A beat was answered: what stands in the window without an answer may be lost. */
  boolean mayHaveLost(long last) {
    if (mode == Mode.PROBE) {
      probing = false;
      return false;
    }
    return mode == Mode.STREAM && match < last && next > match + 1;
  }

  /** Whether another message may be sent to the peer. */
  boolean hasRoom(long windowBytesMax) {
    return switch (mode) {
      case PROBE -> !probing;
      case STREAM -> windowBytes < windowBytesMax;
      case INSTALL -> false;
    };
  }

  /** Entries were sent, or none to ask where the peer is. */
  void sent(int count, long bytes) {
    if (mode == Mode.PROBE) {
      probing = true;
    } else if (count > 0) {
      next += count;
      windowBytes += bytes;
      window.addLast(new Sent(next - 1, bytes));
    }
  }

  // ---- Entries that must be read ----

  boolean mayLoad(long nowMillis) {
    return !loading && nowMillis >= loadAt;
  }

  void loading() {
    loading = true;
  }

  void loaded(long again) {
    loading = false;
    loadAt = again;
  }

  // ---- The pace of a witness ----

  long paceAt() {
    return paceAt;
  }

  void pace(long next) {
    paceAt = next;
  }

  // ---- Snapshots ----

  void install() {
    mode = Mode.INSTALL;
    window.clear();
    windowBytes = 0;
  }

  /** A snapshot has ended: at an index, or at 0 in vain. */
  void installed(long index) {
    if (mode == Mode.INSTALL) {
      if (index > 0) {
        base(index); // at most there, until it says more
      }
      match = Math.max(match, index);
      probe(match + 1);
      probing = index == 0; // what failed is tried again after the next beat, not at once
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import java.util.ArrayList;
import java.util.List;

/**
 * Linearizable reads at a leader: one question to the others, whether it still leads, serves all
 * that waited when it was asked (Ongaro's thesis, 6.4).
 *
 * <p>A read is answered from a state that has applied all that was committed when its question was
 * asked, and only after a majority has answered that question in the leader's term. Questions are
 * numbered; the number of a term's first is 1.
 *
 * <p>Invariant: a question is asked after the reads that it serves have come, never before.
 */
final class Reads {
  private List<Long> unasked = new ArrayList<>();
  private List<Long> asked = new ArrayList<>();
  private long askedIndex;
  private long round;
  private boolean open;

  /** Confirmed, and waiting until the state has come so far. */
  private final List<ReadGrant> confirmed = new ArrayList<>();

  void add(long token) {
    unasked.add(token);
  }

  long round() {
    return round;
  }

  /** Whether nobody waits. */
  boolean isIdle() {
    return !open && unasked.isEmpty() && confirmed.isEmpty();
  }

  boolean isOpen() {
    return open;
  }

  /** Asks the next question if somebody waits for it and none is open. */
  boolean ask(long commit) {
    if (open || unasked.isEmpty()) {
      return false;
    }
    asked = unasked;
    unasked = new ArrayList<>();
    askedIndex = commit;
    round++;
    open = true;
    return true;
  }

  /** Somebody answers a question of this term, which must have been asked. */
  void check(long answered) {
    if (answered > round) {
      throw new IllegalStateException(
          "question " + answered + " was not asked, the last is " + round);
    }
  }

  /** A majority has answered up to a question. */
  void confirmedUpTo(long answered) {
    if (open && answered >= round) {
      open = false;
      asked.forEach(token -> confirmed.add(new ReadGrant(token, askedIndex)));
      asked = new ArrayList<>();
    }
  }

  /** Takes the reads that a state that has applied so far may answer. */
  List<ReadGrant> takeUpTo(long applied) {
    if (confirmed.isEmpty()) {
      return List.of();
    }
    List<ReadGrant> grants = confirmed.stream().filter(each -> each.index() <= applied).toList();
    confirmed.removeAll(grants);
    return grants;
  }

  /** All reads that have no answer, when leadership ends. A confirmed one may still be answered. */
  List<Long> abandon() {
    List<Long> left = new ArrayList<>(unasked);
    left.addAll(asked);
    confirmed.forEach(each -> left.add(each.token()));
    unasked.clear();
    asked.clear();
    confirmed.clear();
    open = false;
    return left;
  }
}

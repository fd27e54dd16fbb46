// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import java.util.Arrays;

/**
 * The term of each entry of a log, as runs: terms change seldom, so a log of millions of entries
 * needs a handful of numbers. It begins at the base, the entry before the first one that the log
 * still has, whose term is what an empty log is compared by.
 *
 * <p>Invariants: starts grow strictly, terms do not fall; starts[0] is the base.
 */
final class TermRuns {
  /** No entry of that index is known. */
  static final long UNKNOWN = -1;

  private long[] starts = new long[4];
  private long[] terms = new long[4];
  private int size;
  private long last;

  TermRuns(long base, long baseTerm) {
    reset(base, baseTerm);
  }

  void reset(long base, long baseTerm) {
    starts[0] = base;
    terms[0] = baseTerm;
    size = 1;
    last = base;
  }

  long base() {
    return starts[0];
  }

  long last() {
    return last;
  }

  long lastTerm() {
    return terms[size - 1];
  }

  void append(long index, long term) {
    if (index != last + 1 || term < lastTerm()) {
      throw new IllegalStateException(
          "entry " + index + "@" + term + " does not follow " + last + "@" + lastTerm());
    }
    last = index;
    if (term == lastTerm()) {
      return;
    }
    if (size == starts.length) {
      starts = Arrays.copyOf(starts, size * 2);
      terms = Arrays.copyOf(terms, size * 2);
    }
    starts[size] = index;
    terms[size] = term;
    size++;
  }

  /** The term of an entry, or {@link #UNKNOWN}. */
  long at(long index) {
    return index < base() || index > last ? UNKNOWN : terms[runOf(index)];
  }

  /** Forgets an entry and all behind it. */
  void truncateFrom(long index) {
    if (index <= base()) {
      throw new IllegalStateException("cannot truncate " + index + ", the base is " + base());
    }
    if (index > last) {
      return;
    }
    last = index - 1;
    size = runOf(last) + 1;
  }

  /** Makes an entry that is known the base. */
  void compactTo(long index) {
    int run = runOf(index);
    System.arraycopy(starts, run, starts, 0, size - run);
    System.arraycopy(terms, run, terms, 0, size - run);
    size -= run;
    starts[0] = index;
  }

  /**
   * The last entry at or below an index whose term is at most the given one, so that a leader and a
   * follower that differ by a whole term find their common end in one step. Below the base nothing
   * is known: such an index is its own answer.
   */
  long lastWithTermAtMost(long index, long term) {
    long at = Math.min(index, last);
    while (at > base()) {
      int run = runOf(at);
      if (terms[run] <= term) {
        return at;
      }
      at = starts[run] - 1;
    }
    return at;
  }

  private int runOf(long index) {
    int run = size - 1;
    while (starts[run] > index) {
      run--;
    }
    return run;
  }
}

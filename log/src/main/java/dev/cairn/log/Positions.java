// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.util.Arrays;

/**
 * Term and place of each entry of one group, as runs: a run begins where the term changes or a new
 * batch begins, and goes on to the next run's first index. Where there are very many, {@link #thin}
 * drops runs that only begin a batch; a reader then goes on from batch to batch.
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>First indexes and ordinals do not fall.
 *   <li>A run begins at each change of term, at each change of file, and where entries were put in
 *       place of others. So the batches between a run's place and the next run's hold each entry of
 *       the run once, and others of its index only in the same batch, before it. (An append that a
 *       crash cut off has batches of its own, at the end of a file.)
 * </ol>
 *
 * Guarded by the log's lock.
 */
final class Positions {
  /** What one run takes in memory. */
  static final int RUN_BYTES = 3 * Long.BYTES;

  private static final int START = 4;

  private long[] firsts = new long[START];
  private long[] terms = new long[START];

  /** Twice the place, and 1 more where entries were put in place of others. */
  private long[] places = new long[START];

  private int head;
  private int end;
  private boolean replacing;

  boolean isEmpty() {
    return head == end;
  }

  int size() {
    return end - head;
  }

  /** Adds an entry behind all others. */
  void add(long index, long term, long place, int strideBlocks) {
    boolean needed = isEmpty() || replacing || term != terms[end - 1] || place == Place.MISSING;
    if (!needed) {
      long before = places[end - 1] >> 1;
      needed =
          before == Place.MISSING
              || Place.ordinal(place) != Place.ordinal(before)
              || Place.block(place) - Place.block(before) > strideBlocks;
    }
    if (needed) {
      put(index, term, place << 1 | (replacing ? 1 : 0));
      replacing = false;
    }
  }

  private void put(long index, long term, long place) {
    if (end == firsts.length) {
      makeRoom();
    }
    firsts[end] = index;
    terms[end] = term;
    places[end] = place;
    end++;
  }

  private void makeRoom() {
    int length = size() > firsts.length / 2 ? firsts.length * 2 : firsts.length;
    firsts = moved(firsts, length);
    terms = moved(terms, length);
    places = moved(places, length);
    end -= head;
    head = 0;
  }

  private long[] moved(long[] from, int length) {
    return Arrays.copyOf(Arrays.copyOfRange(from, head, end), length);
  }

  /** The run of an entry, which must be there. */
  int runOf(long index) {
    int found = Arrays.binarySearch(firsts, head, end, index);
    return (found >= 0 ? found : -found - 2) - head;
  }

  long first(int run) {
    return firsts[head + run];
  }

  long term(int run) {
    return terms[head + run];
  }

  long place(int run) {
    return places[head + run] >> 1;
  }

  /** The last index of a run, where the log ends at {@code last}. */
  long lastOf(int run, long last) {
    return run + 1 < size() ? first(run + 1) - 1 : last;
  }

  /** Forgets entries behind an index. */
  void truncateTo(long base, long last) {
    while (end > head && (firsts[end - 1] > last || last <= base)) {
      end--;
    }
    replacing = true;
  }

  /** Forgets entries up to an index. */
  void compactTo(long base, long last) {
    if (base >= last) {
      clear();
      return;
    }
    while (size() > 1 && firsts[head + 1] <= base + 1) {
      head++;
    }
  }

  void clear() {
    head = 0;
    end = 0;
    replacing = true;
  }

  /** Puts a run of missing entries before all others. */
  void missingBefore(long index) {
    long[] places = Arrays.copyOfRange(this.places, head, end);
    long[] firsts = Arrays.copyOfRange(this.firsts, head, end);
    long[] terms = Arrays.copyOfRange(this.terms, head, end);
    clear();
    put(index, 0, Place.MISSING << 1);
    for (int i = 0; i < firsts.length; i++) {
      put(firsts[i], terms[i], places[i]);
    }
  }

  /** Puts the runs of copied entries in place of those that were in the file before. */
  void replace(long ordinal, Positions copied, long last) {
    Positions all = new Positions();
    boolean done = false;
    for (int run = 0; run < size(); run++) {
      if (Place.ordinal(place(run)) != ordinal) {
        all.put(first(run), term(run), places[head + run]);
      } else if (!done) {
        done = true;
        long until = lastIn(ordinal, last);
        for (int k = 0; k < copied.size() && copied.first(k) <= until; k++) {
          all.put(copied.first(k), copied.term(k), copied.places[copied.head + k]);
        }
      }
    }
    firsts = all.firsts;
    terms = all.terms;
    places = all.places;
    head = all.head;
    end = all.end;
  }

  /** The last entry whose run is in a file; 0 for none. */
  long lastIn(long ordinal, long last) {
    for (int run = size() - 1; run >= 0; run--) {
      if (Place.ordinal(place(run)) == ordinal) {
        return lastOf(run, last);
      }
    }
    return 0;
  }

  /** The first entry whose run is in a file; 0 for none. */
  long firstIn(long ordinal) {
    for (int run = 0; run < size(); run++) {
      if (Place.ordinal(place(run)) == ordinal) {
        return first(run);
      }
    }
    return 0;
  }

  /**
   * Drops runs that begin less than so many blocks behind the one before, where that is allowed.
   */
  void thin(int strideBlocks) {
    int kept = head;
    for (int i = head; i < end; i++) {
      boolean needed = i == head || (places[i] & 1) != 0 || terms[i] != terms[kept - 1];
      if (!needed) {
        long before = places[kept - 1] >> 1;
        long place = places[i] >> 1;
        needed =
            place == Place.MISSING
                || before == Place.MISSING
                || Place.ordinal(place) != Place.ordinal(before)
                || Place.block(place) - Place.block(before) > strideBlocks;
      }
      if (needed) {
        firsts[kept] = firsts[i];
        terms[kept] = terms[i];
        places[kept] = places[i];
        kept++;
      }
    }
    end = kept;
  }
}

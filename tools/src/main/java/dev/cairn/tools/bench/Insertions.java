// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import java.util.BitSet;

/**
 * Numbers the keys that are inserted, and knows up to which all inserts have ended: a read of the
 * newest must not ask for a key whose insert is still on its way. Holds a bit for each insert
 * between the oldest on its way and the newest, so as many as pass while one waits.
 */
final class Insertions {
  /** No more than this may be numbered while one waits: 16 MiB of bits. */
  private static final int AHEAD_MAX = 128 * 1024 * 1024;

  private final BitSet ended = new BitSet(); // of first + index
  private long first; // the bit set's first key
  private long settled; // all before have ended
  private long next;

  /**
   * Keys 0 to {@code keys} - 1 are there.
   *
   * @param keys 1 or more
   */
  Insertions(long keys) {
    first = keys;
    settled = keys;
    next = keys;
  }

  /** A key that is new. */
  long next() {
    if (next - first >= AHEAD_MAX) {
      throw new IllegalStateException("an insert has not ended while " + AHEAD_MAX + " others did");
    }
    return next++;
  }

  /** The insert of this key has ended, well or not. */
  void ended(long key) {
    ended.set((int) (key - first));
    settled = first + ended.nextClearBit((int) (settled - first));
    if (settled == next) {
      first = next;
      ended.clear();
    } else if (settled - first > 1_000_000) {
      compact();
    }
  }

  /** The newest key up to which all inserts have ended. */
  long newest() {
    return settled - 1;
  }

  /** Inserts between the first that is remembered and the newest. */
  long spanned() {
    return next - first;
  }

  private void compact() {
    int by = (int) (settled - first);
    BitSet rest = ended.get(by, ended.length());
    ended.clear();
    ended.or(rest);
    first = settled;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;

/**
 * The last entries of a log, in memory: what is sent to followers and applied in ordinary times is
 * here, so the log is read only for those who are behind.
 *
 * <p>Invariant: the entries are consecutive and end where the log ends, or there are none.
 */
final class EntryTail {
  private final Deque<Entry> entries = new ArrayDeque<>();
  private long bytes;

  void append(Entry entry) {
    entries.addLast(entry);
    bytes += entry.bytes();
  }

  void truncateFrom(long index) {
    while (!entries.isEmpty() && entries.peekLast().index() >= index) {
      bytes -= entries.pollLast().bytes();
    }
  }

  void clear() {
    entries.clear();
    bytes = 0;
  }

  /** Forgets the oldest entries that are at most at an index, while more than a bound is kept. */
  void shrink(long upTo, long bytesMax) {
    while (bytes > bytesMax && entries.peekFirst().index() <= upTo) {
      bytes -= entries.pollFirst().bytes();
    }
  }

  /** Forgets all entries at or below an index. */
  void compactTo(long index) {
    while (!entries.isEmpty() && entries.peekFirst().index() <= index) {
      bytes -= entries.pollFirst().bytes();
    }
  }

  /** The first index that is here; Long.MAX_VALUE if none is. */
  long first() {
    return entries.isEmpty() ? Long.MAX_VALUE : entries.peekFirst().index();
  }

  /** Entries from an index on, as many as a bound allows, at least one. */
  List<Entry> from(long index, long bytesMax) {
    List<Entry> found = new ArrayList<>();
    long sum = 0;
    long behind = entries.peekLast().index() - index;
    Iterator<Entry> each = behind < entries.size() / 2 ? near(index) : entries.iterator();
    while (each.hasNext()) {
      Entry entry = each.next();
      if (entry.index() < index) {
        continue;
      }
      sum += entry.bytes();
      if (sum > bytesMax && !found.isEmpty()) {
        break;
      }
      found.add(entry);
    }
    return found;
  }

  /** Goes to an index from the end, which most readers are close to. */
  private Iterator<Entry> near(long index) {
    Deque<Entry> found = new ArrayDeque<>();
    for (Iterator<Entry> each = entries.descendingIterator(); each.hasNext(); ) {
      Entry entry = each.next();
      if (entry.index() < index) {
        break;
      }
      found.addFirst(entry);
    }
    return found.iterator();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import dev.cairn.consensus.Entry;
import dev.cairn.consensus.Write;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Entries that were written and that the state machine has not been given, so that it need not read
 * them from the log.
 *
 * <p>Thread: the loop's. Invariants: entries are consecutive; at most {@link #BYTES_MAX} are kept,
 * and the oldest go first, to be read from the log when it is their turn.
 */
final class UnappliedEntries {
  static final long BYTES_MAX = 64L << 20;
  static final long ENTRY_BYTES = 48;

  private final Deque<Entry> entries = new ArrayDeque<>();
  private long bytes;

  /** What an entry weighs. */
  static long bytesOf(Entry entry) {
    return ENTRY_BYTES + (entry.data() == null ? 0 : entry.data().length);
  }

  /** Something goes into the log. An entry takes the place of all at its index and behind. */
  void written(Write write) {
    if (write.reset() != null) {
      entries.clear();
      bytes = 0;
    }
    for (Entry entry : write.entries()) {
      while (!entries.isEmpty() && entries.peekLast().index() >= entry.index()) {
        bytes -= bytesOf(entries.pollLast());
      }
      entries.addLast(entry);
      bytes += bytesOf(entry);
    }
    while (bytes > BYTES_MAX) {
      bytes -= bytesOf(entries.pollFirst());
    }
  }

  /**
   * Takes entries out.
   *
   * @param from the first index that is wanted
   * @param upTo the last one
   * @param bytesMax about how much at once; at least one entry
   * @return none when the first one has to be read from the log
   */
  List<Entry> take(long from, long upTo, long bytesMax) {
    while (!entries.isEmpty() && entries.peekFirst().index() < from) {
      bytes -= bytesOf(entries.pollFirst());
    }
    List<Entry> taken = new ArrayList<>();
    if (entries.isEmpty() || entries.peekFirst().index() > from) {
      return taken;
    }
    long takenBytes = 0;
    while (!entries.isEmpty() && entries.peekFirst().index() <= upTo && takenBytes < bytesMax) {
      Entry entry = entries.pollFirst();
      takenBytes += bytesOf(entry);
      taken.add(entry);
    }
    bytes -= takenBytes;
    return taken;
  }
}

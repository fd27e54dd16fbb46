// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.client.RecordPage;
import dev.cairn.client.RecordPage.Entry;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.Optional;
import java.util.PriorityQueue;

/**
 * All records of a cluster in the unsigned byte order of their keys, whatever its partitions.
 *
 * <p>Each partition has its keys in order and is read page by page. Of each is known the least key
 * that may come next: that of the record at hand, or where its next page begins. The partition with
 * the least of those is next. So every record is read once, and a page is read only when its turn
 * has come: what is held is at most a page of each partition.
 *
 * <p>Invariant: keys come in strictly ascending order. Owned by one thread.
 */
final class OrderedRecords {
  /** Reads a page. */
  interface Pages {
    RecordPage read(int partition, byte[] start);
  }

  private final Pages pages;
  private final PriorityQueue<Source> sources =
      new PriorityQueue<>(Comparator.comparing(Source::least, Arrays::compareUnsigned));

  /**
   * Nothing is read before the first record is asked for.
   *
   * @param start the first key that may come
   */
  OrderedRecords(Pages pages, int partitions, byte[] start) {
    this.pages = pages;
    for (int partition = 0; partition < partitions; partition++) {
      sources.add(new Source(partition, start));
    }
  }

  /** The next record; empty at the end. */
  Optional<Entry> next() {
    while (!sources.isEmpty()) {
      Source source = sources.poll();
      Entry entry = source.atHand.poll();
      if (entry == null) {
        source.read();
      }
      if (!source.ended()) {
        sources.add(source);
      }
      if (entry != null) {
        return Optional.of(entry);
      }
    }
    return Optional.empty();
  }

  private final class Source {
    private final int partition;
    private final Deque<Entry> atHand = new ArrayDeque<>();
    private Optional<byte[]> next;

    Source(int partition, byte[] start) {
      this.partition = partition;
      next = Optional.of(start);
    }

    void read() {
      RecordPage page = pages.read(partition, next.orElseThrow());
      atHand.addAll(page.entries());
      next = page.next();
    }

    boolean ended() {
      return atHand.isEmpty() && next.isEmpty();
    }

    byte[] least() {
      return atHand.isEmpty() ? next.orElseThrow() : atHand.peek().key();
    }
  }
}

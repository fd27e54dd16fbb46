// SPDX-License-Identifier: Apache-2.0
package dev.cairn.replication;

import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.Entry;
import dev.cairn.log.Group;
import java.util.AbstractList;
import java.util.List;
import java.util.Map;
import java.util.RandomAccess;
import java.util.TreeMap;

/**
 * The entries of a group as a log tells them when it is opened: indexes, terms and configurations,
 * without data. An entry is made when it is asked for, so that a log of a million entries takes no
 * more memory than its runs of terms.
 */
final class RestoredEntries extends AbstractList<Entry> implements RandomAccess {
  private final long base;
  private final int size;
  private final List<Group.TermRun> terms;
  private final Map<Long, Configuration> configurations = new TreeMap<>();

  RestoredEntries(Group group) {
    base = group.base().index();
    size = Math.toIntExact(group.last() - base);
    terms = group.terms();
    group
        .configurations()
        .forEach((at, bytes) -> configurations.put(at, Codec.configuration(bytes)));
  }

  @Override
  public Entry get(int place) {
    if (place < 0 || place >= size) {
      throw new IndexOutOfBoundsException(place + " of " + size);
    }
    long index = base + 1 + place;
    return new Entry(index, termAt(index), null, configurations.get(index));
  }

  /** The term of the last run that begins at an index or before. */
  private long termAt(long index) {
    int low = 0;
    int high = terms.size() - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (terms.get(middle).first() <= index) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return terms.get(low).term();
  }

  @Override
  public int size() {
    return size;
  }
}

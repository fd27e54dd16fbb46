// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** Random appends that follow from one another. */
final class Program {
  private static final int GROUPS = 4;

  private final RandomGenerator random;

  /** What the log holds once all is written. */
  private final Model appended;

  /** How large the largest entries are. */
  private final int bytesMax;

  private long term = 1;

  Program(RandomGenerator random, Model start, int bytesMax) {
    this.random = random;
    this.appended = start.copy();
    this.bytesMax = bytesMax;
    appended.groups.values().forEach(each -> term = Math.max(term, 1 + each.term));
  }

  Model appended() {
    return appended;
  }

  /** The next append; it is taken for done. */
  Append next() {
    Append append = new Append();
    int changes = random.nextInt(8) == 0 ? 1 + random.nextInt(6) : 1;
    for (int i = 0; i < changes; i++) {
      add(append, 1 + random.nextInt(GROUPS));
    }
    return append;
  }

  private void add(Append append, long id) {
    Model before = appended;
    Model.Content group = before.groups.getOrDefault(id, new Model.Content());
    Append one = new Append();
    switch (random.nextInt(20)) {
      case 0 -> one.hardState(id, ++term, bytes(random.nextInt(40)));
      case 1 -> one.marker(id, bytes(random.nextInt(20)));
      case 2, 3 -> one.compact(id, index(group));
      case 4 -> one.truncate(id, index(group));
      case 5 -> one.commit(id, group.commit + random.nextInt(5));
      case 6 -> {
        if (random.nextInt(4) == 0) {
          one.remove(id);
        } else {
          reset(one, id, group);
        }
      }
      default -> entries(one, id, group);
    }
    appended.apply(one);
    append.changes().addAll(one.changes());
  }

  /** An index that the group has, more often near the end. */
  private long index(Model.Content group) {
    long length = group.last() - group.base.index();
    long back = random.nextBoolean() ? Math.min(length, 3) : length;
    return group.last() - random.nextLong(back + 1);
  }

  private void reset(Append append, long id, Model.Content group) {
    long index = group.last() + random.nextInt(20) - 5;
    if (index > 0) {
      append.reset(id, new Base(index, term, random.nextLong(index + 1), bytes(8)));
    }
  }

  private void entries(Append append, long id, Model.Content group) {
    long from = random.nextInt(6) == 0 ? index(group) + 1 : group.last() + 1;
    int count = 1 + random.nextInt(4);
    if (random.nextInt(10) == 0) {
      term++;
    }
    for (long index = from; index < from + count; index++) {
      append.entry(id, entry(index));
    }
  }

  private LogEntry entry(long index) {
    return switch (random.nextInt(12)) {
      case 0 -> new LogEntry(index, term, LogEntry.Kind.EMPTY, new byte[0]);
      case 1 -> new LogEntry(index, term, LogEntry.Kind.CONFIGURATION, bytes(random.nextInt(60)));
      case 2 -> new LogEntry(index, term, LogEntry.Kind.DATA, bytes(random.nextInt(bytesMax)));
      default -> new LogEntry(index, term, LogEntry.Kind.DATA, bytes(random.nextInt(300)));
    };
  }

  private byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  /** A list of appends. */
  List<Append> take(int count) {
    List<Append> appends = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      appends.add(next());
    }
    return appends;
  }
}

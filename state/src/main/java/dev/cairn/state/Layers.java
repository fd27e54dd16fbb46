// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.BiFunction;

/**
 * The rows of a state: tables of changes in memory over a view of the database.
 *
 * <pre>
 *   active     what is being applied
 *   waiting    cleared tables, whole, each to be a batch of its own
 *   flushing   what a flush is writing
 *   fetched    rows of the base that were read ahead
 *   base       the database, each row as it was written last; it may know rows without the disk
 * </pre>
 *
 * <p>A flush's tables go when it has ended, and hide until then what of it is written. So what is
 * read does not depend on how far a flush has come. No snapshot of the database is held, but by
 * views: else what was deleted would stay on the disk. A cleared table hides what lies under it,
 * but for rows that a clear leaves.
 *
 * <p>Thread: the owner's.
 */
final class Layers {
  /** A table that nobody changes any more, and the state that it makes of what lies under it. */
  record Frozen(Table table, Applied applied) {}

  private final long seed;
  private final Deque<Frozen> waiting = new ArrayDeque<>(); // oldest first
  private Table active;
  private List<Frozen> flushing = List.of(); // oldest first
  private final List<Fetch> fetched = new ArrayList<>(); // what is known of the present base
  private SharedView base;
  private List<Table> newestFirst;

  Layers(SharedView base, long seed) {
    this.seed = seed;
    this.base = base;
    begin(new Table(seed, false));
  }

  private void begin(Table next) {
    active = next;
    List<Table> tables = new ArrayList<>();
    tables.add(active);
    waiting.descendingIterator().forEachRemaining(each -> tables.add(each.table()));
    for (int i = flushing.size() - 1; i >= 0; i--) {
      tables.add(flushing.get(i).table());
    }
    newestFirst = List.copyOf(tables);
  }

  // ---- Reading ----

  /** What stands in a row; null for nothing. */
  byte[] get(byte[] row) {
    return get(inMemory(row), base.view(), row);
  }

  static byte[] get(List<Table> newestFirst, Database.View base, byte[] row) {
    return get(inMemory(newestFirst, row, Table::find), base, row);
  }

  private static byte[] get(byte[] inMemory, Database.View base, byte[] row) {
    if (inMemory == null) {
      return base.get(row);
    }
    return inMemory == Table.REMOVED ? null : inMemory;
  }

  /** What memory says of a row: null if nothing, {@link Table#REMOVED} if it is not there. */
  byte[] inMemory(byte[] row) {
    return inMemory(row, Table::find);
  }

  /** Whether {@link #inMemory} says anything; copies no value of a table. */
  boolean knows(byte[] row) {
    return inMemory(row, (table, key) -> table.has(key) ? Table.REMOVED : null) != null;
  }

  /**
   * What is known of a row, by the newest that says anything.
   *
   * @param ask what is asked of a table; null if it says nothing of the row
   */
  private byte[] inMemory(byte[] row, BiFunction<Table, byte[], byte[]> ask) {
    byte[] found = inMemory(newestFirst, row, ask);
    if (found == null && !fetched.isEmpty()) {
      found = fetched(row);
    }
    return found == null ? base.view().known(row) : found;
  }

  private byte[] fetched(byte[] row) {
    ByteBuffer key = ByteBuffer.wrap(row);
    for (Fetch each : fetched) {
      byte[] found = each.find(key);
      if (found != null) {
        return found;
      }
    }
    return null;
  }

  private static byte[] inMemory(
      List<Table> newestFirst, byte[] row, BiFunction<Table, byte[], byte[]> ask) {
    for (Table table : newestFirst) {
      byte[] found = ask.apply(table, row);
      if (found != null) {
        return found;
      }
      if (table.isCleared() && Spaces.isCleared(row)) {
        return Table.REMOVED;
      }
    }
    return null;
  }

  /** The rows of a range of the spaces that a clear takes. */
  Cursor rows(byte[] from, byte[] to) {
    return rows(newestFirst, base.view(), from, to);
  }

  static Cursor rows(List<Table> newestFirst, Database.View base, byte[] from, byte[] to) {
    List<Cursor> layers = new ArrayList<>();
    for (Table table : newestFirst) {
      layers.add(table.rows(from, to));
      if (table.isCleared()) {
        return new Merge(layers);
      }
    }
    layers.add(base.rows(from, to));
    return new Merge(layers);
  }

  /** The tables as they are now, newest first, for another thread. */
  List<Table> tables() {
    List<Table> tables = new ArrayList<>(newestFirst);
    tables.set(0, active.snapshot());
    return tables;
  }

  /** Knows what was fetched, while the base is as it was; whether it is. */
  boolean take(Fetch fetch, SharedView of) {
    return of == base && fetched.add(fetch);
  }

  void forget(Fetch fetch) {
    fetched.remove(fetch);
  }

  /** The base as it is now, for a view that stays as it is. */
  Database.View snapshotOfBase() {
    return base.view().snapshot();
  }

  SharedView shareBase() {
    return base.share();
  }

  /** The rows that a clear leaves, by what stands behind their space. */
  RequestIds.Rows ownRows() {
    return new RequestIds.Rows() {
      @Override
      public byte[] get(byte[] key) {
        return Layers.this.get(Spaces.own(key));
      }

      @Override
      public void put(byte[] key, byte[] value) {
        Layers.this.put(Spaces.own(key), value);
      }

      @Override
      public void remove(byte[] key) {
        Layers.this.remove(Spaces.own(key));
      }
    };
  }

  // ---- Changing ----

  void put(byte[] row, byte[] value) {
    active.put(row, value);
  }

  void remove(byte[] row) {
    active.put(row, null);
  }

  /**
   * All user data goes. What waits unwritten is of use no more, but for the rows that stay: they
   * move into the cleared table.
   */
  void clear() {
    Table cleared = new Table(seed, true);
    waiting.forEach(each -> moveWhatStays(each.table(), cleared));
    moveWhatStays(active, cleared);
    waiting.clear();
    begin(cleared);
  }

  private static void moveWhatStays(Table from, Table to) {
    try (Cursor rows = from.rows(Spaces.clearedTo(), Spaces.end())) {
      while (rows.next()) {
        to.put(rows.key(), rows.value());
      }
    }
  }

  /** An entry has ended: one that cleared is to be a batch of its own. */
  void endEntry(Applied applied) {
    if (active.isCleared()) {
      freeze(applied);
    }
  }

  private void freeze(Applied applied) {
    waiting.addLast(new Frozen(active, applied));
    begin(new Table(seed, false));
  }

  // ---- Flushing ----

  /** What is to be written, oldest first; it is being flushed from now on. */
  List<Frozen> beginFlush(Applied applied) {
    if (!active.isEmpty()
        || waiting.isEmpty()
        || waiting.getLast().applied().index() < applied.index()) {
      freeze(applied);
    }
    flushing = List.copyOf(waiting);
    waiting.clear();
    begin(active);
    return flushing;
  }

  /** What was flushed stands in a new view. */
  void endFlush(SharedView view) {
    flushing = List.of();
    begin(active);
    replaceBase(view);
  }

  /** Nothing that was there counts any more. */
  void replace(SharedView view) {
    flushing = List.of();
    waiting.clear();
    begin(new Table(seed, false));
    replaceBase(view);
  }

  private void replaceBase(SharedView view) {
    fetched.clear();
    base.release();
    base = view;
  }

  /** What all tables take of memory. */
  long bytes() {
    long bytes = 0;
    for (Table table : newestFirst) {
      bytes += table.bytes();
    }
    return bytes;
  }

  void close() {
    base.release();
  }
}

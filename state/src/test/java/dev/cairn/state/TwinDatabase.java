// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/**
 * A twin of the database on disk: sorted maps. A crash drops batches that were not synced, whole,
 * the newest first. Each view knows rows of its own choice without the disk, and tells of them what
 * was written last, as the cache of the real one does.
 */
public final class TwinDatabase implements CrashingDatabase, Database {
  private NavigableMap<byte[], byte[]> durable = new TreeMap<>(Arrays::compareUnsigned);
  private final List<NavigableMap<byte[], byte[]>> unsynced = new ArrayList<>(); // after each batch
  private Rows current = new Rows(durable); // an install or a crash begins others
  private int views; // how many were taken

  /** What live views see. */
  private static final class Rows {
    private NavigableMap<byte[], byte[]> newest;

    Rows(NavigableMap<byte[], byte[]> newest) {
      this.newest = newest;
    }
  }

  private record TwinCopy(NavigableMap<byte[], byte[]> rows) implements Copy {
    @Override
    public Applied applied() {
      return Applied.decode(rows.get(Spaces.applied()));
    }
  }

  @Override
  public Database open() {
    return this;
  }

  @Override
  public void crash(RandomGenerator random) {
    int kept = unsynced.isEmpty() ? 0 : random.nextInt(unsynced.size() + 1);
    if (kept > 0) {
      durable = unsynced.get(kept - 1);
    }
    unsynced.clear();
    current = new Rows(durable);
  }

  /** Of all that is durable. */
  public long hash() {
    long hash = 1;
    for (Map.Entry<byte[], byte[]> row : durable.entrySet()) {
      hash = (hash * 31 + Arrays.hashCode(row.getKey())) * 31 + Arrays.hashCode(row.getValue());
    }
    return hash;
  }

  /** What is durable. */
  public Applied durable() {
    return Applied.decode(durable.get(Spaces.applied()));
  }

  private NavigableMap<byte[], byte[]> newest() {
    return unsynced.isEmpty() ? durable : unsynced.get(unsynced.size() - 1);
  }

  @Override
  public void write(Batch batch) {
    NavigableMap<byte[], byte[]> rows = new TreeMap<>(newest());
    if (batch.clear()) {
      rows.subMap(Spaces.clearedFrom(), Spaces.clearedTo()).clear();
    }
    Cursor changes = batch.rows().get();
    while (changes.next()) {
      byte[] value = changes.value();
      if (value == null) {
        rows.remove(changes.key());
      } else {
        rows.put(changes.key(), value);
      }
    }
    rows.put(Spaces.applied(), batch.applied().encode());
    unsynced.add(rows);
    current.newest = rows;
  }

  @Override
  public void sync() {
    durable = newest();
    unsynced.clear();
  }

  @Override
  public Live view() {
    views++;
    return new TwinLive(current, views);
  }

  @Override
  public Copy copy() {
    return new TwinCopy(durable);
  }

  @Override
  public void install(Copy copy) {
    durable = ((TwinCopy) copy).rows();
    unsynced.clear();
    current = new Rows(durable);
  }

  @Override
  public void close() {}

  private static final class TwinLive implements Live {
    private final Rows rows;
    private final int number;

    TwinLive(Rows rows, int number) {
      this.rows = rows;
      this.number = number;
    }

    @Override
    public byte[] get(byte[] key) {
      return rows.newest.get(key);
    }

    /** The same rows as long as the view is there: what was known is not fetched. */
    @Override
    public byte[] known(byte[] key) {
      int mixed = (Arrays.hashCode(key) ^ number * 0x9E3779B9) * 0x85EBCA6B;
      if ((mixed >>> 16) % 3 != 0) {
        return null;
      }
      byte[] found = get(key);
      return found == null ? ABSENT : found;
    }

    @Override
    public View snapshot() {
      return new TwinView(rows.newest);
    }

    @Override
    public Applied applied() {
      return snapshot().applied();
    }

    @Override
    public Cursor rows(byte[] from, byte[] to) {
      return snapshot().rows(from, to);
    }

    @Override
    public void close() {}
  }

  private record TwinView(NavigableMap<byte[], byte[]> rows) implements View {
    @Override
    public byte[] get(byte[] key) {
      return rows.get(key);
    }

    @Override
    public Applied applied() {
      return Applied.decode(rows.get(Spaces.applied()));
    }

    @Override
    public Cursor rows(byte[] from, byte[] to) {
      return new MapCursor(rows.subMap(from, true, to, false));
    }

    @Override
    public void close() {}
  }
}

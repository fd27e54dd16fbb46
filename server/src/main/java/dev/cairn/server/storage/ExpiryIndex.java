// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/**
 * Which keys expire first: rows of the database, in the order of their times.
 *
 * <pre>
 *   row := space:1 (= 2) expiresAtMillis:8 the user's key -&gt; nothing
 * </pre>
 *
 * <p>It remembers before which time no key expires, where a look begins, so that one does not walk
 * over what was removed from the index' head.
 *
 * <p>Threads: any. Invariant: no key that was told to {@link #added} before a look began is passed
 * over by it or by a later one.
 */
final class ExpiryIndex {
  static final byte SPACE = 2;

  private static final byte[] NO_KEY = {};

  private final Object looking = new Object(); // one look at a time; taken before lock
  private final Object lock = new Object();
  private long firstMillis; // guarded by lock: no key expires before
  private long addedMillis; // guarded by lock: the earliest that came in since a look began

  /** The row of a key that expires. */
  static byte[] row(long expiresAtMillis, byte[] key) {
    ByteBuffer bytes = ByteBuffer.allocate(1 + Long.BYTES + key.length);
    return bytes.put(SPACE).putLong(expiresAtMillis).put(key).array();
  }

  /** Tells of rows that are in the database now, the earliest of them. */
  void added(long expiresAtMillis) {
    synchronized (lock) {
      firstMillis = Math.min(firstMillis, expiresAtMillis);
      addedMillis = Math.min(addedMillis, expiresAtMillis);
    }
  }

  /** False when certainly no key expires at that time or before. Does not look. */
  boolean mayExpire(long untilMillis) {
    synchronized (lock) {
      return firstMillis <= untilMillis;
    }
  }

  /**
   * The keys that expire first, in that order, at most so many of them and none later than {@code
   * untilMillis}.
   *
   * @param database opens an iterator over the database as it is then; it is closed here
   */
  List<byte[]> first(Supplier<RocksIterator> database, long untilMillis, int keysMax)
      throws RocksDBException {
    synchronized (looking) {
      long fromMillis;
      synchronized (lock) {
        fromMillis = firstMillis;
        addedMillis = Long.MAX_VALUE;
      }
      List<byte[]> keys = new ArrayList<>();
      long foundMillis;
      try (RocksIterator iterator = database.get()) {
        foundMillis = look(iterator, fromMillis, untilMillis, keysMax, keys);
      }
      synchronized (lock) {
        firstMillis = Math.min(foundMillis, addedMillis);
      }
      return keys;
    }
  }

  /** Returns when the first of all keys expires, or a time past all. */
  private static long look(
      RocksIterator iterator, long fromMillis, long untilMillis, int keysMax, List<byte[]> keys)
      throws RocksDBException {
    long first = Long.MAX_VALUE;
    for (iterator.seek(row(fromMillis, NO_KEY)); iterator.isValid(); iterator.next()) {
      ByteBuffer row = ByteBuffer.wrap(iterator.key());
      if (row.get() != SPACE) {
        break;
      }
      long millis = row.getLong();
      first = Math.min(first, millis);
      if (millis > untilMillis || keys.size() == keysMax) {
        break;
      }
      keys.add(Arrays.copyOfRange(row.array(), row.position(), row.limit()));
    }
    iterator.status();
    return first;
  }
}

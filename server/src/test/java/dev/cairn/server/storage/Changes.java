// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import dev.cairn.state.Applied;
import dev.cairn.state.Cursor;
import dev.cairn.state.Database;
import dev.cairn.state.MapCursor;
import dev.cairn.state.Spaces;
import dev.cairn.state.ValueRecord;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/** What is written to a database at once, as a flush does it; and what is read of it. */
final class Changes {
  private final NavigableMap<byte[], byte[]> rows = new TreeMap<>(Arrays::compareUnsigned);
  private boolean clear;

  /** Where a user's key stands. */
  static byte[] row(byte[] key) {
    return ByteBuffer.allocate(1 + key.length).put((byte) 1).put(key).array();
  }

  static byte[] row(String key) {
    return row(key.getBytes(StandardCharsets.UTF_8));
  }

  /** A row of the partition's own: no user's key, so the cache of records has none of it. */
  static byte[] own(String name) {
    byte[] row = row(name);
    row[0] = 3;
    return row;
  }

  private static byte[] expiry(long expiresAtMillis, byte[] key) {
    ByteBuffer row = ByteBuffer.allocate(1 + Long.BYTES + key.length);
    return row.put((byte) 2).putLong(expiresAtMillis).put(key).array();
  }

  Changes put(String key, ValueRecord record) {
    return put(key.getBytes(StandardCharsets.UTF_8), record);
  }

  /** A key, and its row in the index of expiries. */
  Changes put(byte[] key, ValueRecord record) {
    rows.put(row(key), record.encode());
    if (record.expires()) {
      rows.put(expiry(record.expiresAtMillis(), key), new byte[0]);
    }
    return this;
  }

  Changes putRow(byte[] row, byte[] value) {
    rows.put(row, value);
    return this;
  }

  Changes delete(String key) {
    rows.put(row(key), null);
    return this;
  }

  /** A key that expires, and its row in the index. */
  Changes delete(String key, long expiresAtMillis) {
    rows.put(expiry(expiresAtMillis, key.getBytes(StandardCharsets.UTF_8)), null);
    return delete(key);
  }

  /** All user data goes first. */
  Changes clear() {
    clear = true;
    return this;
  }

  Database.Batch batch(Applied applied) {
    return new Database.Batch(clear, () -> new MapCursor(rows), applied);
  }

  /** What stands under a key as of a view. */
  static Optional<ValueRecord> get(Database.View view, String key) {
    return Optional.ofNullable(view.get(row(key))).map(ValueRecord::decode);
  }

  /** What stands under a key now. */
  static Optional<ValueRecord> get(Database database, String key) {
    try (Database.Live view = database.view()) {
      return get(view, key);
    }
  }

  /** The row of what is there now. */
  static Applied applied(Database database) {
    try (Database.Live view = database.view()) {
      return view.applied();
    }
  }

  /** All keys as of a view. */
  static Map<String, ValueRecord> contents(Database.View view) {
    Map<String, ValueRecord> contents = new TreeMap<>();
    try (Cursor rows = view.rows(Spaces.clearedFrom(), new byte[] {2})) {
      while (rows.next()) {
        byte[] key = rows.key();
        contents.put(
            new String(key, 1, key.length - 1, StandardCharsets.UTF_8),
            ValueRecord.decode(rows.value()));
      }
    }
    return contents;
  }

  /** All keys now. */
  static Map<String, ValueRecord> contents(Database database) {
    try (Database.Live view = database.view()) {
      return contents(view);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import dev.cairn.state.ValueRecord;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Changes that will be made together with one {@link AppliedRow}. Answers what they would leave
 * under a key, so that operations in one batch see those before them. Not for more than one thread.
 *
 * <p>A key written twice is stored once. The order of the map changes nothing that is stored.
 */
public final class Writes {
  private final Map<ByteBuffer, Change> changes = new LinkedHashMap<>();
  private final Map<ByteBuffer, Optional<byte[]>> rows = new LinkedHashMap<>();
  private boolean cleared;
  private long valueBytes;

  /**
   * What becomes of a key.
   *
   * @param record what will stand there, if anything
   * @param storedExpiresAtMillis when what stands there now expires: its place in the index
   */
  record Change(Optional<ValueRecord> record, long storedExpiresAtMillis) {}

  /** Stores a record under a key where nothing stands that expires; else as below. */
  public void put(byte[] key, ValueRecord record) {
    put(key, record, ValueRecord.NEVER);
  }

  /**
   * Stores a record, replacing any. The key must not be modified afterwards.
   *
   * @param storedExpiresAtMillis when what the store holds under the key expires; not looked at
   *     when these changes touch the key already
   */
  public void put(byte[] key, ValueRecord record, long storedExpiresAtMillis) {
    change(key, Optional.of(record), storedExpiresAtMillis);
  }

  /** Removes a key under which nothing stands that expires; one that is not there is no error. */
  public void delete(byte[] key) {
    delete(key, ValueRecord.NEVER);
  }

  /** Removes a key; as {@link #put(byte[], ValueRecord, long)}. */
  public void delete(byte[] key, long storedExpiresAtMillis) {
    change(key, Optional.empty(), storedExpiresAtMillis);
  }

  /** Removes all keys, those of the store too. */
  public void clear() {
    changes.clear();
    cleared = true;
    valueBytes = 0;
  }

  private void change(byte[] key, Optional<ValueRecord> record, long storedExpiresAtMillis) {
    ByteBuffer wrapped = ByteBuffer.wrap(key);
    Change before = changes.get(wrapped);
    long stored =
        before != null
            ? before.storedExpiresAtMillis()
            : cleared ? ValueRecord.NEVER : storedExpiresAtMillis;
    changes.put(wrapped, new Change(record, stored));
    valueBytes += record.map(added -> added.value().length).orElse(0);
  }

  /** Whether these changes say anything about the key. */
  public boolean touches(byte[] key) {
    return cleared || changes.containsKey(ByteBuffer.wrap(key));
  }

  /** What will stand under a key that {@link #touches} is true for; otherwise empty. */
  public Optional<ValueRecord> get(byte[] key) {
    Change change = changes.get(ByteBuffer.wrap(key));
    return change == null ? Optional.empty() : change.record();
  }

  /**
   * The keys of a range that these changes touch, in their order, with what will stand under each.
   * Costs a look at every change.
   */
  public NavigableMap<byte[], Optional<ValueRecord>> within(KeyRange range) {
    NavigableMap<byte[], Optional<ValueRecord>> within = new TreeMap<>(Arrays::compareUnsigned);
    for (Map.Entry<ByteBuffer, Change> change : changes.entrySet()) {
      byte[] key = change.getKey().array();
      if (range.contains(key)) {
        within.put(key, change.getValue().record());
      }
    }
    return within;
  }

  /** The keys under which these changes leave what expires at that time or before; in no order. */
  public List<byte[]> expiring(long untilMillis) {
    List<byte[]> keys = new ArrayList<>();
    for (Map.Entry<ByteBuffer, Change> change : changes.entrySet()) {
      Optional<ValueRecord> record = change.getValue().record();
      if (record.isPresent() && expires(record.get().expiresAtMillis(), untilMillis)) {
        keys.add(change.getKey().array());
      }
    }
    return keys;
  }

  /** How many stored keys these changes touch that expire at that time or before. */
  public int touchedOfExpiring(long untilMillis) {
    return (int)
        changes.values().stream()
            .filter(change -> expires(change.storedExpiresAtMillis(), untilMillis))
            .count();
  }

  private static boolean expires(long expiresAtMillis, long untilMillis) {
    return expiresAtMillis != ValueRecord.NEVER && expiresAtMillis <= untilMillis;
  }

  /** How many keys are changed, besides those that were cleared. */
  public int size() {
    return changes.size();
  }

  /** How many bytes of values were put, those that were replaced since counted too. */
  public long valueBytes() {
    return valueBytes;
  }

  /** Whether all that is stored will be gone, but for what these changes put. */
  public boolean cleared() {
    return cleared;
  }

  /** Stores a row of the partition's own. Neither array may be modified afterwards. */
  public void putRow(byte[] key, byte[] value) {
    rows.put(ByteBuffer.wrap(key), Optional.of(value));
  }

  /** Removes a row; one that is not there is no error. The key must not be modified afterwards. */
  public void deleteRow(byte[] key) {
    rows.put(ByteBuffer.wrap(key), Optional.empty());
  }

  /** Whether these changes say anything about the row. {@link #clear} is about keys only. */
  public boolean touchesRow(byte[] key) {
    return rows.containsKey(ByteBuffer.wrap(key));
  }

  /** What a row that {@link #touchesRow} is true for will hold; otherwise empty. */
  public Optional<byte[]> row(byte[] key) {
    return rows.getOrDefault(ByteBuffer.wrap(key), Optional.empty());
  }

  Map<ByteBuffer, Change> changes() {
    return changes;
  }

  Map<ByteBuffer, Optional<byte[]>> rows() {
    return rows;
  }
}

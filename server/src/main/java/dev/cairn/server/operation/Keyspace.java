// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import dev.cairn.server.storage.AppliedRow;
import dev.cairn.server.storage.KeyRange;
import dev.cairn.server.storage.PartitionStore;
import dev.cairn.server.storage.ScannedKey;
import dev.cairn.server.storage.StoredKeys;
import dev.cairn.server.storage.ValueRecord;
import dev.cairn.server.storage.Writes;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * A partition's keys as operations see and change them: what is stored, and over it what was
 * changed since and is not yet written.
 *
 * <p>Thread: the state machine's. Invariants:
 *
 * <ol>
 *   <li>A key is gone exactly when partition time has reached its {@code expiresAtMillis}. That
 *       time comes from log entries and never goes back, so a key is never gone early and never
 *       back.
 *   <li>Each change takes the next number of the operation counter as the key's version.
 *   <li>{@code keyCount} counts what stands in the data: a key that has expired counts until it is
 *       removed, by a {@link Operation.Sweep} or by a write in its place.
 * </ol>
 */
public final class Keyspace implements KeyView {
  private final Source source;
  private Writes writes = new Writes();
  private long operationCounter;
  private long keyCount;
  private long timeMillis;

  /** The key that was looked up last: an operation reads and then writes the same one. */
  private byte[] lastKey;

  private Optional<ValueRecord> lastRecord = Optional.empty();

  private final Lookups lookups = new Lookups();

  /** What lies below: what was stored before all pending changes. */
  public interface Source extends StoredKeys {
    /** Stored keys that expire first; as {@link PartitionStore#expiring}. */
    List<byte[]> expiring(long untilMillis, int keysMax);
  }

  /** Keys over what is stored; {@link #reset} says what that is. */
  public Keyspace(Source source) {
    this.source = source;
  }

  /** Forgets what is pending, and begins with what a row says of the data stored. */
  public void reset(AppliedRow row) {
    writes = new Writes();
    lastKey = null;
    operationCounter = row.operationCounter();
    keyCount = row.keyCount();
    timeMillis = row.partitionTimeMillis();
  }

  /** Takes the pending changes away, to be written. */
  public Writes takeWrites() {
    Writes taken = writes;
    writes = new Writes();
    lastKey = null;
    return taken;
  }

  /** The pending changes, for rows that are to be written with them. */
  public Writes pending() {
    return writes;
  }

  /** How many bytes of values are pending. */
  public long pendingBytes() {
    return writes.valueBytes();
  }

  public long operationCounter() {
    return operationCounter;
  }

  @Override
  public long keyCount() {
    return keyCount;
  }

  @Override
  public long nowMillis() {
    return timeMillis;
  }

  /** Lets time go on; it never goes back. */
  public void reach(long partitionTimeMillis) {
    timeMillis = Math.max(timeMillis, partitionTimeMillis);
  }

  @Override
  public Optional<ValueRecord> get(byte[] key) {
    return standing(key).filter(record -> !isOver(record, timeMillis));
  }

  @Override
  public Optional<ValueRecord> lookUp(byte[] key) {
    Optional<ValueRecord> record = get(key);
    lookups.found(record.isPresent());
    return record;
  }

  /** What operations have met since somebody cleared it. */
  public Lookups lookups() {
    return lookups;
  }

  public static boolean isOver(ValueRecord record, long timeMillis) {
    return isOver(record.expiresAtMillis(), timeMillis);
  }

  public static boolean isOver(long expiresAtMillis, long timeMillis) {
    return expiresAtMillis != ValueRecord.NEVER && expiresAtMillis <= timeMillis;
  }

  @Override
  public Optional<byte[]> scan(KeyRange range, int walkMax, ScannedKey.Visitor visitor) {
    MergedScan merged =
        new MergedScan(
            writes.within(range),
            walkMax,
            scanned -> isOver(scanned.expiresAtMillis(), timeMillis) || visitor.visit(scanned));
    if (!writes.cleared()) {
      source.scan(range, Integer.MAX_VALUE, merged::stored);
    }
    return merged.end();
  }

  private Optional<ValueRecord> standing(byte[] key) {
    if (key != lastKey) {
      lastRecord = writes.touches(key) ? writes.get(key) : source.get(key);
      lastKey = key;
    }
    return lastRecord;
  }

  /** Stores a value; one whose time is up already is removed instead. */
  void put(byte[] key, byte[] value, long expiresAtMillis) {
    Optional<ValueRecord> before = standing(key);
    if (before.isPresent() && isOver(before.get(), timeMillis)) {
      lookups.expired(1);
    }
    operationCounter++;
    ValueRecord record = new ValueRecord(operationCounter, expiresAtMillis, value);
    if (isOver(record, timeMillis)) {
      remove(key, before);
      return;
    }
    writes.put(key, record, expiry(before));
    lastKey = null;
    keyCount += before.isPresent() ? 0 : 1;
  }

  /** Changes a value and nothing else: the key expires when it did. */
  void replace(byte[] key, byte[] value, Optional<ValueRecord> before) {
    put(key, value, expiry(before));
  }

  /** Removes a key; whether it was there. */
  boolean delete(byte[] key) {
    Optional<ValueRecord> before = standing(key);
    boolean there = before.filter(record -> !isOver(record, timeMillis)).isPresent();
    if (there) {
      operationCounter++;
      remove(key, before);
    }
    return there;
  }

  private void remove(byte[] key, Optional<ValueRecord> before) {
    if (before.isPresent()) {
      writes.delete(key, expiry(before));
      lastKey = null;
      keyCount--;
    }
  }

  private static long expiry(Optional<ValueRecord> record) {
    return record.map(ValueRecord::expiresAtMillis).orElse(ValueRecord.NEVER);
  }

  /** Removes all keys. */
  void clear() {
    operationCounter++;
    writes.clear();
    lastKey = null;
    keyCount = 0;
  }

  /** Removes keys whose time is up, the earliest first; how many. */
  long sweep(int keysMax) {
    List<Due> due = due(keysMax);
    for (Due each : due) {
      operationCounter++;
      remove(each.key(), standing(each.key()));
    }
    lookups.expired(due.size());
    if (due.size() == keysMax) {
      lookups.fullSweep();
    }
    return due.size();
  }

  private record Due(long expiresAtMillis, byte[] key) {}

  /**
   * What is to be swept. Pending changes are seen, or it would depend on where batches end, which
   * is another place on each replica.
   */
  private List<Due> due(int keysMax) {
    List<byte[]> keys = writes.expiring(timeMillis);
    if (!writes.cleared()) {
      int storedMax = keysMax + writes.touchedOfExpiring(timeMillis);
      source.expiring(timeMillis, storedMax).stream()
          .filter(key -> !writes.touches(key))
          .forEach(keys::add);
    }
    return keys.stream()
        .map(key -> new Due(expiry(standing(key)), key))
        .sorted(
            Comparator.comparingLong(Due::expiresAtMillis)
                .thenComparing(Due::key, Arrays::compareUnsigned))
        .limit(keysMax)
        .toList();
  }
}

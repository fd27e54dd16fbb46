// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import dev.cairn.server.storage.AppliedRow;
import dev.cairn.server.storage.KeyRange;
import dev.cairn.server.storage.PartitionStore;
import dev.cairn.server.storage.ScannedKey;
import dev.cairn.server.storage.StoredKeys;
import dev.cairn.server.storage.Writes;
import dev.cairn.state.RequestIds;
import dev.cairn.state.ValueRecord;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * A partition's keys over what is stored: what was changed since and is not yet written lies over
 * it.
 *
 * <p>Thread: the state machine's.
 */
public final class PendingKeyspace extends Keyspace {
  private final Source source;
  private Writes writes = new Writes();
  private long operationCounter;
  private long keyCount;
  private long timeMillis;

  /** The key that was looked up last: an operation reads and then writes the same one. */
  private byte[] lastKey;

  private Optional<ValueRecord> lastRecord = Optional.empty();

  /** What lies below: what was stored before all pending changes. */
  public interface Source extends StoredKeys {
    /** Stored keys that expire first; as {@link PartitionStore#expiring}. */
    List<byte[]> expiring(long untilMillis, int keysMax);

    /** What a row of the partition's own holds; as {@link PartitionStore#row}. */
    Optional<byte[]> row(byte[] key);
  }

  /** Keys over what is stored; {@link #reset} says what that is. */
  public PendingKeyspace(Source source) {
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

  /** The rows of the partition's own, which are written with the pending changes. */
  public RequestIds.Rows rows() {
    return new RequestIds.Rows() {
      @Override
      public byte[] get(byte[] key) {
        return (writes.touchesRow(key) ? writes.row(key) : source.row(key)).orElse(null);
      }

      @Override
      public void put(byte[] key, byte[] value) {
        writes.putRow(key, value);
      }

      @Override
      public void remove(byte[] key) {
        writes.deleteRow(key);
      }
    };
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
    return standing(key).filter(record -> !record.isOver(timeMillis));
  }

  @Override
  public Optional<byte[]> scan(KeyRange range, int walkMax, ScannedKey.Visitor visitor) {
    MergedScan merged =
        new MergedScan(
            writes.within(range),
            walkMax,
            scanned ->
                ValueRecord.isOver(scanned.expiresAtMillis(), timeMillis)
                    || visitor.visit(scanned));
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

  @Override
  void put(byte[] key, byte[] value, long expiresAtMillis) {
    Optional<ValueRecord> before = standing(key);
    if (before.isPresent() && before.get().isOver(timeMillis)) {
      lookups().expired(1);
    }
    operationCounter++;
    ValueRecord record = new ValueRecord(operationCounter, expiresAtMillis, value);
    if (record.isOver(timeMillis)) {
      remove(key, before);
      return;
    }
    writes.put(key, record, expiry(before));
    lastKey = null;
    keyCount += before.isPresent() ? 0 : 1;
  }

  @Override
  boolean delete(byte[] key) {
    Optional<ValueRecord> before = standing(key);
    boolean there = before.filter(record -> !record.isOver(timeMillis)).isPresent();
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

  @Override
  void clear() {
    operationCounter++;
    writes.clear();
    lastKey = null;
    keyCount = 0;
  }

  @Override
  long removeExpired(int keysMax) {
    List<Due> due = due(keysMax);
    for (Due each : due) {
      operationCounter++;
      remove(each.key(), standing(each.key()));
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

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import dev.cairn.state.ValueRecord;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * An endless history of batches, the same for the same seed: what batch N does follows from seed
 * and N alone, so any prefix of it can be checked against a plain map.
 */
final class RandomOperations {
  private static final int KEYS = 200;

  private final long seed;
  private final int valueBytesMax;

  RandomOperations(long seed, int valueBytesMax) {
    this.seed = seed;
    this.valueBytesMax = valueBytesMax;
  }

  /** Applies the batch with this number, which must be the next. */
  void apply(PartitionStore store, long index) {
    Writes writes = new Writes();
    for (Map.Entry<String, ValueRecord> change : batch(index).entrySet()) {
      if (change.getValue() == null) {
        writes.delete(bytes(change.getKey()));
      } else {
        writes.put(bytes(change.getKey()), change.getValue());
      }
    }
    store.apply(writes, row(index));
  }

  static AppliedRow row(long index) {
    String peer = "peer-" + index;
    return new AppliedRow(index, 1, index * 3, 0, index, List.of(peer), List.of(), List.of());
  }

  /** What the data must be after this batch. */
  Map<String, ValueRecord> model(long index) {
    Map<String, ValueRecord> model = new TreeMap<>();
    for (long i = 1; i <= index; i++) {
      batch(i)
          .forEach(
              (key, value) -> {
                if (value == null) {
                  model.remove(key);
                } else {
                  model.put(key, value);
                }
              });
    }
    return model;
  }

  static Map<String, ValueRecord> contents(PartitionStore store) {
    Map<String, ValueRecord> contents = new TreeMap<>();
    store.scan(
        KeyRange.ALL,
        Integer.MAX_VALUE,
        scanned -> {
          contents.put(new String(scanned.key(), StandardCharsets.UTF_8), scanned.record());
          return true;
        });
    return contents;
  }

  private Map<String, ValueRecord> batch(long index) {
    Random random = new Random(seed * 1_000_003 + index);
    Map<String, ValueRecord> batch = new LinkedHashMap<>();
    List<Integer> keys = new ArrayList<>();
    int count = random.nextInt(6);
    for (int i = 0; i < count; i++) {
      keys.add(random.nextInt(KEYS));
    }
    for (int key : keys) {
      byte[] value = new byte[random.nextInt(valueBytesMax)];
      random.nextBytes(value);
      long expires = random.nextBoolean() ? ValueRecord.NEVER : random.nextInt(1_000_000);
      batch.put(
          "key-" + key, random.nextInt(4) == 0 ? null : new ValueRecord(index, expires, value));
    }
    return batch;
  }

  private static byte[] bytes(String key) {
    return key.getBytes(StandardCharsets.UTF_8);
  }
}

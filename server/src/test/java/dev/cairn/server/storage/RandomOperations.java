// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import dev.cairn.state.Applied;
import dev.cairn.state.Database;
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

  /** Writes the batch with this number, which must be the next. */
  void write(Database database, long index) {
    Changes changes = new Changes();
    batch(index)
        .forEach(
            (key, record) -> {
              if (record == null) {
                changes.delete(key);
              } else {
                changes.put(key, record);
              }
            });
    database.write(changes.batch(row(index)));
  }

  static Applied row(long index) {
    byte[] configuration = ("peer-" + index).getBytes(StandardCharsets.UTF_8);
    return new Applied(index, 1, index * 3, 0, index, index, configuration);
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
}

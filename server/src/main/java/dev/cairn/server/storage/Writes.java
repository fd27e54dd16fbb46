// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Changes that will be made together with one {@link AppliedRow}. Answers what they would leave
 * under a key, so that operations in one batch see those before them. Not for more than one thread.
 *
 * <p>A key written twice is stored once. The order of the map changes nothing that is stored.
 */
public final class Writes {
  private final Map<ByteBuffer, Optional<ValueRecord>> changes = new LinkedHashMap<>();

  /** Stores a record, replacing any. The key must not be modified afterwards. */
  public void put(byte[] key, ValueRecord record) {
    changes.put(ByteBuffer.wrap(key), Optional.of(record));
  }

  /** Removes a key; one that is not there is no error. The key must not be modified afterwards. */
  public void delete(byte[] key) {
    changes.put(ByteBuffer.wrap(key), Optional.empty());
  }

  /** Whether these changes say anything about the key. */
  public boolean touches(byte[] key) {
    return changes.containsKey(ByteBuffer.wrap(key));
  }

  /** What will stand under a key that {@link #touches} is true for; otherwise empty. */
  public Optional<ValueRecord> get(byte[] key) {
    return changes.getOrDefault(ByteBuffer.wrap(key), Optional.empty());
  }

  /** How many keys are changed. */
  public int size() {
    return changes.size();
  }

  Map<ByteBuffer, Optional<ValueRecord>> changes() {
    return changes;
  }
}

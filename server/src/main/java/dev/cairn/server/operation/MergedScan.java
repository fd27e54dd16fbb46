// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import dev.cairn.server.storage.ScannedKey;
import dev.cairn.state.ValueRecord;
import java.util.Arrays;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;

/**
 * A scan over stored keys and over what was changed since: both in the order of keys, one beside
 * the other, a changed key as it was changed. For one scan.
 */
final class MergedScan {
  private final NavigableMap<byte[], Optional<ValueRecord>> changes; // those not passed yet
  private final ScannedKey.Visitor visitor;
  private int left;
  private boolean more = true;
  private Optional<byte[]> next = Optional.empty();

  /**
   * Creates a scan that has passed nothing.
   *
   * @param changes what will stand under changed keys; taken over
   * @param walkMax how many keys are visited at most
   */
  MergedScan(
      NavigableMap<byte[], Optional<ValueRecord>> changes,
      int walkMax,
      ScannedKey.Visitor visitor) {
    this.changes = changes;
    this.left = walkMax;
    this.visitor = visitor;
  }

  /** Passes a stored key, and all changed ones before it; whether to go on. */
  boolean stored(ScannedKey stored) {
    while (!changes.isEmpty() && compare(changes.firstKey(), stored.key()) < 0) {
      if (!changed(changes.pollFirstEntry())) {
        return false;
      }
    }
    boolean replaced = !changes.isEmpty() && compare(changes.firstKey(), stored.key()) == 0;
    return replaced ? changed(changes.pollFirstEntry()) : visit(stored);
  }

  /** Passes the changed keys behind all stored ones; returns the first key not visited. */
  Optional<byte[]> end() {
    while (next.isEmpty() && !changes.isEmpty()) {
      changed(changes.pollFirstEntry());
    }
    return next;
  }

  private boolean changed(Map.Entry<byte[], Optional<ValueRecord>> change) {
    return change.getValue().isEmpty()
        || visit(ScannedKey.of(change.getKey(), change.getValue().get()));
  }

  private boolean visit(ScannedKey scanned) {
    if (!more || left == 0) {
      next = Optional.of(scanned.key());
      return false;
    }
    left--;
    more = visitor.visit(scanned);
    return true;
  }

  private static int compare(byte[] one, byte[] other) {
    return Arrays.compareUnsigned(one, other);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import dev.cairn.state.ValueRecord;
import java.util.Optional;

/**
 * A partition's keys as operations see and change them; {@link StateKeyspace} has them over a
 * state.
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
public abstract class Keyspace implements KeyView {
  private final Lookups lookups = new Lookups();

  @Override
  public final Optional<ValueRecord> lookUp(byte[] key) {
    Optional<ValueRecord> record = get(key);
    lookups.found(record.isPresent());
    return record;
  }

  /** What operations have met since somebody cleared it. */
  public final Lookups lookups() {
    return lookups;
  }

  /** Stores a value; one whose time is up already is removed instead. */
  abstract void put(byte[] key, byte[] value, long expiresAtMillis);

  /** Changes a value and nothing else: the key expires when it did. */
  final void replace(byte[] key, byte[] value, Optional<ValueRecord> before) {
    put(key, value, before.map(ValueRecord::expiresAtMillis).orElse(ValueRecord.NEVER));
  }

  /** Removes a key; whether it was there. */
  abstract boolean delete(byte[] key);

  /** Removes all keys. */
  abstract void clear();

  /** Removes keys whose time is up, the earliest first; how many. */
  final long sweep(int keysMax) {
    long swept = removeExpired(keysMax);
    lookups.expired(swept);
    if (swept == keysMax) {
      lookups.fullSweep();
    }
    return swept;
  }

  /** As {@link #sweep}, not counted. */
  abstract long removeExpired(int keysMax);
}

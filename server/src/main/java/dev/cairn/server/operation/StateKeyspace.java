// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import dev.cairn.server.storage.KeyRange;
import dev.cairn.server.storage.ScannedKey;
import dev.cairn.state.State;
import dev.cairn.state.ValueRecord;
import java.util.Optional;

/**
 * A partition's keys over a {@link State}: each change is in memory at once, and the state keeps
 * counter, count and time. Nothing is pending here, so nothing is to be taken away or written.
 *
 * <p>Thread: the state's owner, while an entry is being applied.
 */
public final class StateKeyspace extends Keyspace {
  private final State state;

  /** The keys of a state. */
  public StateKeyspace(State state) {
    this.state = state;
  }

  @Override
  public Optional<ValueRecord> get(byte[] key) {
    return state.get(key);
  }

  @Override
  public Optional<byte[]> scan(KeyRange range, int walkMax, ScannedKey.Visitor visitor) {
    return state.scan(
        range.from(),
        range.to(),
        walkMax,
        (key, record) ->
            record.isOver(state.timeMillis()) || visitor.visit(ScannedKey.of(key, record)));
  }

  @Override
  public long nowMillis() {
    return state.timeMillis();
  }

  @Override
  public long keyCount() {
    return state.keys();
  }

  @Override
  void put(byte[] key, byte[] value, long expiresAtMillis) {
    if (state.put(key, value, expiresAtMillis)) {
      lookups().expired(1);
    }
  }

  @Override
  boolean delete(byte[] key) {
    return state.delete(key);
  }

  @Override
  void clear() {
    state.clear();
  }

  @Override
  long removeExpired(int keysMax) {
    return state.sweep(keysMax);
  }
}

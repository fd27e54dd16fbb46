// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import dev.cairn.server.storage.KeyRange;
import dev.cairn.server.storage.ScannedKey;
import dev.cairn.state.ValueRecord;
import java.util.Optional;

/**
 * A partition's keys as a {@link Query} sees them, at one partition time: those whose time is up
 * are not there. Seen by a read it is what was applied ({@link ReadView}); by an operation, what
 * the operations before it left ({@link Keyspace}).
 */
public interface KeyView {
  /** What stands under a key, if it is there and has not expired. */
  Optional<ValueRecord> get(byte[] key);

  /**
   * As {@link #get}, and counted as a hit or a miss: what a client asked to read. What is looked up
   * only to be changed is not counted, as in Redis.
   */
  Optional<ValueRecord> lookUp(byte[] key);

  /**
   * Visits keys in their unsigned byte order, all as of one moment.
   *
   * @param walkMax how many at most are walked over, those that have expired too, 1 or more
   * @return where to go on: the first key of the range that was not walked over, if there is one
   */
  Optional<byte[]> scan(KeyRange range, int walkMax, ScannedKey.Visitor visitor);

  /** Partition time now, milliseconds since 1970: what a time to live is counted from. */
  long nowMillis();

  /** How many keys there are; those that have expired and are not yet removed count too. */
  long keyCount();
}

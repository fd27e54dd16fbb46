// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import dev.cairn.state.ValueRecord;
import java.util.Optional;

/** What is stored under keys, expired or not: now, or at one moment. */
public interface StoredKeys {
  /** What stands under a key. */
  Optional<ValueRecord> get(byte[] key);

  /**
   * Visits keys in their unsigned byte order, all as of one moment.
   *
   * @param keysMax how many at most, 1 or more
   * @return the first key of the range that was not visited, if there is one
   */
  Optional<byte[]> scan(KeyRange range, int keysMax, ScannedKey.Visitor visitor);
}

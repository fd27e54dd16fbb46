// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.util.Optional;

/**
 * A look at one key, as it stood when the look began: memory knew it then, or the database is read
 * for it, wherever that may wait.
 *
 * <p>Thread: one, any. To be asked once, or the base is never let go.
 */
public final class Look {
  private final byte[] inMemory; // REMOVED where nothing stands; null if memory does not know
  private final SharedView base; // a use of it is this look's; null if memory knows
  private final byte[] row;

  Look(byte[] inMemory, SharedView base, byte[] row) {
    this.inMemory = inMemory;
    this.base = base;
    this.row = row;
  }

  static Optional<ValueRecord> recordOf(byte[] inMemory) {
    return inMemory == Table.REMOVED ? Optional.empty() : Optional.of(ValueRecord.decode(inMemory));
  }

  /** What stands under the key, its time up or not. */
  public Optional<ValueRecord> get() {
    if (base == null) {
      return recordOf(inMemory);
    }
    try {
      return Optional.ofNullable(base.view().get(row)).map(ValueRecord::decode);
    } finally {
      base.release();
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.util.List;
import java.util.Optional;

/**
 * A state at one applied index, however many keys are asked for and whatever is applied, flushed or
 * installed meanwhile. For one thread, any; what takes long (the disk, to bring changes in memory
 * into their order) is done there. To be closed.
 */
public final class View implements AutoCloseable {
  private final List<Table> newestFirst;
  private final SharedView base;
  private final Applied applied;

  View(List<Table> newestFirst, SharedView base, Applied applied) {
    this.newestFirst = newestFirst;
    this.base = base;
    this.applied = applied;
  }

  /** Which state it is. */
  public Applied applied() {
    return applied;
  }

  /** What stands under a key whose time is not up. */
  public Optional<ValueRecord> get(byte[] key) {
    byte[] found = Layers.get(newestFirst, base.view(), Spaces.user(key));
    return State.standing(found, applied.timeMillis());
  }

  /** Told keys in order; false ends the walk. */
  public interface Visitor {
    /** One key. */
    boolean visit(byte[] key, ValueRecord value);
  }

  /**
   * Walks over keys whose time is not up, in their unsigned order.
   *
   * @param from the first, inclusive; empty: from the very first on
   * @param to the end, exclusive; empty: to the very last
   */
  public void range(byte[] from, byte[] to, Visitor visitor) {
    byte[] first = Spaces.user(from);
    try (Cursor rows = Layers.rows(newestFirst, base.view(), first, Spaces.userEnd(to))) {
      boolean goesOn = true;
      while (goesOn && rows.next()) {
        ValueRecord value = ValueRecord.decode(rows.value());
        if (!value.isOver(applied.timeMillis())) {
          goesOn = visitor.visit(Spaces.userKey(rows.key()), value);
        }
      }
    }
  }

  @Override
  public void close() {
    base.release();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A state at one applied index, however many keys are asked for and whatever is applied, flushed or
 * installed meanwhile. For one thread, any; what takes long (the disk, to bring changes in memory
 * into their order) is done there. To be closed.
 */
public final class View implements AutoCloseable {
  private final List<Table> newestFirst;
  private final Database.View base;
  private final Applied applied;

  View(List<Table> newestFirst, Database.View base, Applied applied) {
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
    return stored(key).filter(value -> !value.isOver(applied.timeMillis()));
  }

  /** What stands under a key, its time up or not. */
  public Optional<ValueRecord> stored(byte[] key) {
    byte[] found = Layers.get(newestFirst, base, Spaces.user(key));
    return Optional.ofNullable(found).map(ValueRecord::decode);
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
    scan(
        from,
        to,
        Integer.MAX_VALUE,
        (key, value) -> value.isOver(applied.timeMillis()) || visitor.visit(key, value));
  }

  /**
   * Walks over keys, those whose time is up too; as {@link #range}.
   *
   * @param keysMax how many at most, 1 or more
   * @return the first key of the range that was not visited, if there is one
   */
  public Optional<byte[]> scan(byte[] from, byte[] to, int keysMax, Visitor visitor) {
    return scan(
        (first, end) -> Layers.rows(newestFirst, base, first, end), from, to, keysMax, visitor);
  }

  /** The rows of a range. */
  interface Rows {
    Cursor of(byte[] from, byte[] to);
  }

  static Optional<byte[]> scan(Rows all, byte[] from, byte[] to, int keysMax, Visitor visitor) {
    if (keysMax < 1) {
      throw new IllegalArgumentException("keysMax must be 1 or more: " + keysMax);
    }
    if (to.length > 0 && Arrays.compareUnsigned(from, to) >= 0) {
      return Optional.empty();
    }
    try (Cursor rows = all.of(Spaces.user(from), Spaces.userEnd(to))) {
      boolean goesOn = true;
      for (int visited = 0; rows.next(); visited++) {
        byte[] key = Spaces.userKey(rows.key());
        if (!goesOn || visited == keysMax) {
          return Optional.of(key);
        }
        goesOn = visitor.visit(key, ValueRecord.decode(rows.value()));
      }
    }
    return Optional.empty();
  }

  @Override
  public void close() {
    base.close();
  }
}

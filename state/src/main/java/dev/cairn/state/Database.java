// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.util.function.Supplier;

/**
 * Where a state is written behind: rows by keys, on disk.
 *
 * <p>Threads: {@link #write}, {@link #sync}, {@link #copy} and {@link #install} by one at a time;
 * the views by any.
 *
 * <p>What an implementation owes:
 *
 * <ol>
 *   <li>A batch is there whole or not at all, its row too. After a crash what was synced is there,
 *       and of the batches behind it some of the oldest.
 *   <li>A copy is put in place whole or not at all, and is durable when {@link #install} returns.
 *   <li>A snapshot stays as it was, whatever is written or installed; a live view until an install.
 *   <li>A read that fails throws {@link StateException}; it is never "no such row".
 * </ol>
 */
public interface Database extends AutoCloseable {
  /**
   * What is written together.
   *
   * @param clear whether all user data goes first: the spaces of {@link Spaces#isCleared}
   * @param rows what is put and removed then, each key once; may be asked for more than once
   * @param applied which state that is
   */
  record Batch(boolean clear, Supplier<Cursor> rows, Applied applied) {}

  /** Rows as they can be read. Threads: any. */
  interface View extends AutoCloseable {
    /** What stands in a row; null for nothing. */
    byte[] get(byte[] key);

    /** The rows from a key on, to another, which is not among them; as they are now. */
    Cursor rows(byte[] from, byte[] to);

    /** Which state it is. */
    Applied applied();

    @Override
    void close();
  }

  /** All rows, each time as they were written last; nothing of a copy that is installed later. */
  interface Live extends View {
    /** What {@link #known} gives for a row that certainly is not there. */
    byte[] ABSENT = {};

    /**
     * What stands in a row, if that can be told without waiting for the disk: null if not, {@link
     * #ABSENT} for nothing.
     */
    default byte[] known(byte[] key) {
      return null;
    }

    /** The rows as they are now, whatever is written later. To be closed. */
    View snapshot();
  }

  /** All rows at one moment, as they can be brought to another node. */
  interface Copy {
    /** Which state it is. */
    Applied applied();
  }

  /** Writes a batch; it is not durable yet. */
  void write(Batch batch);

  /** All that was written is durable when this returns. */
  void sync();

  /** All rows of what is there now, until a copy takes its place. To be closed. */
  Live view();

  /** A copy of all that is durable. */
  Copy copy();

  /** Puts a copy in the place of everything. */
  void install(Copy copy);

  @Override
  void close();
}

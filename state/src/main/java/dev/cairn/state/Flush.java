// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.util.List;
import java.util.function.Consumer;

/**
 * Writes what was applied up to a moment into the database. Each table is a batch with the row of
 * its own state, the oldest first, and then all is synced: wherever that is cut off, what is there
 * is a state that was.
 *
 * <p>Threads: {@link #step} by one thread, any; {@link #end} by the state's owner, after it.
 */
public final class Flush {
  private final Writer writer;
  private final long generation;
  private final List<Layers.Frozen> tables;
  private final Consumer<Flush> end;
  private int written;
  private boolean synced;
  private boolean overtaken;

  Flush(Writer writer, long generation, List<Layers.Frozen> tables, Consumer<Flush> end) {
    this.writer = writer;
    this.generation = generation;
    this.tables = tables;
    this.end = end;
  }

  /** Does what is next on disk; false once nothing is left to do. */
  public boolean step() {
    if (isDone()) {
      return false;
    }
    if (written < tables.size()) {
      overtaken = !write(tables.get(written));
      written++;
    } else {
      overtaken = !writer.sync(generation);
      synced = !overtaken;
    }
    return !isDone();
  }

  private boolean write(Layers.Frozen frozen) {
    Table table = frozen.table();
    return writer.write(
        generation,
        new Database.Batch(
            table.isCleared(),
            () -> table.rows(Spaces.clearedFrom(), Spaces.end()),
            frozen.applied()));
  }

  private boolean isDone() {
    return synced || overtaken;
  }

  /** What was flushed goes from memory; whether it is durable, which an install may prevent. */
  public boolean end() {
    if (!isDone()) {
      throw new IllegalStateException("a flush was ended before it was done");
    }
    end.accept(this);
    return synced;
  }

  boolean isSynced() {
    return synced;
  }

  /** Which state it makes durable. */
  public Applied applied() {
    return tables.get(tables.size() - 1).applied();
  }

  long generation() {
    return generation;
  }
}

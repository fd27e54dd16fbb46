// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import dev.cairn.queues.TaskLoop;
import java.util.concurrent.Executor;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;

/**
 * One thread for the logs of all groups, and one fsync for all that they write while the disk is
 * busy with the last.
 *
 * <p>A group's log work is done on {@link #queue}. There it calls {@link #commit} and takes its
 * return for "on disk". What waits for the disk must not wait in turn, so commit lets the next
 * group's work go ahead, inside this call, as far as that group's own commit, and so on; the
 * innermost writes the rows of all, and each call returns to its group.
 *
 * <pre>
 *   group 1: commit ─ adds rows
 *     group 2: commit ─ adds rows
 *       group 3: commit ─ adds rows, nobody else waits: write, fsync
 *       group 3 acknowledges
 *     group 2 acknowledges
 *   group 1 acknowledges
 * </pre>
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>{@link #commit} returns when all its rows are durable, and throws in every other case: to
 *       all that shared the write, if that failed. Rows that could not be added whole are not
 *       written.
 *   <li>A group is in a nest once at most: its queue is one task at any moment.
 *   <li>A nest is {@link #GROUPS_MAX} groups deep at most. Once it has written, nobody else enters
 *       it: what its groups commit then, as they return, they write by themselves, so that those
 *       below are told soon.
 * </ol>
 */
final class GroupCommit implements AutoCloseable {
  /** Rows that are written before any other group's are added. */
  private static final long BATCH_BYTES = 1 << 20;

  private static final int GROUPS_MAX = 64;

  /** The nest that the current thread is in. */
  private static final ThreadLocal<Batch> NEST = new ThreadLocal<>();

  private final Writer writer;
  private final TaskLoop loop = new TaskLoop("log");

  /** What a commit writes. */
  interface Changes {
    void addTo(WriteBatch batch) throws RocksDBException;
  }

  /** Writes a batch and returns when it is durable. */
  interface Writer {
    void write(WriteBatch batch);
  }

  GroupCommit(Writer writer) {
    this.writer = writer;
  }

  /** Where groups do what ends in a {@link #commit}; each of their queues in its order. */
  Executor queue() {
    return loop;
  }

  /**
   * Writes rows and returns when they are durable: with those of other groups on the {@link
   * #queue}, by themselves on any other thread.
   */
  void commit(Changes changes) throws RocksDBException {
    Batch nest = NEST.get();
    if (!loop.isCurrent() || (nest != null && nest.ended)) {
      try (Batch alone = new Batch()) {
        alone.add(changes);
        alone.write(writer);
      }
    } else if (nest != null) {
      share(nest, changes);
    } else {
      try (Batch batch = new Batch()) {
        NEST.set(batch);
        share(batch, changes);
      } finally {
        NEST.remove();
      }
    }
  }

  private void share(Batch batch, Changes changes) throws RocksDBException {
    batch.add(changes);
    try {
      while (batch.takesMore() && loop.runNext()) {
        // whoever ran may have written the batch
      }
    } catch (RuntimeException | Error e) {
      batch.fail(e);
    }
    batch.write(writer);
  }

  /** Rows of one group or several, and what became of them. */
  private static final class Batch implements AutoCloseable {
    private final WriteBatch rows = new WriteBatch();
    private int groups;

    /** Nothing is added any more: {@code durable} or {@code failure} say why. */
    private boolean ended;

    private boolean durable;
    private Throwable failure;

    boolean takesMore() {
      return !ended && groups < GROUPS_MAX && rows.getDataSize() < BATCH_BYTES;
    }

    /** All rows of a change or none. */
    void add(Changes changes) throws RocksDBException {
      boolean added = false;
      rows.setSavePoint();
      try {
        changes.addTo(rows);
        groups++;
        added = true;
      } finally {
        if (!added) {
          rows.rollbackToSavePoint();
        }
      }
    }

    /** Writes, unless that was done; returns only if the rows are durable. */
    void write(Writer writer) {
      if (!ended) {
        ended = true;
        try {
          writer.write(rows);
          durable = true;
        } catch (Throwable e) { // nobody that shares it may take it for done
          failure = e;
        }
      }
      if (!durable) {
        throw failure instanceof RuntimeException known
            ? known
            : new IllegalStateException("the write-ahead log was not written: " + failure, failure);
      }
    }

    void fail(Throwable cause) {
      if (!ended) {
        ended = true;
        failure = cause;
      }
    }

    @Override
    public void close() {
      rows.close();
    }
  }

  /** Does what waits, and ends; does not wait for that. */
  @Override
  public void close() {
    loop.close();
  }
}

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
 *   <li>{@link #commit} returns when all its rows are durable, and else throws; then none of them
 *       is written, unless the writer failed.
 *   <li>A group is in a nest once at most: its queue is one task at any moment.
 * </ol>
 */
final class GroupCommit implements AutoCloseable {
  /** Rows that are written before any other group's are added. */
  private static final long BATCH_BYTES = 1 << 20;

  /** Groups of one write, as deep as their calls nest. */
  private static final int GROUPS_MAX = 64;

  /** What the calls that the current thread is in have added and not written. */
  private static final ThreadLocal<Batch> GATHERED = new ThreadLocal<>();

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

  /** Rows of several groups until they are written. */
  private static final class Batch {
    private final WriteBatch rows = new WriteBatch();
    private int groups;
    private boolean written;
    private RuntimeException failure;

    boolean takesMore() {
      return !written && groups < GROUPS_MAX && rows.getDataSize() < BATCH_BYTES;
    }
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
    boolean queued = loop.isCurrent();
    Batch batch = queued && GATHERED.get() != null ? GATHERED.get() : new Batch();
    add(batch, changes);
    if (queued) {
      GATHERED.set(batch);
      while (batch.takesMore() && loop.runNext()) {
        // whoever ran may have written the batch
      }
    }
    if (!batch.written) {
      GATHERED.remove();
      write(batch);
    }
    if (batch.failure != null) {
      throw batch.failure;
    }
  }

  private void add(Batch batch, Changes changes) throws RocksDBException {
    batch.rows.setSavePoint();
    try {
      changes.addTo(batch.rows);
      batch.groups++;
    } catch (RocksDBException | RuntimeException e) {
      batch.rows.rollbackToSavePoint();
      if (batch.groups == 0) {
        batch.rows.close();
      }
      throw e;
    }
  }

  private void write(Batch batch) {
    batch.written = true;
    try {
      writer.write(batch.rows);
    } catch (RuntimeException e) {
      batch.failure = e;
    } finally {
      batch.rows.close();
    }
  }

  /** Does what waits, and ends; does not wait for that. */
  @Override
  public void close() {
    loop.close();
  }
}

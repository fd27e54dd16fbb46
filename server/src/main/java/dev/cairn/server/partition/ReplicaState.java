// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.operation.Query;
import dev.cairn.server.peer.TaskLoop;
import dev.cairn.server.raft.GroupListener.Configuration;
import dev.cairn.server.raft.GroupListener.Entry;
import dev.cairn.server.storage.KeyRange;
import dev.cairn.server.storage.PartitionFolder;
import dev.cairn.server.storage.ScannedKey;
import dev.cairn.server.storage.StorageException;
import dev.cairn.server.storage.StoredKeys;
import dev.cairn.state.Applied;
import dev.cairn.state.Fetch;
import dev.cairn.state.Flush;
import dev.cairn.state.Install;
import dev.cairn.state.Look;
import dev.cairn.state.RequestIds;
import dev.cairn.state.State;
import dev.cairn.state.StateException;
import dev.cairn.state.ValueRecord;
import dev.cairn.state.View;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * The state of a replica for all threads of a node: a worker applies, event loops and readers
 * answer, another thread flushes. Whoever holds the lock is the state's owner.
 *
 * <pre>
 *   apply     what is cold is fetched without the lock; then the entry is applied under it
 *   answer    a loop: what memory knows, if the lock is free. A reader: a look at each key, or a
 *             view; the disk is read without the lock
 *   flush     begins and ends under the lock; what it writes and syncs is written without it
 * </pre>
 *
 * <p>The lock is held for the disk where an entry looks at keys that it does not name, which cannot
 * be fetched: a sweep, a range among writes. Loops then leave their reads to the readers.
 *
 * <p>Threads: any, but {@link #apply}, {@link #pass}, {@link #configure} and {@link #install} by
 * one at a time. {@code changing} is taken before {@code lock}. Invariants:
 *
 * <ol>
 *   <li>What came of an entry is told once it is applied whole, and without the lock.
 *   <li>Flushes and installs go one at a time. After one that failed nothing is applied and nothing
 *       flushed: the replica stops, and the log is kept from {@link #durableIndex} on.
 *   <li>{@link #applied} and {@link #durableIndex} are read without the lock, and are those of a
 *       moment when the state was whole.
 * </ol>
 */
final class ReplicaState implements AutoCloseable {
  /** A flush that ends voids what was fetched; flushes are rarer than that. */
  private static final int FETCHES_MAX = 4;

  /** How often an event loop tries the lock: about as long as an entry takes. */
  private static final int TRIES_MAX = 64;

  private final PartitionFolder folder;
  private final WriteMemory memory;
  private final ReentrantLock changing = new ReentrantLock();
  private final ReentrantLock lock = new ReentrantLock();
  private final State state; // guarded by lock, as the next two
  private final PartitionState partition;
  private boolean closed;
  private volatile Applied applied;
  private volatile long durableIndex;
  private volatile long heldBytes; // written under lock
  private volatile RuntimeException failure;

  /**
   * The state that a folder holds.
   *
   * @param folder is this one's from now on, and closed with it
   * @param memory of the node; this counts there until it is closed
   */
  ReplicaState(
      PartitionFolder folder, RequestIds.Bounds idBounds, KeyMetrics metrics, WriteMemory memory) {
    this.folder = folder;
    this.memory = memory;
    try {
      this.state = State.open(folder, new SecureRandom().nextLong(), idBounds);
    } catch (StateException e) {
      StorageException damage = folder.damaged(e);
      folder.close();
      throw damage;
    } catch (StorageException e) {
      folder.close();
      throw e;
    }
    this.partition = new PartitionState(state, metrics);
    memory.add(this);
    published(publish());
  }

  /** The files: snapshots' meta, copies that come and go. */
  PartitionFolder folder() {
    return folder;
  }

  // ---- How far it is ----

  /** What was applied. */
  Applied applied() {
    return applied;
  }

  /** Up to which entry the state is durable without the log. */
  long durableIndex() {
    return durableIndex;
  }

  /** What is in memory since it is not flushed, in bytes. */
  long heldBytes() {
    return heldBytes;
  }

  /** Makes visible what the state is now; by how much more is held. Under the lock. */
  private long publish() {
    applied = state.applied();
    durableIndex = state.durableIndex();
    long before = heldBytes;
    heldBytes = state.unflushedBytes();
    return heldBytes - before;
  }

  /** Tells the node's memory; without the lock, since that may begin a flush. */
  private void published(long moreBytes) {
    if (moreBytes != 0) {
      memory.changed(moreBytes);
    }
  }

  /** Changes the state as its owner. */
  private <T> T own(Supplier<T> change) {
    long more;
    T result;
    lock.lock();
    try {
      if (closed) {
        throw new IllegalStateException("the replica's state is closed");
      }
      result = change.get();
      more = publish();
    } catch (StateException e) {
      throw folder.damaged(e);
    } finally {
      lock.unlock();
    }
    published(more);
    return result;
  }

  private void own(Runnable change) {
    own(
        () -> {
          change.run();
          return null;
        });
  }

  /** Has the lock soon or not at all. */
  private boolean tryLock() {
    for (int i = 0; i < TRIES_MAX; i++) {
      if (lock.tryLock()) {
        return true;
      }
      Thread.onSpinWait();
    }
    return false;
  }

  // ---- Applying ----

  /**
   * Applies an entry. May wait: for what is cold, and for room in memory.
   *
   * @return what came of it, to be told by the caller; nothing for an entry that is skipped
   * @throws IOException for bytes that are no entry
   */
  List<PartitionState.Outcome> apply(Entry entry) throws IOException {
    if (memory.isFull()) {
      TaskLoop.willBlock();
      memory.awaitRoom();
    }
    requireSound(); // behind it: a flush may have failed meanwhile
    PartitionState.Batch batch = PartitionState.read(List.of(entry));
    try {
      if (batch.walks()) {
        TaskLoop.willBlock();
      } else {
        fetch(batch);
      }
      return own(() -> partition.apply(batch));
    } catch (StateException e) { // of what was fetched
      letGo(batch);
      throw folder.damaged(e);
    } catch (RuntimeException e) {
      letGo(batch);
      throw e;
    }
  }

  private void fetch(PartitionState.Batch batch) {
    for (int i = 0; i < FETCHES_MAX; i++) {
      Optional<Fetch> fetch = own(() -> partition.fetch(batch));
      if (fetch.isEmpty()) {
        return;
      }
      TaskLoop.willBlock();
      fetch.get().run();
      own(() -> fetch.get().end());
    }
  }

  /** What was fetched keeps the database open. */
  private void letGo(PartitionState.Batch batch) {
    lock.lock();
    try {
      batch.letGo();
    } finally {
      lock.unlock();
    }
  }

  /** An entry that changes no data. */
  void pass(long index, long term) {
    requireSound();
    own(() -> state.pass(index, term));
  }

  /** An entry that says who belongs to the group. */
  void configure(Configuration configuration) {
    requireSound();
    byte[] row = ConfigurationRow.of(configuration).encode();
    own(() -> state.configure(configuration.index(), configuration.term(), row));
  }

  /** The voters by the last entry that named any; empty before the first. */
  List<String> voters() {
    return ConfigurationRow.decode(applied.configuration()).voters();
  }

  private void requireSound() {
    RuntimeException cause = failure;
    if (cause != null) {
      throw new IllegalStateException("what was applied could not be put on disk", cause);
    }
  }

  // ---- Reading ----

  /** As {@link PartitionState#answerFromMemory}; also empty while somebody else owns the state. */
  Optional<BatchReply> answerFromMemory(
      List<List<Query>> requests, long nowMillis, KeyMetrics metrics) {
    if (!tryLock()) {
      return Optional.empty();
    }
    try {
      return closed ? Optional.empty() : partition.answerFromMemory(requests, nowMillis, metrics);
    } catch (StateException e) {
      throw folder.damaged(e);
    } finally {
      lock.unlock();
    }
  }

  /** Answers requests from what was applied, as {@link ReadView#answer}; may wait. */
  Optional<BatchReply> answer(
      List<List<Query>> requests, long nowMillis, long ageMillis, KeyMetrics metrics) {
    try {
      return answerNow(requests, nowMillis, ageMillis, metrics);
    } catch (StateException e) {
      throw folder.damaged(e);
    }
  }

  private Optional<BatchReply> answerNow(
      List<List<Query>> requests, long nowMillis, long ageMillis, KeyMetrics metrics) {
    if (!ReadView.lookOnce(requests)) {
      try (View view = view()) {
        return PartitionState.answer(view, requests, nowMillis, ageMillis, metrics);
      }
    }
    // The time is taken first: what is found then is as of that time or later.
    Applied before = applied;
    ReadView view = new ReadView(new Looks(), before.timeMillis(), nowMillis, before.keys());
    // And the index last: it covers all that was found.
    return ReadView.answer(view, requests, () -> applied.index(), ageMillis, metrics);
  }

  /** Each key as it stands when it is looked at. */
  private final class Looks implements StoredKeys {
    @Override
    public Optional<ValueRecord> get(byte[] key) {
      Look look = own(() -> state.look(key));
      return look.get();
    }

    @Override
    public Optional<byte[]> scan(KeyRange range, int keysMax, ScannedKey.Visitor visitor) {
      try (View view = view()) {
        return PartitionState.keys(view).scan(range, keysMax, visitor);
      }
    }
  }

  /** All as it is now. To be closed. */
  View view() {
    return own(state::view);
  }

  /** False when certainly no key expires at that time or before. Never waits. */
  boolean mayExpire(long untilMillis) {
    if (!tryLock()) {
      return true;
    }
    try {
      return !closed && state.mayExpire(untilMillis);
    } finally {
      lock.unlock();
    }
  }

  /** Whether a key expires at that time or before; may wait. */
  boolean anyExpires(long untilMillis) {
    return own(() -> state.anyExpires(untilMillis));
  }

  // ---- On disk ----

  /** Whether a flush could make less be held. */
  boolean canFlush() {
    return failure == null && durableIndex < applied.index();
  }

  /** As {@link #flush}; a failure is kept, and stops the replica when it applies next. */
  void tryFlush() {
    try {
      flush();
    } catch (RuntimeException e) {
      failed(e);
    }
  }

  /** Puts all that was applied on disk, and waits for it; the index that is durable now. */
  long flush() {
    changing.lock();
    try {
      requireSound();
      Optional<Flush> begun = own(state::beginFlush);
      if (begun.isPresent()) {
        write(begun.get());
        own(begun.get()::end);
      }
      return durableIndex;
    } catch (RuntimeException e) {
      failed(e);
      throw e;
    } finally {
      changing.unlock();
    }
  }

  private static void write(Flush flush) {
    boolean more = true;
    while (more) {
      more = flush.step();
    }
  }

  private void failed(RuntimeException cause) {
    if (failure == null) {
      failure = cause;
    }
  }

  /** Puts a copy in the place of all, or throws; waits for the disk. */
  void install(PartitionFolder.Received copy) {
    changing.lock();
    try {
      requireSound();
      Install install = own(() -> state.beginInstall(copy));
      try {
        install.carryOut();
      } finally {
        own(install::end);
      }
    } finally {
      changing.unlock();
    }
  }

  /**
   * A copy of all that was applied when this began, or more, in a folder of {@link
   * PartitionFolder#checkpoint}; waits for the disk.
   */
  Path checkpoint() {
    flush();
    return folder.checkpoint();
  }

  /**
   * Puts on disk what was applied, if that can be, and lets go of all. A flush that runs is waited
   * for.
   */
  @Override
  public void close() {
    changing.lock();
    try {
      if (canFlush()) {
        tryFlush();
      }
      lock.lock();
      try {
        if (closed) {
          return;
        }
        closed = true;
      } finally {
        lock.unlock();
      }
      state.close(); // without the lock: it waits for those who need that to let go
    } finally {
      changing.unlock();
    }
    memory.remove(this, heldBytes);
  }
}

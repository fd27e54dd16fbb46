// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import java.util.Comparator;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/**
 * What the replicas of a node hold in memory since it is not flushed, all together: it is bounded,
 * and flushes begin before that bound is met.
 *
 * <p>Past half of the bound the replica that holds the most is flushed, one at a time, until less
 * is held. At the bound whoever applies waits, as long as a flush is under way. Then proposals of a
 * leader end late, its queue fills, and clients meet the queue's own bound; a follower lags. So
 * memory holds at most the bound, and one entry of each replica more.
 *
 * <p>Threads: any; flushes run on the executor's. Invariants:
 *
 * <ol>
 *   <li>{@code held} is the sum of what the replicas that are here told last.
 *   <li>Nobody waits unless a flush is to end: one that failed is not tried again ({@link
 *       ReplicaState}), and its replica applies nothing more.
 * </ol>
 */
final class WriteMemory {
  private final long bytesMax;
  private final Executor flushers;
  private final Set<ReplicaState> replicas = ConcurrentHashMap.newKeySet();
  private long held; // guarded by this, as all below
  private boolean flushing;
  private int waiting;

  /**
   * Memory of which nothing is held.
   *
   * @param flushers where a flush may wait for the disk
   */
  WriteMemory(long bytesMax, Executor flushers) {
    this.bytesMax = bytesMax;
    this.flushers = flushers;
  }

  void add(ReplicaState replica) {
    replicas.add(replica);
  }

  /** A replica holds nothing any more. */
  void remove(ReplicaState replica, long heldBytes) {
    replicas.remove(replica);
    changed(-heldBytes);
  }

  /** A replica holds more, or less. */
  void changed(long bytes) {
    boolean begin;
    synchronized (this) {
      held += bytes;
      begin = !flushing && held > bytesMax / 2;
      flushing |= begin;
      notifyAll();
    }
    if (begin) {
      beginFlush();
    }
  }

  private void beginFlush() {
    Optional<ReplicaState> fullest =
        replicas.stream()
            .filter(ReplicaState::canFlush)
            .max(Comparator.comparingLong(ReplicaState::heldBytes));
    try {
      if (fullest.isPresent()) {
        flushers.execute(() -> flush(fullest.get()));
        return;
      }
    } catch (RejectedExecutionException stopping) {
      // Then nobody is to wait for it.
    }
    endFlush();
  }

  private void flush(ReplicaState fullest) {
    try {
      fullest.tryFlush();
    } finally {
      endFlush();
      changed(0); // more may be held still
    }
  }

  private synchronized void endFlush() {
    flushing = false;
    notifyAll();
  }

  /** What is held, in bytes. */
  synchronized long heldBytes() {
    return held;
  }

  /** Whether whoever applies is to wait. */
  synchronized boolean isFull() {
    return held >= bytesMax && flushing;
  }

  /** How many wait for room. */
  synchronized int waiting() {
    return waiting;
  }

  /** Waits until there is room, or no flush will make any; an interrupt is kept for later. */
  synchronized void awaitRoom() {
    boolean interrupted = false;
    waiting++;
    while (isFull()) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    waiting--;
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}

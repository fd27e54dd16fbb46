// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.server.raft.NodeLog;
import dev.cairn.server.storage.Generation;
import dev.cairn.server.storage.StorageEngine;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads what lies on disk and is rarely asked for, log and data, and checks it: damage that nobody
 * looks at would otherwise be found on the day on which the other copy is gone.
 *
 * <p>One thread, at a bounded rate, pass after pass; the first at once, and a database that is
 * opened later soon after, so that a node is checked however often it is restarted. Whoever finds
 * damage latches and tells it: the log the node, a database its replica.
 */
final class Scrub implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Scrub.class);

  private static final long LOOK_EVERY_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Pace pace;
  private final long pauseNanos;
  private final NodeLog nodeLog;
  private final StorageEngine storage;
  private final Thread thread;
  private volatile boolean stopped;

  /**
   * How fast.
   *
   * @param bytesPerSecond on average, a file at a time; 0 for no scrub
   * @param pauseMillis from the end of a pass to the next
   */
  record Pace(long bytesPerSecond, long pauseMillis) {
    static final Pace NONE = new Pace(0, 0);
  }

  private Scrub(Pace pace, NodeLog nodeLog, StorageEngine storage) {
    this.pace = pace;
    pauseNanos = TimeUnit.MILLISECONDS.toNanos(pace.pauseMillis());
    this.nodeLog = nodeLog;
    this.storage = storage;
    thread = new Thread(this::run, "scrub");
    thread.setDaemon(true);
  }

  /** Begins, unless the pace is {@link Pace#NONE}. */
  static Scrub start(Pace pace, NodeLog nodeLog, StorageEngine storage) {
    Scrub scrub = new Scrub(pace, nodeLog, storage);
    if (pace.bytesPerSecond() > 0) {
      scrub.thread.start();
    }
    return scrub;
  }

  private void run() {
    Set<Generation> checked = Collections.newSetFromMap(new IdentityHashMap<>());
    long passEnded = System.nanoTime();
    boolean first = true;
    while (!stopped) {
      try {
        if (first || System.nanoTime() - passEnded >= pauseNanos) {
          first = false;
          checked.clear();
          nodeLog.verify(this::rest);
          check(checked);
          passEnded = System.nanoTime();
        }
        check(checked); // what was opened since
      } catch (RuntimeException e) {
        passEnded = System.nanoTime();
        log.error("the scrub's pass failed; the next one tries again", e);
      }
      pause(Math.min(pauseNanos, LOOK_EVERY_NANOS));
    }
  }

  /** All databases that are not among those that this pass has checked. */
  private void check(Set<Generation> checked) {
    Collection<Generation> open = storage.generations();
    checked.retainAll(open);
    for (Generation generation : open) {
      if (!stopped && checked.add(generation)) {
        generation.verify(this::rest);
      }
    }
  }

  /** Waits as long as so much may take; false once this is closed. */
  private boolean rest(long bytes) {
    pause((long) (bytes * 1e9 / pace.bytesPerSecond()));
    return !stopped;
  }

  private void pause(long nanos) {
    long end = System.nanoTime() + nanos;
    for (long left = nanos; left > 0 && !stopped; left = end - System.nanoTime()) {
      LockSupport.parkNanos(this, left);
    }
  }

  /** Ends the pass after what is read at the moment, and waits for it. */
  @Override
  public void close() {
    stopped = true;
    LockSupport.unpark(thread);
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}

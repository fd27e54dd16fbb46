// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A thread that deals with messages of some streams, in their order. It is woken only when it
 * sleeps, so a burst costs one wake-up.
 *
 * <p>Why not on the connection's loop: a Raft group's lock is held while its vote is being fsynced,
 * and heartbeats of other groups must not wait for that disk. What is queued is bounded by what
 * peers may have under way.
 */
final class Worker implements Executor, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Worker.class);

  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final AtomicInteger waiting = new AtomicInteger();
  private final Thread thread;
  private volatile boolean closed;

  Worker(String name) {
    thread = new Thread(this::run, name);
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void execute(Runnable task) {
    tasks.add(task);
    if (waiting.getAndIncrement() == 0) {
      LockSupport.unpark(thread);
    }
    if (closed && !thread.isAlive()) {
      runWaiting();
    }
  }

  private void run() {
    while (!closed) {
      runWaiting();
      if (waiting.get() == 0 && !closed) {
        LockSupport.park(this);
      } else {
        Thread.onSpinWait(); // between the two steps of execute
      }
    }
    runWaiting();
  }

  private void runWaiting() {
    for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
      try {
        task.run();
      } catch (RuntimeException | AssertionError e) {
        log.error("a message could not be dealt with: report this as a bug", e);
      }
      waiting.decrementAndGet();
    }
  }

  /** Deals with what is queued, and ends. What comes later is dealt with by whoever brings it. */
  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
  }
}

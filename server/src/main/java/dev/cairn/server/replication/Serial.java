// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Executor;

/**
 * Runs tasks one after the other, in the order in which they came, on an executor that keeps no
 * order where a task waits for a disk.
 *
 * <p>Thread-safe. Invariant: at most one task is with the executor or runs.
 */
final class Serial implements Executor {
  private final Executor executor;
  private final Deque<Runnable> waiting = new ArrayDeque<>(); // guarded by this
  private boolean running; // guarded by this

  Serial(Executor executor) {
    this.executor = executor;
  }

  @Override
  public void execute(Runnable task) {
    synchronized (this) {
      waiting.addLast(task);
      if (running) {
        return;
      }
      running = true;
    }
    executor.execute(this::runNext);
  }

  private void runNext() {
    Runnable task;
    synchronized (this) {
      task = waiting.pollFirst();
    }
    try {
      task.run();
    } finally {
      boolean more;
      synchronized (this) {
        more = !waiting.isEmpty();
        running = more;
      }
      if (more) {
        executor.execute(this::runNext);
      }
    }
  }
}

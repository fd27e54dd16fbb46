// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import io.netty.channel.EventLoop;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * The loop that reads and writes the connections to other nodes, for whoever decides there what is
 * sent.
 *
 * <p>Thread-safe. Tasks run one at a time, in the order in which they came; none may block. After
 * {@link #end} they are dropped, whether the loop itself goes on for others or not.
 */
public final class PeerLoop implements Executor {
  private final EventLoop loop;
  private volatile boolean ended; // written by the loop

  PeerLoop(EventLoop loop) {
    this.loop = loop;
  }

  /** Whether the current thread is the loop's. */
  public boolean isCurrent() {
    return loop.inEventLoop();
  }

  @Override
  public void execute(Runnable task) {
    try {
      loop.execute(() -> runUnlessEnded(task));
    } catch (RejectedExecutionException stopped) {
      dropped();
    }
  }

  /** Runs a task later. */
  public void after(long millis, Runnable task) {
    afterNanos(TimeUnit.MILLISECONDS.toNanos(millis), task);
  }

  /**
   * Runs a task later.
   *
   * @return false when it never will
   */
  boolean afterNanos(long nanos, Runnable task) {
    if (ended) {
      return false;
    }
    try {
      loop.schedule(() -> runUnlessEnded(task), nanos, TimeUnit.NANOSECONDS);
      return true;
    } catch (RejectedExecutionException stopped) {
      return false;
    }
  }

  private void runUnlessEnded(Runnable task) {
    if (!ended) {
      task.run();
    }
  }

  /** Runs no task any more, and waits for the one that runs. */
  void end() {
    CurrentLoop.willWait();
    try {
      loop.submit(() -> ended = true).syncUninterruptibly();
    } catch (RejectedExecutionException stopped) {
      dropped();
    }
  }

  private static void dropped() {
    // The connections are closed: nothing that is decided now leaves this node.
  }
}

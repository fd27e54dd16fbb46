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
 * the loop has ended they are dropped.
 */
public final class PeerLoop implements Executor {
  private final EventLoop loop;

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
      loop.execute(task);
    } catch (RejectedExecutionException ended) {
      dropped();
    }
  }

  /** Runs a task later. */
  public void after(long millis, Runnable task) {
    try {
      loop.schedule(task, millis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException ended) {
      dropped();
    }
  }

  private static void dropped() {
    // The connections are closed: nothing that is decided now leaves this node.
  }
}

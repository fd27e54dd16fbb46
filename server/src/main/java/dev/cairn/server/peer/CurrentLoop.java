// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.FastThreadLocal;
import java.util.concurrent.RejectedExecutionException;

/**
 * The event loop that the current thread runs, for whoever has something to do at the end of its
 * round, and for whoever must not wait on it.
 *
 * <p>Threads: any.
 */
public final class CurrentLoop {
  private static final FastThreadLocal<EventLoop> LOOP = new FastThreadLocal<>();

  private CurrentLoop() {}

  /** Makes the loops of a group known to their threads; each from a moment later on. */
  public static void know(EventLoopGroup loops) {
    for (EventExecutor executor : loops) {
      executor.execute(() -> LOOP.set((EventLoop) executor));
    }
  }

  /**
   * Runs something once the current loop has dealt with all that it has read and been told so far,
   * so that what one round of the loop brings is dealt with together. What leaves over the loop's
   * own connections leaves no later for it; what goes to another thread waits for the end of the
   * round. At once on a thread that is no such loop, and on a loop that is stopping.
   *
   * @param task runs exactly once; must not block
   */
  public static void afterRound(Runnable task) {
    EventLoop loop = LOOP.getIfExists();
    if (loop == null || loop.isShuttingDown()) {
      task.run();
      return;
    }
    try {
      loop.execute(task);
    } catch (RejectedExecutionException stopped) {
      task.run();
    }
  }

  /**
   * To be called before waiting for another thread, for what must not be on a loop: there it may
   * wait for what the loop itself has to do, and all connections of the loop wait with it.
   *
   * @throws IllegalStateException on such a loop
   */
  public static void willWait() {
    if (LOOP.getIfExists() != null) {
      throw new IllegalStateException("an event loop must not wait for another thread");
    }
  }
}

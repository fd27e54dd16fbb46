// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/**
 * Event loops and their threads: those of a node serve its clients, other nodes and its shard, so
 * what one of them asks of another needs no other thread (docs/design/decisions/0035).
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>Whoever made loops closes them, after all that uses them. Nobody else does.
 *   <li>They are NIO's, and know themselves ({@link CurrentLoop}). Netty's native epoll (4.2.18 and
 *       4.2.20) closes a half-closed connection whose interest was empty for a moment: it removes
 *       the socket from epoll and later modifies it as if it were there ({@code epoll_ctl ...
 *       ENOENT}). {@code printf ... | socat} would lose replies.
 * </ol>
 *
 * <p>Thread-safe.
 */
public final class EventLoops implements AutoCloseable {
  private static final long STOP_MILLIS = 2_000;

  private final Collection<Thread> threads = new CopyOnWriteArrayList<>();
  private final int count;
  private final EventLoopGroup group;

  /** Makes the loops' threads, and says which they are. */
  private static final class LoopThreads extends DefaultThreadFactory {
    private final Collection<Thread> made;

    LoopThreads(String name, Collection<Thread> made) {
      super(name, true);
      this.made = made;
    }

    @Override
    protected Thread newThread(Runnable task, String name) {
      Thread thread = super.newThread(task, name);
      made.add(thread);
      return thread;
    }
  }

  private EventLoops(int count) {
    this.count = count;
    this.group =
        new MultiThreadIoEventLoopGroup(
            count, new LoopThreads("loop", threads), NioIoHandler.newFactory());
    CurrentLoop.know(group);
  }

  /**
   * Makes loops.
   *
   * @param count how many, at least one; each has a thread
   */
  public static EventLoops shared(int count) {
    return new EventLoops(count);
  }

  /** The loops, as Netty knows them. */
  public EventLoopGroup group() {
    return group;
  }

  /** The threads that run them, once they have begun. */
  public Collection<Thread> threads() {
    return List.copyOf(threads);
  }

  /** How many there are. */
  public int count() {
    return count;
  }

  /**
   * Waits until each has dealt with what it was given so far, and has looked at its channels since:
   * only then the ports of those that were closed are free.
   */
  void settle() {
    CurrentLoop.willWait();
    for (EventExecutor each : group) {
      if (!each.isShuttingDown()) {
        // A task of its own time runs in a later round than what came before; between them is a
        // look.
        each.schedule(() -> {}, 1, TimeUnit.MILLISECONDS).syncUninterruptibly();
      }
    }
  }

  /** Ends them, and waits for it. Channels that are left are closed. */
  @Override
  public void close() {
    CurrentLoop.willWait();
    group.shutdownGracefully(0, STOP_MILLIS, TimeUnit.MILLISECONDS).syncUninterruptibly();
  }
}

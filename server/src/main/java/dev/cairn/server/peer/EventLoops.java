// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/**
 * Event loops, their threads, and the kind of sockets that they serve.
 *
 * <p>Connections to other nodes have loops of their own, and so has each client port. Where
 * clients, other nodes and the shard share loops ({@link #shared}), what one of them asks of
 * another needs no other thread (docs/design/decisions/0035).
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>Whoever made loops closes them, after all that uses them. Nobody else does.
 *   <li>Loops that serve clients are NIO's, and are lent ({@link CurrentLoop}). Netty's native
 *       epoll (4.2.18 and 4.2.20) closes a half-closed connection whose interest was empty for a
 *       moment: it removes the socket from epoll and later modifies it as if it were there ({@code
 *       epoll_ctl ... ENOENT}). {@code printf ... | socat} would lose replies.
 * </ol>
 *
 * <p>Thread-safe.
 */
public final class EventLoops implements AutoCloseable {
  private static final long STOP_MILLIS = 2_000;

  private final Collection<Thread> threads = new CopyOnWriteArrayList<>();
  private final int count;
  private final EventLoopGroup group;
  private final Class<? extends Channel> connecting;
  private final Class<? extends ServerChannel> listening;

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

  private EventLoops(
      String name,
      int count,
      IoHandlerFactory handlers,
      Class<? extends Channel> connecting,
      Class<? extends ServerChannel> listening) {
    this.count = count;
    this.group = new MultiThreadIoEventLoopGroup(count, new LoopThreads(name, threads), handlers);
    this.connecting = connecting;
    this.listening = listening;
  }

  /**
   * A loop for connections to other nodes alone: on epoll where there is one, since a loop that is
   * woken for nearly every message should be woken cheaply.
   */
  static EventLoops ofPeers() {
    String name = "peer-loop";
    return Epoll.isAvailable()
        ? new EventLoops(
            name,
            1,
            EpollIoHandler.newFactory(),
            EpollSocketChannel.class,
            EpollServerSocketChannel.class)
        : nio(name, 1);
  }

  /**
   * Loops for a client port alone.
   *
   * @param name what their threads are called
   */
  public static EventLoops ofClients(String name, int count) {
    EventLoops loops = nio(name, count);
    CurrentLoop.lend(loops.group);
    return loops;
  }

  /** Loops for all connections of a node, and for its shards. */
  public static EventLoops shared(int count) {
    return ofClients("loop", count);
  }

  private static EventLoops nio(String name, int count) {
    return new EventLoops(
        name,
        count,
        NioIoHandler.newFactory(),
        NioSocketChannel.class,
        NioServerSocketChannel.class);
  }

  /** The loops, as Netty knows them. */
  public EventLoopGroup group() {
    return group;
  }

  /** The kind of channel that listens on them. */
  public Class<? extends ServerChannel> listening() {
    return listening;
  }

  /** The kind of channel that connects from them. */
  Class<? extends Channel> connecting() {
    return connecting;
  }

  /** The threads that run them, once they have begun. */
  public Collection<Thread> threads() {
    return List.copyOf(threads);
  }

  /** How many there are. */
  public int count() {
    return count;
  }

  boolean has(EventLoop loop) {
    for (EventExecutor each : group) {
      if (each == loop) {
        return true;
      }
    }
    return false;
  }

  /** Waits until each has dealt with what it was given so far. */
  void settle() {
    CurrentLoop.willWait();
    for (EventExecutor each : group) {
      if (!each.isShuttingDown()) {
        each.submit(() -> {}).syncUninterruptibly();
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

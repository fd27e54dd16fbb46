// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server;

import dev.cairn.server.peer.CurrentLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.util.concurrent.TimeUnit;

/** An event loop as a client's port has them, for tests of what waits for the end of its rounds. */
public final class LentLoop implements AutoCloseable {
  private final EventLoopGroup loops =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());

  /** Starts it. */
  public LentLoop() {
    CurrentLoop.know(loops);
    run(() -> {}); // it is known from a moment later on
  }

  /** Runs something on the loop, waits for it, and throws what it throws. */
  public void run(Runnable task) {
    loops.submit(task).syncUninterruptibly();
  }

  @Override
  public void close() {
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
  }
}

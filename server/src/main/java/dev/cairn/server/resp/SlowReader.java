// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Closes a connection whose client takes nothing for too long while replies pile up. What it took
 * is what was written less what is unsent: what is unsent alone may grow while a client reads.
 *
 * <p>Threads: the connection's event loop.
 */
final class SlowReader {
  /** How long it may take nothing while answers fill the node's memory. */
  private static final long PATIENCE_WHEN_FULL_MILLIS = 1_000;

  private static final Logger log = LoggerFactory.getLogger(SlowReader.class);

  private final ChannelHandlerContext context;
  private final long patienceMillis;
  private final BooleanSupplier memoryFull;
  private final LongSupplier writtenBytes;
  private boolean watched;

  /**
   * Creates the watch of one connection, which sleeps.
   *
   * @param patienceMillis how long its client may take nothing
   * @param memoryFull whether answers fill the node's memory
   * @param writtenBytes what was written to the connection since it opened
   */
  SlowReader(
      ChannelHandlerContext context,
      long patienceMillis,
      BooleanSupplier memoryFull,
      LongSupplier writtenBytes) {
    this.context = context;
    this.patienceMillis = patienceMillis;
    this.memoryFull = memoryFull;
    this.writtenBytes = writtenBytes;
  }

  /** Watches until all replies fit again: to be called when they do not. */
  void watch() {
    if (!watched) {
      watched = true;
      check(takenBytes() - 1, System.nanoTime()); // its time begins now
    }
  }

  private void check(long takenBefore, long tookNanos) {
    if (!context.channel().isActive() || context.channel().isWritable()) {
      watched = false;
      return;
    }
    long taken = takenBytes();
    long now = System.nanoTime();
    long lastNanos = taken > takenBefore ? now : tookNanos;
    long patience =
        memoryFull.getAsBoolean()
            ? Math.min(PATIENCE_WHEN_FULL_MILLIS, patienceMillis)
            : patienceMillis;
    if (now - lastNanos >= TimeUnit.MILLISECONDS.toNanos(patience)) {
      log.debug("connection closed, its client reads nothing: {}", context.channel());
      context.close();
      return;
    }
    context
        .executor()
        .schedule(
            () -> check(Math.max(taken, takenBefore), lastNanos),
            Math.min(PATIENCE_WHEN_FULL_MILLIS, patience),
            TimeUnit.MILLISECONDS);
  }

  private long takenBytes() {
    return writtenBytes.getAsLong() - unsentBytes();
  }

  /** What was written to the connection and has not left; 0 once it is closed. */
  long unsentBytes() {
    return unsentBytes(context.channel());
  }

  /** The same of any connection, on any thread. */
  static long unsentBytes(Channel channel) {
    ChannelOutboundBuffer unsent = channel.unsafe().outboundBuffer();
    return unsent == null ? 0 : unsent.totalPendingWriteBytes();
  }
}

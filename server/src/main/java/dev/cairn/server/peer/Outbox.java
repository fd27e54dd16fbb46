// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What is to be sent over one connection. All that any thread adds before the connection's loop
 * comes to it is written and flushed together: messages of many Raft groups share a system call.
 *
 * <p>Threads: {@link #add} by any; the rest on the connection's loop.
 */
final class Outbox {
  /** A batch's buffer grows up to about this. */
  private static final int BATCH_BYTES = 256 << 10;

  private final Channel channel;
  private final MessageCounts counts;
  private final Queue<Frame> frames = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean scheduled = new AtomicBoolean();

  Outbox(Channel channel, MessageCounts counts) {
    this.channel = channel;
    this.counts = counts;
  }

  void add(Frame frame) {
    frames.add(frame);
    if (scheduled.compareAndSet(false, true)) {
      channel.eventLoop().execute(this::drain);
    }
  }

  /** Bytes that the connection has taken and the operating system has not. */
  long unsentBytes() {
    ChannelOutboundBuffer buffer = channel.unsafe().outboundBuffer();
    return buffer == null ? 0 : buffer.totalPendingWriteBytes();
  }

  private void drain() {
    scheduled.set(false);
    if (!channel.isActive()) {
      return; // whoever closed it takes what is left
    }
    ByteBuf batch = null;
    for (Frame frame = frames.poll(); frame != null; frame = frames.poll()) {
      counts.sent();
      if (frame.isSmall()) {
        if (batch == null) {
          batch = channel.alloc().buffer();
        }
        frame.writeTo(batch);
      }
      if (batch != null && (!frame.isSmall() || batch.readableBytes() >= BATCH_BYTES)) {
        channel.write(batch, channel.voidPromise());
        batch = null;
      }
      if (!frame.isSmall()) {
        channel.write(frame.wrapped(channel.alloc()), channel.voidPromise());
      }
    }
    if (batch != null) {
      channel.write(batch, channel.voidPromise());
    }
    channel.flush();
  }

  /** Takes a frame that was never written, or null. For a connection that is closed. */
  Frame takeUnsent() {
    return frames.poll();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;

/**
 * Counts what the connections of a port carry: nearest to the socket, whatever protocol is spoken.
 * Shared by all of them; each calls on its event loop.
 */
@Sharable
final class Traffic extends ChannelDuplexHandler {
  private final Metrics.Count received;
  private final Metrics.Count sent;
  private final Metrics.Count reads;
  private final Metrics.Count writes;

  Traffic(Metrics metrics, String port) {
    received = metrics.counter(Metric.RECEIVED_BYTES, port);
    sent = metrics.counter(Metric.SENT_BYTES, port);
    reads = metrics.counter(Metric.SOCKET_READS, port);
    writes = metrics.counter(Metric.SOCKET_WRITES, port);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (message instanceof ByteBuf bytes) {
      received.add(bytes.readableBytes());
      reads.increment();
    }
    context.fireChannelRead(message);
  }

  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
    if (message instanceof ByteBuf bytes) {
      sent.add(bytes.readableBytes());
    }
    context.write(message, promise);
  }

  @Override
  public void flush(ChannelHandlerContext context) {
    writes.increment();
    context.flush();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import java.io.OutputStream;

/**
 * Where replies are written: small ones together in one buffer, large values by reference, without
 * a copy. Owned by the connection's event loop.
 */
final class ReplyOutput extends OutputStream {
  static final int BY_REFERENCE_BYTES_MIN = 16 * 1024;
  private static final int BUFFER_BYTES_MAX = 64 * 1024;

  private final ChannelHandlerContext context;
  private ByteBuf buffer;
  private long bytes;

  ReplyOutput(ChannelHandlerContext context) {
    this.context = context;
  }

  /** Bytes written since the connection opened. */
  long bytes() {
    return bytes;
  }

  @Override
  public void write(int one) {
    write(new byte[] {(byte) one}, 0, 1);
  }

  /** Takes bytes; from a certain length on it keeps the array itself, which nobody modifies. */
  @Override
  public void write(byte[] source, int offset, int length) {
    bytes += length;
    if (length >= BY_REFERENCE_BYTES_MIN) {
      handOver();
      context.write(Unpooled.wrappedBuffer(source, offset, length));
      return;
    }
    if (buffer == null) {
      buffer = context.alloc().buffer(Math.max(256, length));
    }
    buffer.writeBytes(source, offset, length);
    if (buffer.readableBytes() >= BUFFER_BYTES_MAX) {
      handOver();
    }
  }

  /** Has it run once all that was written so far is sent, or never will be. */
  void whenSent(Runnable then) {
    handOver();
    context.write(Unpooled.EMPTY_BUFFER).addListener(sent -> then.run());
  }

  /** Passes everything to the socket. */
  @Override
  public void flush() {
    handOver();
    context.flush();
  }

  private void handOver() {
    if (buffer != null) {
      context.write(buffer);
      buffer = null;
    }
  }
}

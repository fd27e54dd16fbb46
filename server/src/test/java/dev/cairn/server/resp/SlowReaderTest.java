// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Who takes its answers stays, however many more come; who takes none is cut. */
class SlowReaderTest {
  private static final long PATIENCE_MILLIS = 20;
  private static final byte[] ANSWER = new byte[1 << 20]; // more than a channel calls writable

  private final EmbeddedChannel channel = new EmbeddedChannel(new ChannelInboundHandlerAdapter());
  private long written;

  @Test
  void aClientIsCutWhenItTakesNothingAndNotWhenMoreComesThanItTakes() throws Exception {
    ChannelHandlerContext context = channel.pipeline().firstContext();
    SlowReader slowReader = new SlowReader(context, PATIENCE_MILLIS, () -> false, () -> written);
    write();
    slowReader.watch();
    channel.flush(); // the client takes the first answer,
    write();
    write(); // and two more are written meanwhile
    check();
    assertThat(channel.isOpen()).isTrue();
    write();
    check();
    assertThat(channel.isOpen()).isFalse();
  }

  private void write() {
    written += ANSWER.length;
    channel.write(Unpooled.wrappedBuffer(ANSWER));
  }

  private void check() throws InterruptedException {
    Thread.sleep(2 * PATIENCE_MILLIS);
    channel.advanceTimeBy(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    channel.runScheduledPendingTasks();
    channel.runPendingTasks();
  }
}

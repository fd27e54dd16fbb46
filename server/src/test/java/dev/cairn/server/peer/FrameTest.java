// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import org.junit.jupiter.api.Test;

class FrameTest {
  private static final PeerRun RUN = new PeerRun("n1", 7, "s1");
  private static final Frame FRAME =
      new Frame(Frame.REQUEST, (byte) 3, (short) 0x1234, 7, new byte[] {(byte) 0xAA, (byte) 0xBB});

  /** The bytes of docs/reference/formats.md. */
  @Test
  void bytesOfAGreetingAndAFrame() {
    assertThat(ByteBufUtil.hexDump(Frame.greeting(Traffic.DATA.code(), RUN)))
        .isEqualTo("43524e500002010e026e310000000000000007027331");
    ByteBuf copied = Unpooled.buffer();
    FRAME.writeTo(copied);
    assertThat(ByteBufUtil.hexDump(copied)).isEqualTo("0000000a0103123400000007aabb");
    assertThat(ByteBufUtil.hexDump(FRAME.wrapped(Unpooled.buffer().alloc())))
        .isEqualTo("0000000a0103123400000007aabb");
    assertThat(FRAME.bytes()).isEqualTo(copied.readableBytes());
  }

  @Test
  void whereverTheBytesAreCutTheyAreReadTheSame() {
    ByteBuf all = Unpooled.buffer();
    all.writeBytes(Frame.greeting(Traffic.CONTROL.code(), RUN));
    FRAME.writeTo(all);
    FRAME.writeTo(all);
    for (int cut = 0; cut <= all.readableBytes(); cut++) {
      EmbeddedChannel channel = new EmbeddedChannel(new Frame.Decoder());
      channel.writeInbound(all.copy(0, cut), all.copy(cut, all.readableBytes() - cut));
      ByteBuf greeting = channel.readInbound();
      assertThat(ByteBufUtil.hexDump(greeting))
          .isEqualTo("43524e500002000e026e310000000000000007027331");
      for (int i = 0; i < 2; i++) {
        Frame frame = channel.readInbound();
        assertThat(frame).usingRecursiveComparison().as("cut at %d", cut).isEqualTo(FRAME);
      }
      assertThat(channel.<Object>readInbound()).isNull();
    }
  }
}

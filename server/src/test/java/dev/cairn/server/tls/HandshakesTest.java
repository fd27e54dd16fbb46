// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class HandshakesTest {
  @Test
  void oneMoreThanTheBoundEndsTheOldest() {
    Handshakes handshakes = new Handshakes(3);
    List<EmbeddedChannel> channels =
        IntStream.range(0, 5).mapToObj(i -> new EmbeddedChannel()).toList();
    handshakes.began(channels.get(0));
    handshakes.began(channels.get(1));
    handshakes.done(channels.get(0));
    handshakes.began(channels.get(2));
    handshakes.began(channels.get(3));
    assertThat(handshakes.count()).isEqualTo(3);

    handshakes.began(channels.get(4));

    assertThat(handshakes.count()).isEqualTo(3);
    assertThat(channels.get(0).isOpen()).as("it was done").isTrue();
    assertThat(channels.get(1).isOpen()).as("it was the oldest").isFalse();
    assertThat(channels.get(2).isOpen()).isTrue();
    assertThat(handshakes.pushedOut()).isEqualTo(1);
    assertThat(handshakes.succeeded()).isEqualTo(1);
    assertThat(handshakes.failed()).isZero();
  }

  @Test
  void whoIsNotDoneInTimeIsEnded() {
    Handshakes handshakes = new Handshakes(3);
    EmbeddedChannel slow = new EmbeddedChannel();
    EmbeddedChannel done = new EmbeddedChannel();
    slow.freezeTime();
    done.freezeTime();
    handshakes.began(slow);
    handshakes.began(done);
    handshakes.done(done);

    slow.advanceTimeBy(Engine.HANDSHAKE_MILLIS - 1, TimeUnit.MILLISECONDS);
    slow.runScheduledPendingTasks();
    assertThat(slow.isOpen()).isTrue();
    slow.advanceTimeBy(1, TimeUnit.MILLISECONDS);
    done.advanceTimeBy(Engine.HANDSHAKE_MILLIS, TimeUnit.MILLISECONDS);
    slow.runScheduledPendingTasks();
    done.runScheduledPendingTasks();

    assertThat(slow.isOpen()).isFalse();
    assertThat(done.isOpen()).isTrue();
    assertThat(handshakes.count()).isZero();
    assertThat(handshakes.failed()).isEqualTo(1);
  }
}

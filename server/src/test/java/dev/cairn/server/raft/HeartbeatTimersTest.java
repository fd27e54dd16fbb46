// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static org.assertj.core.api.Assertions.assertThat;

import com.alipay.sofa.jraft.JRaftUtils;
import com.alipay.sofa.jraft.core.Scheduler;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When heartbeats are sent. */
class HeartbeatTimersTest {
  private static final long MILLI = 1_000_000;
  private static final long BEAT = HeartbeatTimers.BEAT_NANOS;

  @Test
  void theEngineTakesItsTimersFromHere() throws InterruptedException {
    assertThat(JRaftUtils.raftTimerFactory()).isInstanceOf(HeartbeatTimers.class);
    Scheduler scheduler = JRaftUtils.raftTimerFactory().getRaftScheduler(false, 1, "test");
    CountDownLatch ran = new CountDownLatch(1);
    scheduler.schedule(ran::countDown, RaftEngine.HEARTBEAT_MILLIS, TimeUnit.MILLISECONDS);
    assertThat(ran.await(30, TimeUnit.SECONDS)).isTrue();
    scheduler.shutdown();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void groupsThatBeganWheneverSendOnEachBeat(long seed) {
    Random random = new Random(seed);
    for (int group = 0; group < 20; group++) {
      long sent = random.nextLong() >> 8;
      for (int beat = 0; beat < 50; beat++) {
        long answered = sent + 1 + random.nextLong(beat % 2 == 0 ? MILLI : BEAT - 1);
        long asked = BEAT - random.nextLong(MILLI); // its clock has milliseconds
        long delay = HeartbeatTimers.onTheBeat(answered, asked);
        assertThat(delay).isBetween(1L, BEAT);
        long next = answered + delay;
        if (beat > 0) {
          assertThat(next - sent).isEqualTo(BEAT);
        }
        sent = next;
      }
    }
  }

  @Test
  void whatIsNoHeartbeatComesWhenItWasAsked() {
    long now = 7 * BEAT + 33 * MILLI;
    for (long delay : new long[] {-5, 0, 1, BEAT / 2, BEAT + 1, 5 * BEAT, 60_000 * MILLI}) {
      assertThat(HeartbeatTimers.onTheBeat(now, delay)).isEqualTo(delay);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.NANOSECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import com.alipay.sofa.jraft.JRaftUtils;
import com.alipay.sofa.jraft.core.Scheduler;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When heartbeats are sent. */
class HeartbeatTimersTest {
  private static final long MILLI = 1_000_000;
  private static final long BEAT = HeartbeatTimers.BEAT_NANOS;

  private final Recorded recorded = new Recorded();
  private final Scheduler timers = new HeartbeatTimers.OnTheBeat(recorded, 0);

  @Test
  void theEngineTakesItsTimersFromHere() throws InterruptedException {
    assertThat(JRaftUtils.raftTimerFactory()).isInstanceOf(HeartbeatTimers.class);
    Scheduler scheduler = JRaftUtils.raftTimerFactory().getRaftScheduler(false, 1, "test");
    assertThat(scheduler).isInstanceOf(HeartbeatTimers.OnTheBeat.class);
    CountDownLatch ran = new CountDownLatch(1);
    scheduler.schedule(ran::countDown, JRaftEngine.HEARTBEAT_MILLIS, MILLISECONDS);
    assertThat(ran.await(30, TimeUnit.SECONDS)).isTrue();
    scheduler.shutdown();
  }

  @Test
  void aHeartbeatsDelayEndsOnTheBeat() {
    long before = System.nanoTime();
    timers.schedule(() -> {}, JRaftEngine.HEARTBEAT_MILLIS, MILLISECONDS);
    long after = System.nanoTime();
    long delay = recorded.delays.remove();
    assertThat(delay).isBetween(1L, BEAT);
    long late = Math.floorMod(before + delay, BEAT); // what passed since is what it is too late by
    assertThat(Math.min(late, BEAT - late)).isLessThanOrEqualTo(after - before);
    timers.schedule(() -> {}, 5 * JRaftEngine.HEARTBEAT_MILLIS, MILLISECONDS);
    assertThat(recorded.delays.remove()).isEqualTo(5 * BEAT);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void groupsThatBeganWheneverSendOnEachBeat(long seed) {
    Random random = new Random(seed);
    for (int group = 0; group < 200; group++) {
      long turn = HeartbeatTimers.turn(group);
      long sent = random.nextLong() >> 8;
      for (int beat = 0; beat < 50; beat++) {
        long answered = sent + 1 + random.nextLong(beat % 2 == 0 ? MILLI : BEAT - 1);
        long asked = BEAT - random.nextLong(MILLI); // its clock has milliseconds
        long delay = HeartbeatTimers.onTheBeat(answered, asked, turn);
        assertThat(delay).isBetween(1L, BEAT);
        long next = answered + delay;
        assertThat(Math.floorMod(next, BEAT)).isEqualTo(turn);
        if (beat > 0) {
          assertThat(next - sent).isEqualTo(BEAT);
        }
        sent = next;
      }
    }
  }

  @Test
  void aFewGroupsSendTogetherAndManyInTurns() {
    Set<Long> turns = new HashSet<>();
    for (int group = 0; group < 10_000; group++) {
      turns.add(HeartbeatTimers.turn(group));
      assertThat(turns).hasSizeLessThanOrEqualTo(1 + group / HeartbeatTimers.GROUPS_TOGETHER);
    }
    assertThat(turns).hasSize(20).allMatch(turn -> turn >= 0 && turn < BEAT);
    assertThat(HeartbeatTimers.turn(Integer.MIN_VALUE)).isBetween(0L, BEAT - 1);
  }

  @Test
  void whatIsNoHeartbeatComesWhenItWasAsked() {
    long now = 7 * BEAT + 33 * MILLI;
    for (long delay : new long[] {-5, 0, 1, BEAT / 2, BEAT + 1, 5 * BEAT, 60_000 * MILLI}) {
      assertThat(HeartbeatTimers.onTheBeat(now, delay, 0)).isEqualTo(delay);
    }
  }

  /** The engine's pool of threads has an end; it sets no timer again that has run. */
  @Test
  void aTaskThatTheEnginesThreadsRefuseIsRunAgain() {
    AtomicInteger tries = new AtomicInteger();
    timers.schedule(
        () -> {
          if (tries.incrementAndGet() < 3) {
            throw new RejectedExecutionException("for the test");
          }
        },
        JRaftEngine.HEARTBEAT_MILLIS,
        MILLISECONDS);
    while (!recorded.tasks.isEmpty()) {
      recorded.tasks.remove().run();
    }
    assertThat(tries).hasValue(3);
  }

  /** Keeps what it is given. */
  private static final class Recorded implements Scheduler {
    private final Deque<Long> delays = new ArrayDeque<>(); // nanoseconds
    private final Deque<Runnable> tasks = new ArrayDeque<>();

    @Override
    public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
      delays.add(NANOSECONDS.convert(delay, unit));
      tasks.add(task);
      return null;
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(
        Runnable task, long delay, long period, TimeUnit unit) {
      throw new UnsupportedOperationException();
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(
        Runnable task, long delay, long pause, TimeUnit unit) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void shutdown() {
      tasks.clear();
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.core.Scheduler;
import com.alipay.sofa.jraft.util.SPI;
import com.alipay.sofa.jraft.util.timer.DefaultRaftTimerFactory;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * The engine's timers, with the heartbeats of all groups at the same moments.
 *
 * <p>The engine has each leader send each follower a heartbeat so long after the last was answered,
 * so a node's groups send theirs whenever it comes. Here it is sent at the next beat of a common
 * clock, which comes before that: a node wakes up once, and few packets leave, for all groups. How
 * long a leader is silent stays as it was.
 *
 * <p>The engine finds this class through {@code META-INF/services}.
 */
@SPI(name = "cairn", priority = 100)
public final class HeartbeatTimers extends DefaultRaftTimerFactory {
  static final long BEAT_NANOS = TimeUnit.MILLISECONDS.toNanos(RaftEngine.HEARTBEAT_MILLIS);

  /** For the engine only. */
  public HeartbeatTimers() {}

  @Override
  public Scheduler getRaftScheduler(boolean shared, int workers, String name) {
    return new OnTheBeat(super.getRaftScheduler(shared, workers, name));
  }

  /**
   * How long to wait instead of a delay: until the next beat, where it is a heartbeat's; as asked
   * in every other case.
   */
  static long onTheBeat(long nowNanos, long delayNanos) {
    boolean heartbeat = delayNanos <= BEAT_NANOS && delayNanos > BEAT_NANOS / 2;
    return heartbeat ? BEAT_NANOS - Math.floorMod(nowNanos, BEAT_NANOS) : delayNanos;
  }

  private record OnTheBeat(Scheduler scheduler) implements Scheduler {
    @Override
    public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
      long nanos = onTheBeat(System.nanoTime(), unit.toNanos(delay));
      return scheduler.schedule(task, nanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(
        Runnable task, long delay, long period, TimeUnit unit) {
      return scheduler.scheduleAtFixedRate(task, delay, period, unit);
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(
        Runnable task, long delay, long pause, TimeUnit unit) {
      return scheduler.scheduleWithFixedDelay(task, delay, pause, unit);
    }

    @Override
    public void shutdown() {
      scheduler.shutdown();
    }
  }
}

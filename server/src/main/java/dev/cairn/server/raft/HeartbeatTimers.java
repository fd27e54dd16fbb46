// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.core.Scheduler;
import com.alipay.sofa.jraft.util.SPI;
import com.alipay.sofa.jraft.util.timer.DefaultRaftTimerFactory;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine's timers, with the heartbeats of several groups at the same moment.
 *
 * <p>The engine has each leader send each follower a heartbeat so long after the last was answered,
 * so a node's groups send theirs whenever it comes. Here it is sent at the next beat of a common
 * clock, which comes before that: a node wakes up once, and few packets leave, for all of them. How
 * long a leader is silent stays as it was. Where there are many groups they take turns within a
 * beat, {@value #GROUPS_TOGETHER} at a time: the engine hands each heartbeat to a pool of threads
 * that has an end.
 *
 * <p>The engine drops a timer's task that this pool refuses, and does not set that timer again: the
 * follower would not be heard from in that term any more. So such a task is run again.
 *
 * <p>The engine finds this class through {@code META-INF/services}.
 */
@SPI(name = "cairn", priority = 100)
public final class HeartbeatTimers extends DefaultRaftTimerFactory {
  static final long BEAT_NANOS = TimeUnit.MILLISECONDS.toNanos(JRaftEngine.HEARTBEAT_MILLIS);
  static final int GROUPS_TOGETHER = 8;
  private static final int TURNS = 20;
  private static final long AGAIN_MILLIS = 5;
  private static final Logger log = LoggerFactory.getLogger(HeartbeatTimers.class);
  private static final AtomicInteger OPENED = new AtomicInteger();

  /** For the engine only. */
  public HeartbeatTimers() {}

  /** The engine asks once for each group. */
  @Override
  public Scheduler getRaftScheduler(boolean shared, int workers, String name) {
    return new OnTheBeat(
        super.getRaftScheduler(shared, workers, name), turn(OPENED.getAndIncrement()));
  }

  /** When within a beat a group has its turn, nanoseconds. */
  static long turn(int group) {
    return BEAT_NANOS / TURNS * Math.floorMod(group / GROUPS_TOGETHER, TURNS);
  }

  /**
   * How long to wait instead of a delay: until the next turn, where it is a heartbeat's; as asked
   * in every other case.
   */
  static long onTheBeat(long nowNanos, long delayNanos, long turnNanos) {
    boolean heartbeat = delayNanos <= BEAT_NANOS && delayNanos > BEAT_NANOS / 2;
    return heartbeat ? BEAT_NANOS - Math.floorMod(nowNanos - turnNanos, BEAT_NANOS) : delayNanos;
  }

  /** The timers of one group. */
  record OnTheBeat(Scheduler scheduler, long turnNanos) implements Scheduler {
    @Override
    public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
      long nanos = onTheBeat(System.nanoTime(), unit.toNanos(delay), turnNanos);
      return scheduler.schedule(() -> run(task), nanos, TimeUnit.NANOSECONDS);
    }

    private void run(Runnable task) {
      try {
        task.run();
      } catch (RejectedExecutionException full) {
        log.debug("the engine's threads are all taken; again in {} ms", AGAIN_MILLIS, full);
        scheduler.schedule(() -> run(task), AGAIN_MILLIS, TimeUnit.MILLISECONDS);
      }
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

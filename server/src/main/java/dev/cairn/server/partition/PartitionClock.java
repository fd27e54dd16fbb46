// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.cluster.WallTime;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Partition time, as a leader keeps it: milliseconds since 1970 that never go back and that one
 * wrong wall clock cannot move (docs/design/architecture.md, Time).
 *
 * <p>Between looks it follows the monotonic clock. Once a second, and at the start of a term, it
 * may jump forward to the earliest that the voters' wall clocks allow; when it is ahead of the
 * latest it runs at half speed until that has caught up.
 *
 * <p>For the first seconds after this node's start its look at the others' clocks is too short to
 * tell one that is wrong. Then a term begins at what they seem to say, at most {@link
 * #UNSURE_MILLIS_MAX} past what the log had reached: longer than most restarts take.
 *
 * <p>A new partition's log has no time, and its first leader may have heard no majority of the
 * clocks yet: then the time is not {@link #known}, and nothing may be written with it. (It would be
 * some day in 1970, and what expires in 20 days then is gone as soon as the clocks are heard.)
 *
 * <p>Guarded by the partition group's lock.
 */
final class PartitionClock {
  static final long UNSURE_MILLIS_MAX = 30_000;

  private static final long LOOK_EVERY_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final LongSupplier nanoTime;
  private final Supplier<Optional<WallTime>> wallTime;
  private long baseMillis;
  private long baseNanos;
  private long lookedNanos;
  private boolean slow;
  private boolean known;

  PartitionClock(LongSupplier nanoTime, Supplier<Optional<WallTime>> wallTime) {
    this.nanoTime = nanoTime;
    this.wallTime = wallTime;
  }

  /**
   * Begins a term.
   *
   * @param loggedMillis the time that the log had reached; 0 for a log without any
   */
  void start(long loggedMillis) {
    baseMillis = loggedMillis;
    baseNanos = nanoTime.getAsLong();
    slow = false;
    look(baseNanos);
    Optional<WallTime> wall = wallTime.get();
    known = loggedMillis > 0 || wall.isPresent();
    wall.filter(time -> time.earliest().isEmpty())
        .ifPresent(unsure -> baseMillis = Math.max(baseMillis, believed(unsure, loggedMillis)));
  }

  private static long believed(WallTime unsure, long loggedMillis) {
    return loggedMillis == 0
        ? unsure.apparent()
        : Math.min(unsure.apparent(), loggedMillis + UNSURE_MILLIS_MAX);
  }

  /** Whether there is a time to write with; looks again while there is none. */
  boolean known() {
    if (!known) {
      start(0);
    }
    return known;
  }

  /** The time now, at or past any that this clock gave before. */
  long nowMillis() {
    long nanos = nanoTime.getAsLong();
    if (nanos - lookedNanos >= LOOK_EVERY_NANOS) {
      look(nanos);
    }
    return at(nanos);
  }

  private void look(long nanos) {
    lookedNanos = nanos;
    long now = at(nanos);
    Optional<WallTime> time = wallTime.get();
    baseMillis = Math.max(now, time.map(t -> t.earliest().orElse(now)).orElse(now));
    baseNanos = nanos;
    slow = time.filter(t -> now > t.latest().orElse(now)).isPresent();
  }

  private long at(long nanos) {
    long elapsed = TimeUnit.NANOSECONDS.toMillis(nanos - baseNanos);
    return baseMillis + (slow ? elapsed / 2 : elapsed);
  }
}

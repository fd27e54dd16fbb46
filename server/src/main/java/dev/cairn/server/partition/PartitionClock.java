// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Partition time, as a leader keeps it: milliseconds since 1970 that never go back and that one
 * wrong wall clock cannot move (docs/architecture.md, Time).
 *
 * <p>Between looks it follows the monotonic clock. Once a second, and at the start of a term, it
 * may jump forward to the median of the voters' wall clocks; when it is ahead of the median it runs
 * at half speed until the median has caught up.
 *
 * <p>Guarded by the partition group's lock.
 */
final class PartitionClock {
  private static final long LOOK_EVERY_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final LongSupplier nanoTime;
  private final Supplier<OptionalLong> medianWallMillis;
  private long baseMillis;
  private long baseNanos;
  private long lookedNanos;
  private boolean slow;

  PartitionClock(LongSupplier nanoTime, Supplier<OptionalLong> medianWallMillis) {
    this.nanoTime = nanoTime;
    this.medianWallMillis = medianWallMillis;
  }

  /** Begins a term with the time that the log had reached. */
  void start(long loggedMillis) {
    baseMillis = loggedMillis;
    baseNanos = nanoTime.getAsLong();
    slow = false;
    look(baseNanos);
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
    OptionalLong median = medianWallMillis.get();
    baseMillis = median.isPresent() ? Math.max(now, median.getAsLong()) : now;
    baseNanos = nanos;
    slow = median.isPresent() && now > median.getAsLong();
  }

  private long at(long nanos) {
    long elapsed = TimeUnit.NANOSECONDS.toMillis(nanos - baseNanos);
    return baseMillis + (slow ? elapsed / 2 : elapsed);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/**
 * The cluster's time as this node tells it to clients: it goes by this node's monotonic clock, and
 * is kept within {@link WallTime}. With two of three nodes up the wall clocks alone could not say
 * which of them is right; the time before can.
 *
 * <p>Threads: any.
 */
final class ClusterClock {
  private boolean begun; // guarded by this
  private long aheadMillis; // guarded by this: of the monotonic clock

  /**
   * Milliseconds since 1970; empty before the first time that is known.
   *
   * @param nanos now, by the monotonic clock
   */
  synchronized OptionalLong millis(Optional<WallTime> wallTime, long nanos) {
    long now = TimeUnit.NANOSECONDS.toMillis(nanos);
    if (wallTime.isEmpty()) {
      return OptionalLong.empty();
    }
    WallTime time = wallTime.get();
    long millis = begun ? now + aheadMillis : time.apparent();
    millis = Math.max(millis, time.earliest().orElse(millis));
    millis = Math.min(millis, time.latest().orElse(millis));
    begun = true;
    aheadMillis = millis - now;
    return OptionalLong.of(millis);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import java.util.concurrent.TimeUnit;

/**
 * How often a leader tries to give its leadership to a replica that does not keep it.
 *
 * <p>A hand-over stops the partition's writes until the other leads, or until an election timeout
 * has passed in vain. A replica can follow well and still be unable to win an election, with a disk
 * that takes seconds for a vote for instance; tried each second, that would stop the writes for
 * half of the time. So each try doubles the wait for the next one, and the wait is forgotten once
 * another has led for {@link #KEPT_NANOS} without a break.
 *
 * <p>Not thread-safe.
 */
final class HandOverBackoff {
  static final long FIRST_WAIT_NANOS = TimeUnit.SECONDS.toNanos(5);
  static final long LONGEST_WAIT_NANOS = TimeUnit.MINUTES.toNanos(5);
  static final long KEPT_NANOS = TimeUnit.SECONDS.toNanos(30);

  private long waitNanos; // 0: none
  private long triedNanos;
  private long ledNanos;

  /** Tells that this node leads. */
  void leads(long nowNanos) {
    if (nowNanos - ledNanos >= KEPT_NANOS) {
      waitNanos = 0;
    }
    ledNanos = nowNanos;
  }

  /** Whether it is time to try; if so, the next try has to wait for longer. */
  boolean tryNow(long nowNanos) {
    if (waitNanos != 0 && nowNanos - triedNanos < waitNanos) {
      return false;
    }
    triedNanos = nowNanos;
    waitNanos = waitNanos == 0 ? FIRST_WAIT_NANOS : Math.min(2 * waitNanos, LONGEST_WAIT_NANOS);
    return true;
  }
}

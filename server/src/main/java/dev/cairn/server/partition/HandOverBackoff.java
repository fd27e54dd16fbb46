// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.raft.Peer;
import java.util.concurrent.TimeUnit;

/**
 * How often a leader tries to give its leadership back to the replica that the ring prefers.
 *
 * <p>A hand-over stops the partition's writes until the other leads, or until an election timeout
 * has passed in vain. A replica can follow well and still be unable to win an election, with a disk
 * that takes seconds for a vote for instance; tried each second, that would stop the writes for
 * half of the time. So each try doubles the wait for the next one, until the replica has led for
 * {@link #KEPT_NANOS} without a break. That nothing ails it any more is not told otherwise: the
 * next try finds out, after {@link #LONGEST_WAIT_NANOS} at the latest.
 *
 * <p>Not thread-safe.
 */
final class HandOverBackoff {
  static final long FIRST_WAIT_NANOS = TimeUnit.SECONDS.toNanos(5);
  static final long LONGEST_WAIT_NANOS = TimeUnit.MINUTES.toNanos(5);
  static final long KEPT_NANOS = TimeUnit.SECONDS.toNanos(10);

  private Peer target; // null: none was tried
  private long waitNanos; // 0: none
  private long triedNanos;
  private boolean targetLeads;
  private long leadsSinceNanos;

  /** Tells whether the replica leads that the ring prefers; to be called each second or so. */
  void preferredLeads(boolean leads, long nowNanos) {
    if (leads && !targetLeads) {
      leadsSinceNanos = nowNanos;
    }
    targetLeads = leads;
    if (leads && nowNanos - leadsSinceNanos >= KEPT_NANOS) {
      waitNanos = 0;
    }
  }

  /** Whether it is time to try. A replica that is another than the last time waits for nothing. */
  boolean due(Peer preferred, long nowNanos) {
    return waitNanos == 0 || !preferred.equals(target) || nowNanos - triedNanos >= waitNanos;
  }

  /** Tells that a hand-over has begun. */
  void tried(Peer preferred, long nowNanos) {
    boolean again = waitNanos != 0 && preferred.equals(target);
    waitNanos = again ? Math.min(2 * waitNanos, LONGEST_WAIT_NANOS) : FIRST_WAIT_NANOS;
    target = preferred;
    triedNanos = nowNanos;
  }
}

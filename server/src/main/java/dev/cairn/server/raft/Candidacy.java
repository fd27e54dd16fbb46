// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import java.util.random.RandomGenerator;

/**
 * When a member of a group stands for election.
 *
 * <p>A replica stands after 700 to 900 ms without a word of its leader, a witness after 1,000 to
 * 1,200, so that it stands only when no replica could win. Where the leader's process is known to
 * have ended nobody waits for that: a replica stands after 20 to 120 ms, a witness after 300 to
 * 400. One that was refused stands again after a moment, then after a longer one. Standing begins
 * with a pre-vote, which others refuse while they hear a leader: one who stands for nothing
 * disturbs nobody.
 *
 * <p>Threads: any. Time is the caller's.
 */
final class Candidacy {
  private static final int SILENCE_JITTER_MILLIS = 200;
  private static final int ENDED_JITTER_MILLIS = 100;
  private static final int AGAIN_JITTER_MILLIS = 200;
  private static final int REPLICA_SILENCE_MILLIS = 700;
  private static final int WITNESS_SILENCE_MILLIS = 1_000;
  private static final int REPLICA_ENDED_MILLIS = 20;
  private static final int WITNESS_ENDED_MILLIS = 300;
  private static final int ENDED_AGAIN_MILLIS = 125;
  private static final int AGAIN_MILLIS = 500;

  private final Follower follower;
  private final boolean witness;
  private final int leaseMillis;
  private final RandomGenerator random;
  private boolean armed; // guarded by this
  private long standAtMillis; // guarded by this
  private int againMillis; // guarded by this: how long an attempt has until the next one
  private boolean standing; // guarded by this

  /** A member as the engine has it. */
  interface Follower {
    /** Whether it is a voter that follows, or waits for somebody to follow. */
    boolean waits();

    /** How long it has heard nothing of a leader, milliseconds. */
    long silentMillis();

    /** Has it grant pre-votes, and stand when it is told to, as if it had heard nothing lately. */
    void endLease();

    /** Stands, unless a leader was heard within the lease. May block for a moment. */
    void stand();
  }

  /**
   * Of a group that was just opened.
   *
   * @param leaseMillis silence up to which the engine does not stand
   */
  Candidacy(Follower follower, boolean witness, int leaseMillis, RandomGenerator random) {
    this.follower = follower;
    this.witness = witness;
    this.leaseMillis = leaseMillis;
    this.random = random;
  }

  /**
   * Whether to stand now. Once it said so, it says no until {@link #stand} has returned and the
   * attempt had its time.
   *
   * @param nowMillis by a clock that never goes back
   */
  synchronized boolean due(long nowMillis) {
    long silent = follower.silentMillis();
    if (!follower.waits() || silent < leaseMillis) {
      armed = false;
      return false;
    }
    if (!armed) {
      int wait = witness ? WITNESS_SILENCE_MILLIS : REPLICA_SILENCE_MILLIS;
      arm(nowMillis - silent + wait + random.nextInt(SILENCE_JITTER_MILLIS), AGAIN_MILLIS);
    }
    if (standing || nowMillis - standAtMillis < 0) {
      return false;
    }
    standing = true;
    arm(
        nowMillis + againMillis + random.nextInt(AGAIN_JITTER_MILLIS),
        Math.min(2 * againMillis, AGAIN_MILLIS));
    return true;
  }

  /**
   * For how long at least this member will not be {@link #due}, milliseconds, unless it is told
   * that its leader's process has ended. Zero or less for one that may be due now.
   *
   * @param nowMillis as with {@link #due}
   */
  synchronized long undueForMillis(long nowMillis) {
    long silent = follower.silentMillis();
    if (!follower.waits()) {
      return leaseMillis; // one that begins to wait counts as having heard a leader just then
    }
    return silent < leaseMillis || !armed ? leaseMillis - silent : standAtMillis - nowMillis;
  }

  private void arm(long atMillis, int thenAgainMillis) {
    armed = true;
    standAtMillis = atMillis;
    againMillis = thenAgainMillis;
  }

  /** Whether this member follows, or waits for somebody to follow. */
  boolean waits() {
    return follower.waits();
  }

  /**
   * The process of this member's leader is no more.
   *
   * @return whether that was news
   */
  synchronized boolean leaderEnded(long nowMillis) {
    boolean news = follower.waits() && follower.silentMillis() < leaseMillis;
    if (news) {
      follower.endLease();
      int wait = witness ? WITNESS_ENDED_MILLIS : REPLICA_ENDED_MILLIS;
      arm(nowMillis + wait + random.nextInt(ENDED_JITTER_MILLIS), ENDED_AGAIN_MILLIS);
    }
    return news;
  }

  /** Stands; to be called once whenever it is {@link #due}. May block for a moment. */
  void stand() {
    try {
      follower.stand();
    } finally {
      stood();
    }
  }

  /** An attempt has ended, or could not begin: there may be another one when it is due. */
  synchronized void stood() {
    standing = false;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

/** When operations start. Times are of one clock, in nanoseconds. */
interface Pacing {
  /** Whether an operation is to start now, if a client is free. */
  boolean isDue(long nowNanos);

  /** Takes the operation that is due. The result is the time from which its latency counts. */
  long take(long nowNanos);

  /** When the next is due; {@link Long#MAX_VALUE} if that depends on answers only. */
  long nextNanos();

  /** Whether nothing starts from now on. */
  boolean isOver(long nowNanos);

  /** Lets nothing start from now on. */
  void stop(long nowNanos);

  /** How many that were due from this time on had not started when it was over. */
  long neverStarted(long fromNanos);

  /** How long the one that waits longest had been due when it was over; 0 if none waits. */
  long oldestWaitNanos();

  /**
   * Each client starts its next operation when its last one ended. Honest about what so many
   * clients get, but a server that stalls is asked less meanwhile: for latencies under a given load
   * use {@link FixedRate}.
   */
  final class ClosedLoop implements Pacing {
    private long endNanos;

    ClosedLoop(long endNanos) {
      this.endNanos = endNanos;
    }

    @Override
    public boolean isDue(long nowNanos) {
      return nowNanos < endNanos;
    }

    @Override
    public long take(long nowNanos) {
      return nowNanos;
    }

    @Override
    public long nextNanos() {
      return Long.MAX_VALUE;
    }

    @Override
    public boolean isOver(long nowNanos) {
      return nowNanos >= endNanos;
    }

    @Override
    public void stop(long nowNanos) {
      endNanos = Math.min(endNanos, nowNanos);
    }

    @Override
    public long neverStarted(long fromNanos) {
      return 0;
    }

    @Override
    public long oldestWaitNanos() {
      return 0;
    }
  }

  /**
   * InFlight i starts i / rate seconds after the first, whether or not earlier ones were answered.
   * One that cannot be sent in time because all clients are busy is sent later, and its latency
   * counts from when it should have been: otherwise a server that stalls would be measured least
   * while it is slowest (Gil Tene's "coordinated omission"). The backlog is a number, not a queue.
   */
  final class FixedRate implements Pacing {
    private final long firstNanos;
    private final double perSecond;
    private long endNanos;
    private long taken;

    /**
     * A schedule.
     *
     * @param perSecond above 0
     */
    FixedRate(long firstNanos, double perSecond, long endNanos) {
      this.firstNanos = firstNanos;
      this.perSecond = perSecond;
      this.endNanos = endNanos;
    }

    @Override
    public boolean isDue(long nowNanos) {
      long next = nextNanos();
      return next <= nowNanos && next < endNanos && nowNanos < endNanos;
    }

    @Override
    public long take(long nowNanos) {
      long intended = nextNanos();
      taken++;
      return intended;
    }

    @Override
    public long nextNanos() {
      return intendedNanos(taken);
    }

    @Override
    public boolean isOver(long nowNanos) {
      return nowNanos >= endNanos;
    }

    @Override
    public void stop(long nowNanos) {
      endNanos = Math.min(endNanos, nowNanos);
    }

    @Override
    public long neverStarted(long fromNanos) {
      return Math.max(0, firstFrom(endNanos) - Math.max(taken, firstFrom(fromNanos)));
    }

    @Override
    public long oldestWaitNanos() {
      return Math.max(0, endNanos - nextNanos());
    }

    private long intendedNanos(long index) {
      return firstNanos + (long) (index * (1e9 / perSecond));
    }

    /** The first operation that is due at this time or later. */
    private long firstFrom(long nanos) {
      long index = Math.max(0, (long) Math.floor((nanos - firstNanos) * (perSecond / 1e9)) - 1);
      while (intendedNanos(index) < nanos) {
        index++;
      }
      return index;
    }
  }
}

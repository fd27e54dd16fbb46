// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * The nodes' wall clocks, as they were reported over the last moments.
 *
 * <p>A report is old when it counts: up to {@link Membership#DOWN_AFTER_MILLIS}. So when one clock
 * is set right and another goes wrong in the next moment, both seem wrong, and a median of three
 * follows them. Hence a clock counts by the span of all that it said within {@link #KEPT_MILLIS}:
 * as early as the earliest of it when the question is whether time has come so far, and as late as
 * the latest when it is whether time is not there yet. One whose last moments are not known counts
 * for neither.
 *
 * <p>Threads: any. Invariant: while at most one clock is wrong at any moment, however quickly they
 * take turns, the true time lies in {@link WallTime}, up to what a report takes on its way. For two
 * clocks to count as ahead, one was so in the last report, which is younger than KEPT_MILLIS, and
 * the other all through KEPT_MILLIS.
 */
final class WallClocks {
  /** Longer than a report may be old, with what it may have taken on its way. */
  static final long KEPT_MILLIS = Membership.DOWN_AFTER_MILLIS + 1_000;

  private static final long KEPT_NANOS = TimeUnit.MILLISECONDS.toNanos(KEPT_MILLIS);
  private static final long GAP_NANOS = TimeUnit.MILLISECONDS.toNanos(Membership.DOWN_AFTER_MILLIS);

  /** Readings that say the same, so close to each other, are one: questions take readings too. */
  private static final long SAME_NANOS = TimeUnit.MILLISECONDS.toNanos(400);

  private static final long SAME_MILLIS = 50;

  private final Map<String, Clock> clocks = new ConcurrentHashMap<>();

  /**
   * Notes what a node's clock says.
   *
   * @param wallMillis milliseconds since 1970
   * @param nanos when it was read, by this node's monotonic clock
   */
  void read(String nodeId, long wallMillis, long nanos) {
    clocks.computeIfAbsent(nodeId, id -> new Clock()).read(wallMillis, nanos);
  }

  /**
   * What time it is by the clocks of some nodes, those that are up.
   *
   * @param voters how many nodes are asked for, up or not; without a majority of them the answer is
   *     empty
   */
  Optional<WallTime> time(Collection<String> up, int voters, long nanos) {
    List<Span> spans = new ArrayList<>();
    for (String nodeId : up) {
      Clock clock = clocks.get(nodeId);
      if (clock != null) {
        spans.add(clock.span(nanos));
      }
    }
    if (spans.size() * 2 <= voters) {
      return Optional.empty(); // nothing to go by
    }
    int middle = spans.size() / 2;
    int lowerMiddle = (spans.size() - 1) / 2;
    long earliest = sorted(spans.stream().map(Span::earliest).toList()).get(lowerMiddle);
    long latest = sorted(spans.stream().map(Span::latest).toList()).get(middle);
    return Optional.of(
        new WallTime(
            earliest == Long.MIN_VALUE ? OptionalLong.empty() : OptionalLong.of(earliest),
            latest == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(latest),
            sorted(spans.stream().map(Span::last).toList()).get(lowerMiddle)));
  }

  private static List<Long> sorted(List<Long> values) {
    List<Long> sorted = new ArrayList<>(values);
    Collections.sort(sorted);
    return sorted;
  }

  private record Span(long earliest, long latest, long last) {}

  /** How far a clock is ahead of this node's monotonic one. */
  private record Reading(long nanos, long aheadMillis) {}

  private static final class Clock {
    private final ArrayDeque<Reading> readings = new ArrayDeque<>(); // guarded by this
    private long sinceNanos; // guarded by this: heard of without a gap

    synchronized void read(long wallMillis, long nanos) {
      long ahead = wallMillis - TimeUnit.NANOSECONDS.toMillis(nanos);
      Reading last = readings.peekLast();
      if (last == null || nanos - last.nanos > GAP_NANOS) {
        readings.clear();
        sinceNanos = nanos;
      } else if (nanos - last.nanos < SAME_NANOS
          && Math.abs(ahead - last.aheadMillis) < SAME_MILLIS) {
        return;
      }
      readings.add(new Reading(nanos, ahead));
      forget(nanos);
    }

    /** Each reading holds until the next: what held when KEPT began is kept too. Under the lock. */
    private void forget(long nanos) {
      while (readings.size() > 1) {
        Reading first = readings.removeFirst();
        if (nanos - readings.getFirst().nanos < KEPT_NANOS) {
          readings.addFirst(first);
          return;
        }
      }
    }

    synchronized Span span(long nanos) {
      forget(nanos);
      long now = TimeUnit.NANOSECONDS.toMillis(nanos);
      long last = now + readings.getLast().aheadMillis;
      if (nanos - sinceNanos < KEPT_NANOS) {
        return new Span(Long.MIN_VALUE, Long.MAX_VALUE, last);
      }
      long lowest = Long.MAX_VALUE;
      long highest = Long.MIN_VALUE;
      for (Reading reading : readings) {
        lowest = Math.min(lowest, reading.aheadMillis);
        highest = Math.max(highest, reading.aheadMillis);
      }
      return new Span(now + lowest, now + highest, last);
    }
  }
}

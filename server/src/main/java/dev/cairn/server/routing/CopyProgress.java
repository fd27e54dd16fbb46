// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;

/**
 * How far each partition had come a moment ago: the measure of its copies. A copy that lacks an
 * entry for longer than {@link #LACKS_MAX_NANOS} is behind. Under load every copy lacks the latest
 * entries, and how many says nothing; how old they are does.
 *
 * <p>Of a time before the first look nothing is known. Until then copies are measured by the first
 * look, which asks for more than is due.
 *
 * <p>Bounded: at most {@link #SAMPLES_MAX} looks are kept. Threads: the caller's lock.
 */
final class CopyProgress {
  static final long LACKS_MAX_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final int SAMPLES_MAX = 12;
  private static final long SAMPLE_EVERY_NANOS = LACKS_MAX_NANOS / (SAMPLES_MAX - 2);

  private final Deque<Sample> samples = new ArrayDeque<>(); // the oldest first

  private record Sample(long atNanos, long[] furthest) {}

  /**
   * Notes how far the partitions have come.
   *
   * @param furthest by partition, the last index that any voter has applied
   */
  void look(long[] furthest, long nowNanos) {
    if (samples.isEmpty() || nowNanos - samples.getLast().atNanos >= SAMPLE_EVERY_NANOS) {
      samples.addLast(new Sample(nowNanos, furthest.clone()));
    }
    while (samples.size() > 1 && nowNanos - second().atNanos >= LACKS_MAX_NANOS) {
      samples.removeFirst();
    }
  }

  private Sample second() {
    var all = samples.iterator();
    all.next();
    return all.next();
  }

  /** The index that a copy of the partition must have by now, or it is behind. */
  long due(int partition) {
    long[] furthest = samples.isEmpty() ? new long[0] : samples.getFirst().furthest;
    return partition < furthest.length ? furthest[partition] : 0;
  }

  /** How old an entry is at least that was due, milliseconds. */
  long dueMillis(long nowNanos) {
    return samples.isEmpty()
        ? 0
        : TimeUnit.NANOSECONDS.toMillis(nowNanos - samples.getFirst().atNanos);
  }
}

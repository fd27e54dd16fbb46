// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.metrics;

import java.util.Arrays;

/**
 * The largest of what was seen in the last seconds. Not exact where several threads see something
 * at once: one of two large values may be lost, which is enough for a figure that is looked at.
 */
public final class RecentMax {
  /** Four seconds' worth of {@link #turn}. */
  private static final int TURNS = 8;

  private final long[] before = new long[TURNS]; // guarded by this
  private int turn; // guarded by this
  private volatile long current;

  RecentMax() {}

  /** Something of that size was seen. */
  public void saw(long value) {
    if (value > current) {
      current = value;
    }
  }

  /** The largest lately. */
  public synchronized long value() {
    return Math.max(current, Arrays.stream(before).max().orElse(0));
  }

  /** Half a second has gone by. */
  synchronized void turn() {
    before[turn] = current;
    turn = (turn + 1) % TURNS;
    current = 0;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus.simulation;

import java.util.Comparator;
import java.util.PriorityQueue;

/**
 * What is to happen, in the order of simulated time; what falls on one moment, in the order of its
 * making.
 */
final class Events {
  private record Event(long at, long number, Runnable action) {}

  private final PriorityQueue<Event> queue =
      new PriorityQueue<>(Comparator.comparingLong(Event::at).thenComparingLong(Event::number));
  private long now;
  private long number;

  /** Simulated milliseconds since the start. */
  long now() {
    return now;
  }

  void after(long millis, Runnable action) {
    queue.add(new Event(now + millis, number++, action));
  }

  /** Lets the next thing happen; false if there is none. */
  boolean step() {
    Event event = queue.poll();
    if (event == null) {
      return false;
    }
    now = event.at();
    event.action().run();
    return true;
  }
}

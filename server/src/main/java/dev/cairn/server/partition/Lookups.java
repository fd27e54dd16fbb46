// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

/**
 * What one view of a partition has met: counted without a lock while requests are answered, and
 * told to {@link KeyMetrics} once their answers count. For one thread.
 */
final class Lookups {
  private long hits;
  private long misses;
  private long expired;
  private long fullSweeps;

  /** A key that a client asked to read. */
  void found(boolean there) {
    if (there) {
      hits++;
    } else {
      misses++;
    }
  }

  /** Keys were removed whose time was up. */
  void expired(long keys) {
    expired += keys;
  }

  /** A sweep removed as many as it may. */
  void fullSweep() {
    fullSweeps++;
  }

  long hits() {
    return hits;
  }

  long misses() {
    return misses;
  }

  long expired() {
    return expired;
  }

  long fullSweeps() {
    return fullSweeps;
  }

  void clear() {
    hits = 0;
    misses = 0;
    expired = 0;
    fullSweeps = 0;
  }
}

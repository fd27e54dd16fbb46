// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

/**
 * What one view of a partition has met: counted without a lock while requests are answered, and
 * told to {@link KeyMetrics} once their answers count. For one thread.
 */
public final class Lookups {
  private long hits;
  private long misses;
  private long expired;
  private long fullSweeps;

  /** A key that a client asked to read. */
  public void found(boolean there) {
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

  public long hits() {
    return hits;
  }

  public long misses() {
    return misses;
  }

  public long expired() {
    return expired;
  }

  public long fullSweeps() {
    return fullSweeps;
  }

  public void clear() {
    hits = 0;
    misses = 0;
    expired = 0;
    fullSweeps = 0;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.Arrays;
import java.util.function.LongSupplier;

/** For how long each partition had no acknowledged write. Thread-safe. */
public final class Availability {
  private static final Duration WRITE_MAX = Duration.ofSeconds(60);

  private final LongSupplier nanoClock;
  private final long[] lastNanos; // guarded by this
  private final long[] longestNanos; // guarded by this

  /** Measures from now on. */
  public Availability(int partitions, LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
    lastNanos = new long[partitions];
    longestNanos = new long[partitions];
    begin();
  }

  /** A write to a partition was acknowledged. */
  public synchronized void acknowledged(int partition) {
    long now = nanoClock.getAsLong();
    longestNanos[partition] = Math.max(longestNanos[partition], now - lastNanos[partition]);
    lastNanos[partition] = now;
  }

  /** Measures from now on. */
  public synchronized void begin() {
    Arrays.fill(lastNanos, nanoClock.getAsLong());
    Arrays.fill(longestNanos, 0);
  }

  /** Waits for a write to each partition that is acknowledged from now on. */
  public void awaitWriteToEach() {
    long now = nanoClock.getAsLong();
    await("an acknowledged write to each partition")
        .atMost(WRITE_MAX)
        .pollInterval(Duration.ofMillis(20))
        .until(() -> oldestNanos() - now > 0);
  }

  private synchronized long oldestNanos() {
    return Arrays.stream(lastNanos).min().orElseThrow();
  }

  /** The longest time since {@link #begin} in which some partition took no write. */
  public synchronized long worstNanos() {
    long now = nanoClock.getAsLong();
    long worst = 0;
    for (int partition = 0; partition < lastNanos.length; partition++) {
      worst = Math.max(worst, Math.max(longestNanos[partition], now - lastNanos[partition]));
    }
    return worst;
  }
}

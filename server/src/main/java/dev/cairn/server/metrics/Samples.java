// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.metrics;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.LongSupplier;

/**
 * What has to be looked at now and then to be known: rates, and how high memory has been. Taken
 * twice a second by whoever reports the node to the others, so that it costs an idle node no
 * wake-up of its own.
 *
 * <p>Threads: any.
 */
public final class Samples {
  /** As many as Redis' own window of 1.6 seconds needs. */
  private static final int KEPT = 4;

  private static final double NANOS_PER_SECOND = 1e9;
  private static final double KILO = 1024;

  private final Metrics metrics;
  private final LongSupplier nanoTime;
  private final Deque<Sample> kept = new ArrayDeque<>(); // guarded by this; the oldest first
  private final RecentMax input = new RecentMax();
  private final RecentMax output = new RecentMax();
  private volatile Memory memory; // null before the first sample; written by whoever takes them

  /**
   * Memory and files, bytes: whoever looks at them may wait for a lock of RocksDB's, so it is not
   * done where clients are served.
   *
   * @param used as {@link ProcessFigures#usedBytes}
   * @param data of it, what holds keys and values
   * @param peak the most that was in use at any look
   * @param start what was in use at the first one
   * @param files the tables of data on disk
   */
  public record Memory(long used, long data, long peak, long start, long files) {}

  /** What the counters had reached. */
  private record Sample(long nanos, long commands, long received, long sent) {}

  /** What came lately, each second: commands, kilobytes received, kilobytes sent. */
  public record Rates(double commands, double receivedKilobytes, double sentKilobytes) {}

  Samples(Metrics metrics, LongSupplier nanoTime) {
    this.metrics = metrics;
    this.nanoTime = nanoTime;
    restart();
  }

  /** Takes one. By one thread at a time. */
  public void take() {
    memory = lookAtMemory();
    input.turn();
    output.turn();
    keep();
  }

  private synchronized void keep() {
    if (kept.size() == KEPT) {
      kept.removeFirst();
    }
    kept.add(look());
  }

  /** Forgets those that were taken. */
  synchronized void restart() {
    kept.clear();
    kept.add(look());
  }

  /** Bytes that one connection had sent and that were not decoded yet. */
  public RecentMax input() {
    return input;
  }

  /** Bytes of replies that one connection had not read yet. */
  public RecentMax output() {
    return output;
  }

  /** As the last sample found it. */
  public Memory memory() {
    Memory found = memory;
    return found == null ? lookAtMemory() : found;
  }

  private Memory lookAtMemory() {
    Memory before = memory;
    long used = ProcessFigures.usedBytes(metrics);
    long data = Math.min(used, ProcessFigures.dataBytes(metrics));
    long files = (long) metrics.value(Metric.ROCKSDB_FILES, "data");
    return before == null
        ? new Memory(used, data, used, used, files)
        : new Memory(used, data, Math.max(used, before.peak()), before.start(), files);
  }

  /** Of the last two seconds or so, or since the start. */
  public synchronized Rates rates() {
    Sample now = look();
    Sample then = kept.getFirst();
    double seconds = Math.max(1, now.nanos() - then.nanos()) / NANOS_PER_SECOND;
    return new Rates(
        (now.commands() - then.commands()) / seconds,
        (now.received() - then.received()) / KILO / seconds,
        (now.sent() - then.sent()) / KILO / seconds);
  }

  private Sample look() {
    return new Sample(
        nanoTime.getAsLong(),
        metrics.commands().answered(),
        metrics.countedOf(Metric.RECEIVED_BYTES),
        metrics.countedOf(Metric.SENT_BYTES));
  }
}

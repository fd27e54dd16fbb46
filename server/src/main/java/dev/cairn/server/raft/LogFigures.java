// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import java.util.EnumSet;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.rocksdb.HistogramType;
import org.rocksdb.Statistics;
import org.rocksdb.TickerType;

/** What RocksDB counts and times of the write-ahead log, handed to whoever watches. */
final class LogFigures implements AutoCloseable {
  private static final String LOG = "log";
  private static final double MICROS = 1e-6;

  /** Only fsyncs are timed: the rest would cost a look at the clock each. */
  private final Statistics statistics =
      new Statistics(EnumSet.complementOf(EnumSet.of(HistogramType.WAL_FILE_SYNC_MICROS)));

  Statistics statistics() {
    return statistics;
  }

  /**
   * Names the figures.
   *
   * @param property a property of the database; 0 once it is closed
   */
  void tell(Metrics metrics, ToDoubleFunction<String> property) {
    Map.of(
            Metric.ROCKSDB_CACHE, "rocksdb.block-cache-usage",
            Metric.ROCKSDB_MEMTABLES, "rocksdb.cur-size-all-mem-tables",
            Metric.ROCKSDB_FILES, "rocksdb.live-sst-files-size",
            Metric.ROCKSDB_PENDING_COMPACTION, "rocksdb.estimate-pending-compaction-bytes")
        .forEach((metric, name) -> metrics.gauge(metric, () -> property.applyAsDouble(name), LOG));
    counted(metrics, Metric.ROCKSDB_WRITTEN, TickerType.WAL_FILE_BYTES, 1, LOG, "wal");
    counted(metrics, Metric.ROCKSDB_WRITTEN, TickerType.FLUSH_WRITE_BYTES, 1, LOG, "flush");
    counted(metrics, Metric.ROCKSDB_WRITTEN, TickerType.COMPACT_WRITE_BYTES, 1, LOG, "compaction");
    counted(metrics, Metric.ROCKSDB_STALLED, TickerType.STALL_MICROS, MICROS, LOG);
    metrics.timed(Metric.LOG_FSYNC_DURATION, this::fsyncs, this::fsyncSeconds);
  }

  private void counted(
      Metrics metrics, Metric metric, TickerType ticker, double unit, String... labels) {
    metrics.counted(metric, () -> count(ticker) * unit, labels);
  }

  private synchronized double count(TickerType ticker) {
    return statistics.isOwningHandle() ? statistics.getTickerCount(ticker) : 0;
  }

  private synchronized long fsyncs() {
    return statistics.isOwningHandle()
        ? statistics.getHistogramData(HistogramType.WAL_FILE_SYNC_MICROS).getCount()
        : 0;
  }

  private synchronized double fsyncSeconds() {
    return statistics.isOwningHandle()
        ? statistics.getHistogramData(HistogramType.WAL_FILE_SYNC_MICROS).getSum() * MICROS
        : 0;
  }

  @Override
  public synchronized void close() {
    statistics.close();
  }
}

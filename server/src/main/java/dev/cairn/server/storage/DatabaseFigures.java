// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import java.util.EnumSet;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.DoubleSupplier;
import java.util.function.ToDoubleFunction;
import org.rocksdb.HistogramType;
import org.rocksdb.Statistics;
import org.rocksdb.TickerType;

/**
 * What RocksDB and the caches before it count of the partitions' data, handed to whoever watches.
 * Counts only: times would cost a look at the clock for every read.
 */
final class DatabaseFigures implements AutoCloseable {
  private static final String DATA = "data";
  private static final double MICROS = 1e-6;

  private final Statistics statistics = new Statistics(EnumSet.allOf(HistogramType.class));

  private final LongAdder recordCacheHits = new LongAdder();
  private final LongAdder recordCacheMisses = new LongAdder();

  Statistics statistics() {
    return statistics;
  }

  LongAdder recordCacheHits() {
    return recordCacheHits;
  }

  LongAdder recordCacheMisses() {
    return recordCacheMisses;
  }

  /**
   * Names the figures.
   *
   * @param memoryUsedBytes of the cache and the write buffers
   * @param sum adds up a property over the open databases
   * @param recordCacheBytes of all caches of records
   */
  void tell(
      Metrics metrics,
      DoubleSupplier memoryUsedBytes,
      ToDoubleFunction<String> sum,
      DoubleSupplier recordCacheBytes) {
    metrics.gauge(Metric.RECORD_CACHE, recordCacheBytes);
    metrics.counted(Metric.RECORD_CACHE_LOOKUPS, recordCacheHits::sum, "hit");
    metrics.counted(Metric.RECORD_CACHE_LOOKUPS, recordCacheMisses::sum, "miss");
    metrics.gauge(Metric.ROCKSDB_CACHE, memoryUsedBytes, DATA);
    Map.of(
            Metric.ROCKSDB_MEMTABLES, "rocksdb.cur-size-all-mem-tables",
            Metric.ROCKSDB_FILES, "rocksdb.live-sst-files-size",
            Metric.ROCKSDB_PENDING_COMPACTION, "rocksdb.estimate-pending-compaction-bytes")
        .forEach(
            (metric, property) -> metrics.gauge(metric, () -> sum.applyAsDouble(property), DATA));
    counted(metrics, Metric.ROCKSDB_CACHE_LOOKUPS, TickerType.BLOCK_CACHE_HIT, 1, DATA, "hit");
    counted(metrics, Metric.ROCKSDB_CACHE_LOOKUPS, TickerType.BLOCK_CACHE_MISS, 1, DATA, "miss");
    counted(metrics, Metric.ROCKSDB_WRITTEN, TickerType.FLUSH_WRITE_BYTES, 1, DATA, "flush");
    counted(metrics, Metric.ROCKSDB_WRITTEN, TickerType.COMPACT_WRITE_BYTES, 1, DATA, "compaction");
    counted(metrics, Metric.ROCKSDB_STALLED, TickerType.STALL_MICROS, MICROS, DATA);
  }

  private void counted(
      Metrics metrics, Metric metric, TickerType ticker, double unit, String... labels) {
    metrics.counted(metric, () -> count(ticker) * unit, labels);
  }

  private synchronized double count(TickerType ticker) {
    return statistics.isOwningHandle() ? statistics.getTickerCount(ticker) : 0;
  }

  @Override
  public synchronized void close() {
    statistics.close();
  }
}

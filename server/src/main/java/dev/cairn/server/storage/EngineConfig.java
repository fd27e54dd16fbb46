// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

/**
 * What all databases of a node share, and what each may take besides.
 *
 * @param cacheBytes blocks of data, indexes and filters kept in memory; at least 1 MiB
 * @param writeBufferBytes what may be applied in the heap and not flushed yet, and as much again of
 *     write buffers that are being flushed; at least 1 MiB
 * @param recordCacheBytes records that each database keeps in the heap ({@link RecordCache}); 64
 *     KiB to 1 GiB, or 0 for none
 * @param threads background threads for flushes and compactions together; at least 2
 */
public record EngineConfig(
    long cacheBytes, long writeBufferBytes, int recordCacheBytes, int threads) {
  /** The least cache, and the least write buffers. */
  public static final long BYTES_MIN = 1 << 20;

  private static final int RECORD_CACHE_BYTES_MIN = 64 << 10;
  private static final int RECORD_CACHE_BYTES_MAX = 1 << 30;
  private static final int HEAP_SHARE = 6;
  private static final int UNFLUSHED_SHARE = 8;

  /** 64 MiB of cache, 64 MiB of write buffers, 8 MiB of records a database, 2 threads. */
  public static final EngineConfig DEFAULT = new EngineConfig(64L << 20, 64L << 20, 8 << 20, 2);

  public EngineConfig {
    if (cacheBytes < BYTES_MIN || writeBufferBytes < BYTES_MIN) {
      throw new IllegalArgumentException(
          "cacheBytes and writeBufferBytes must be at least %d: they are %d and %d"
              .formatted(BYTES_MIN, cacheBytes, writeBufferBytes));
    }
    if (recordCacheBytes != 0
        && (recordCacheBytes < RECORD_CACHE_BYTES_MIN
            || recordCacheBytes > RECORD_CACHE_BYTES_MAX)) {
      throw new IllegalArgumentException(
          "recordCacheBytes must be 0 or %d to %d: it is %d"
              .formatted(RECORD_CACHE_BYTES_MIN, RECORD_CACHE_BYTES_MAX, recordCacheBytes));
    }
    if (threads < 2 || threads > 64) {
      throw new IllegalArgumentException("threads must be 2 to 64: it is " + threads);
    }
  }

  /**
   * A node's: the default, but for cache and records. All caches of records together keep at most a
   * sixth of the heap, or the least that each may keep; what is unflushed an eighth.
   *
   * @param heapBytesMax how large the heap may grow
   * @param cacheBytes as in the record
   * @param databasesMax how many databases the node may hold, 1 or more
   */
  public static EngineConfig ofNode(long heapBytesMax, long cacheBytes, int databasesMax) {
    long share = heapBytesMax / HEAP_SHARE / databasesMax;
    return new EngineConfig(
        cacheBytes,
        Math.max(BYTES_MIN, Math.min(DEFAULT.writeBufferBytes, heapBytesMax / UNFLUSHED_SHARE)),
        (int) Math.max(RECORD_CACHE_BYTES_MIN, Math.min(share, RECORD_CACHE_BYTES_MAX)),
        DEFAULT.threads);
  }
}

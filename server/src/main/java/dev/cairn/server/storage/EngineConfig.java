// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

/**
 * What all databases of a node share.
 *
 * @param cacheBytes blocks of data, indexes and filters kept in memory; at least 1 MiB
 * @param writeBufferBytes writes kept in memory until they are flushed; at least 1 MiB
 * @param threads background threads for flushes and compactions together; at least 2
 */
public record EngineConfig(long cacheBytes, long writeBufferBytes, int threads) {
  private static final long BYTES_MIN = 1 << 20;

  /** 64 MiB of cache, 64 MiB of write buffers, 2 threads. */
  public static final EngineConfig DEFAULT = new EngineConfig(64L << 20, 64L << 20, 2);

  public EngineConfig {
    if (cacheBytes < BYTES_MIN || writeBufferBytes < BYTES_MIN) {
      throw new IllegalArgumentException(
          "cacheBytes and writeBufferBytes must be at least %d: they are %d and %d"
              .formatted(BYTES_MIN, cacheBytes, writeBufferBytes));
    }
    if (threads < 2 || threads > 64) {
      throw new IllegalArgumentException("threads must be 2 to 64: it is " + threads);
    }
  }
}

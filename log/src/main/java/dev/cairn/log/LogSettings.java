// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

/**
 * The bounds of a log. They may differ from one start to the next.
 *
 * @param segmentBytes of one file, a multiple of {@link Batch#BLOCK_BYTES}
 * @param batchBytesMax of one write; larger entries are cut over several. Only what begins a
 *     segment may be larger.
 * @param segmentsMax files that may hold entries before the oldest one's are copied forward
 * @param positionBytesMax of memory for the places of entries; past it they are kept thinner, and
 *     reading an entry takes more looks
 * @param queueBytesMax of appends that wait to be written; past it {@link Log#append} refuses
 */
public record LogSettings(
    int segmentBytes,
    int batchBytesMax,
    int segmentsMax,
    int positionBytesMax,
    long queueBytesMax) {
  /** What a node uses where the disk is large. */
  public static final LogSettings DEFAULT =
      new LogSettings(64 << 20, 1 << 20, 16, 16 << 20, 256L << 20);

  private static final int BATCHES_MIN = 4;
  private static final int SEGMENTS_MIN = 4;
  private static final int DISK_SHARE = 4;

  /** Refuses bounds that contradict each other. */
  public LogSettings {
    int block = Batch.BLOCK_BYTES;
    if (batchBytesMax < block || batchBytesMax % block != 0) {
      throw new IllegalArgumentException("a batch has whole blocks of " + block + " bytes");
    }
    if (segmentBytes % block != 0 || segmentBytes / BATCHES_MIN < batchBytesMax) {
      throw new IllegalArgumentException("a segment has whole blocks, and holds several batches");
    }
    if (segmentsMax < 1 || positionBytesMax < 1 || queueBytesMax < 1) {
      throw new IllegalArgumentException("every bound of a log is above 0");
    }
  }

  /**
   * What a node uses on a disk: segments that hold entries take a quarter of it at most, or four of
   * them. Each start begins a segment, so a node that is started again and again has many that hold
   * little.
   *
   * @param diskBytes how large the disk is, not what is free
   */
  public static LogSettings ofDisk(long diskBytes) {
    long segments = diskBytes / DISK_SHARE / DEFAULT.segmentBytes;
    return new LogSettings(
        DEFAULT.segmentBytes,
        DEFAULT.batchBytesMax,
        (int) Math.max(SEGMENTS_MIN, Math.min(segments, DEFAULT.segmentsMax)),
        DEFAULT.positionBytesMax,
        DEFAULT.queueBytesMax);
  }
}

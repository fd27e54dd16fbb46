// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.LongPredicate;

/**
 * Reads files of a log that is in use, and checks that all of their batches that are on disk are as
 * they were written.
 *
 * <p>It takes no lock and knows nothing of what becomes of a file meanwhile: whoever uses it asks
 * after a problem whether the file still counts. {@link Log#verify} does.
 *
 * <p>For one thread.
 */
final class SegmentCheck {
  private static final int PART_BYTES = 1 << 20;

  /**
   * A file to check.
   *
   * @param last number of the last batch that must be there; of no meaning for a copied file, which
   *     has batches to its end
   */
  record Part(Segment segment, long last) {}

  private final long log;
  private final LongPredicate pace;
  private final ByteBuffer buffer = BatchBuffer.aligned(PART_BYTES);
  private long unpaced;
  private boolean ended;

  /**
   * Begins.
   *
   * @param log the log's id
   * @param pace told the bytes of each part after it was read; false to end
   */
  SegmentCheck(long log, LongPredicate pace) {
    this.log = log;
    this.pace = pace;
  }

  /** Whether the pace has said so. */
  boolean isEnded() {
    return ended;
  }

  /** Reads a file, and says what is wrong with it; null for nothing that was seen. */
  LogException problemOf(Part part) {
    Segment segment = part.segment();
    try {
      BatchReader reader = new BatchReader(segment.file(), buffer);
      int block = 0;
      for (long number = segment.firstNumber(); !ended; number++) {
        boolean whole = segment.isCopy() ? block >= segment.blocks() : number > part.last();
        if (whole) {
          rest();
          return null;
        }
        Batch batch = reader.batch(segment, log, block, number);
        if (batch == null) {
          return Recovery.damaged("batch " + number + " of " + segment + " is damaged");
        }
        int blocks = batch.header().blocks();
        block += blocks;
        unpaced += (long) blocks * Batch.BLOCK_BYTES;
        if (unpaced >= PART_BYTES) {
          rest();
        }
      }
      return null;
    } catch (IOException e) {
      return new LogException(
          LogException.Kind.FAILED, segment + " cannot be read: " + e.getMessage(), e);
    }
  }

  private void rest() {
    ended = !pace.test(unpaced);
    unpaced = 0;
  }
}

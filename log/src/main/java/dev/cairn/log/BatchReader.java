// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * Reads batches of one file, some blocks ahead.
 *
 * <p>Not thread-safe. What it gave out stays valid, since it reads into a new buffer each time; but
 * with a buffer of its user's, only until the next call.
 */
final class BatchReader {
  private final LogFile file;
  private final int aheadBytes;

  /** What it reads into while that suffices; of no bytes for a new buffer each time. */
  private final ByteBuffer kept;

  private final CRC32C crc = new CRC32C();
  private ByteBuffer window = ByteBuffer.allocate(0);
  private long windowBlock;

  /**
   * Reads from a file.
   *
   * @param aheadBytes what is read at once, whole blocks
   */
  BatchReader(LogFile file, int aheadBytes) {
    this(file, aheadBytes, ByteBuffer.allocate(0));
  }

  /** Reads from a file into one buffer, as much at once as it takes. */
  BatchReader(LogFile file, ByteBuffer kept) {
    this(file, kept.capacity(), kept);
  }

  private BatchReader(LogFile file, int aheadBytes, ByteBuffer kept) {
    this.file = file;
    this.aheadBytes = aheadBytes;
    this.kept = kept;
  }

  /** The header at a block; null when there is none that is whole. */
  Batch.Header header(int block) throws IOException {
    int at = load(block, Batch.BLOCK_BYTES);
    return Batch.Header.read(window, at, crc);
  }

  /** The batch whose header was read at a block; null when it is not as it was written. */
  Batch batch(Batch.Header header, int block) throws IOException {
    if (header.bytes() > file.size()) {
      return null;
    }
    int at = load(block, header.blocks() * Batch.BLOCK_BYTES);
    return Batch.read(header, window, at, crc);
  }

  /**
   * The batch at a block, if it is the one that a segment should have there; null for any other.
   *
   * @param log the log's id
   * @param number the batch's number; -1 for any
   */
  Batch batch(Segment segment, long log, int block, long number) throws IOException {
    Batch.Header header = block < segment.blocks() ? header(block) : null;
    boolean expected =
        header != null
            && header.format() == Batch.FORMAT
            && header.log() == log
            && header.block() == block
            && header.epoch() == segment.epoch()
            && header.ordinal() == segment.ordinal()
            && (number < 0 || header.number() == number);
    return expected ? batch(header, block) : null;
  }

  /** Sees to it that the window has so many bytes from a block on, as far as the file has them. */
  private int load(int block, int bytes) throws IOException {
    long at = (block - windowBlock) * Batch.BLOCK_BYTES;
    if (block >= windowBlock && at + bytes <= window.limit()) {
      return (int) at;
    }
    long position = (long) block * Batch.BLOCK_BYTES;
    long left = Math.max(0, file.size() - position);
    int ahead = Batch.blocksOf(Math.min(aheadBytes, left)) * Batch.BLOCK_BYTES;
    int length = Math.max(bytes, ahead);
    window = length <= kept.capacity() ? kept.clear().limit(length) : BatchBuffer.aligned(length);
    windowBlock = block;
    int read = file.read(position, window);
    window.clear().limit(read);
    return 0;
  }
}

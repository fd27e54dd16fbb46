// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * Where a batch is put together before it is written. Changes that do not fit are cut into parts,
 * of which the rest goes into the next batch.
 *
 * <p>Owned by whoever writes.
 */
final class BatchBuffer {
  /** Before the bytes of a part: kind, place and length of the whole. */
  static final int PART_BYTES = 9;

  private final CRC32C crc = new CRC32C();
  private ByteBuffer buffer = aligned(Batch.BLOCK_BYTES);
  private int limit;
  private int records;
  private long epoch;
  private long number;

  static ByteBuffer aligned(int bytes) {
    return ByteBuffer.allocateDirect(bytes + Batch.BLOCK_BYTES)
        .alignedSlice(Batch.BLOCK_BYTES)
        .limit(bytes)
        .slice();
  }

  /**
   * Begins a batch.
   *
   * @param bytesMax whole blocks; what does not fit is not taken
   */
  void begin(long epoch, long number, int bytesMax) {
    this.epoch = epoch;
    this.number = number;
    this.limit = bytesMax;
    records = 0;
    buffer.clear();
    buffer.position(Batch.HEADER_BYTES);
  }

  boolean isEmpty() {
    return records == 0;
  }

  /** How many bytes of records still fit. */
  int room() {
    return limit - buffer.position();
  }

  /**
   * Takes a change, or a part of it.
   *
   * @param from what of the payload went into earlier batches
   * @param last whether the append is complete with it
   * @return how much of the payload is in batches now; -1 when nothing was taken
   */
  int add(Change change, int from, boolean last) {
    int length = change.payload().length;
    int room = limit - buffer.position() - Batch.RECORD_BYTES;
    if (from == 0 && length <= room) {
      put(change, change.kind(), 0, length, last);
      return length;
    }
    if (room <= PART_BYTES || (from == 0 && records > 0)) {
      return -1;
    }
    int to = Math.min(length, from + room - PART_BYTES);
    put(change, Change.PART, from, to, last && to == length);
    return to;
  }

  private void put(Change change, byte kind, int from, int to, boolean last) {
    boolean part = kind == Change.PART;
    int length = to - from + (part ? PART_BYTES : 0);
    int start = buffer.position();
    reserve(Batch.RECORD_BYTES + length);
    buffer
        .putInt(length)
        .putInt(0)
        .put(kind)
        .put((byte) (last ? Batch.LAST : 0))
        .putShort((short) 0);
    buffer.putLong(change.group()).putLong(change.term()).putLong(change.index());
    if (part) {
      buffer.put(change.kind()).putInt(from).putInt(change.payload().length);
    }
    buffer.put(change.payload(), from, to - from);
    int whole = Batch.RECORD_BYTES + length;
    buffer.putInt(start + 4, Batch.recordChecksum(buffer, start, whole, start, epoch, number, crc));
    records++;
  }

  private void reserve(int bytes) {
    int wanted = Batch.blocksOf(buffer.position() + (long) bytes) * Batch.BLOCK_BYTES;
    if (wanted <= buffer.capacity()) {
      return;
    }
    int capacity = (int) Math.min(limit, Math.max(wanted, 2L * buffer.capacity()));
    ByteBuffer larger = aligned(capacity);
    larger.put(buffer.flip());
    buffer = larger;
  }

  /** Ends the batch: header and zeros. The result is what is to be written. */
  ByteBuffer end(int flags, long log, long ordinal, int block) {
    int bytes = buffer.position();
    int padded = Batch.blocksOf(bytes) * Batch.BLOCK_BYTES;
    while (buffer.position() + Long.BYTES <= padded) {
      buffer.putLong(0);
    }
    while (buffer.position() < padded) {
      buffer.put((byte) 0);
    }
    new Batch.Header(Batch.FORMAT, flags, log, epoch, ordinal, number, block, bytes, records)
        .put(buffer, 0, crc);
    return buffer.flip();
  }
}

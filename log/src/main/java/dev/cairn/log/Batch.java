// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * What one write puts on disk, and how it is read back.
 *
 * <pre>
 *   all numbers big-endian; name:4 is a number of 4 bytes
 *
 *   batch   =  header:64 record* zeros up to the next multiple of 4096
 *   header  =  magic:4 "CLOG"   format:2   flags:2        format 1; flags 1 FIRST, 2 COPY
 *              log:8                                      random, the same in all files of a log
 *              epoch:8                                    random, another each time a file is begun
 *              ordinal:8                                  counts segments from 1
 *              number:8                                   counts batches from 1; in a copied file, its own
 *              block:4                                    where the batch begins in its file, in blocks
 *              bytes:4                                    of header and records
 *              records:4
 *              zeros:8
 *              crc32c:4                                   over the 60 bytes before
 *   record  =  length:4   crc32c:4   kind:1   flags:1   zeros:2
 *              group:8   term:8   index:8   payload        {@link Change} has the kinds
 *              flags: 1 LAST of its append
 * </pre>
 *
 * A record's checksum covers epoch, batch number, the record's offset in its batch, and all of it
 * but the checksum. So a record shows as valid only where and when it was written. Magic, format
 * and the header's checksum keep their places in all versions to come.
 *
 * <p>Invariant: a batch that was read has been checked whole; nothing of a batch is used before.
 */
final class Batch {
  /** Batches begin at multiples of this: no write touches a block of another batch. */
  static final int BLOCK_BYTES = 4096;

  static final int HEADER_BYTES = 64;
  static final int RECORD_BYTES = 36;

  static final int MAGIC = 0x434c4f47;
  static final short FORMAT = 1;

  /** Begins a segment or a copied file. */
  static final int FIRST = 1;

  /** In a copied file. */
  static final int COPY = 2;

  /** A record with which an append is complete. */
  static final int LAST = 1;

  private static final int CHECKED_HEADER_BYTES = HEADER_BYTES - 4;

  /**
   * The head of a batch.
   *
   * @param log which log the file belongs to
   * @param epoch of the file's present use
   * @param ordinal of the segment; a copied file has that of the segment for which it stands
   * @param number of the batch
   * @param block where it begins
   * @param bytes of header and records
   * @param records how many
   */
  record Header(
      int format,
      int flags,
      long log,
      long epoch,
      long ordinal,
      long number,
      int block,
      int bytes,
      int records) {
    /** How many blocks the batch takes. */
    int blocks() {
      return blocksOf(bytes);
    }

    boolean is(int flag) {
      return (flags & flag) != 0;
    }

    void put(ByteBuffer into, int at, CRC32C crc) {
      into.putInt(at, MAGIC).putShort(at + 4, FORMAT).putShort(at + 6, (short) flags);
      into.putLong(at + 8, log).putLong(at + 16, epoch);
      into.putLong(at + 24, ordinal).putLong(at + 32, number);
      into.putInt(at + 40, block).putInt(at + 44, bytes).putInt(at + 48, records);
      into.putLong(at + 52, 0);
      into.putInt(at + CHECKED_HEADER_BYTES, checksum(into, at, CHECKED_HEADER_BYTES, crc));
    }

    /** Reads a header; null where there is none. One of a later format has its format only. */
    static Header read(ByteBuffer from, int at, CRC32C crc) {
      if (from.limit() - at < HEADER_BYTES
          || from.getInt(at) != MAGIC
          || from.getInt(at + CHECKED_HEADER_BYTES)
              != checksum(from, at, CHECKED_HEADER_BYTES, crc)) {
        return null;
      }
      Header header =
          new Header(
              from.getShort(at + 4),
              from.getShort(at + 6),
              from.getLong(at + 8),
              from.getLong(at + 16),
              from.getLong(at + 24),
              from.getLong(at + 32),
              from.getInt(at + 40),
              from.getInt(at + 44),
              from.getInt(at + 48));
      boolean sound = header.bytes >= HEADER_BYTES && header.records >= 0 && header.block >= 0;
      return sound ? header : null;
    }
  }

  private final Header header;
  private final ByteBuffer bytes;
  private final int[] offsets;

  private Batch(Header header, ByteBuffer bytes, int[] offsets) {
    this.header = header;
    this.bytes = bytes;
    this.offsets = offsets;
  }

  static int blocksOf(long bytes) {
    return (int) ((bytes + BLOCK_BYTES - 1) / BLOCK_BYTES);
  }

  static int checksum(ByteBuffer bytes, int at, int length, CRC32C crc) {
    crc.reset();
    crc.update(bytes.duplicate().position(at).limit(at + length));
    return (int) crc.getValue();
  }

  static int recordChecksum(
      ByteBuffer bytes, int at, int length, int offset, long epoch, long number, CRC32C crc) {
    crc.reset();
    update(crc, epoch);
    update(crc, number);
    update(crc, offset);
    ByteBuffer view = bytes.duplicate();
    crc.update(view.position(at).limit(at + 4));
    crc.update(view.limit(at + length).position(at + 8));
    return (int) crc.getValue();
  }

  private static void update(CRC32C crc, long value) {
    for (int shift = 56; shift >= 0; shift -= 8) {
      crc.update((int) (value >>> shift));
    }
  }

  /**
   * Checks the records behind a header.
   *
   * @param bytes the batch is at {@code at}, as far as the file has it
   * @return null when anything in it is not as it was written
   */
  static Batch read(Header header, ByteBuffer bytes, int at, CRC32C crc) {
    if (bytes.limit() - at < header.bytes
        || (header.bytes - HEADER_BYTES) / RECORD_BYTES < header.records) {
      return null;
    }
    int[] offsets = new int[header.records];
    int offset = HEADER_BYTES;
    for (int i = 0; i < header.records; i++) {
      if (header.bytes - offset < RECORD_BYTES) {
        return null;
      }
      int start = at + offset;
      int length = bytes.getInt(start);
      if (length < 0 || length > header.bytes - offset - RECORD_BYTES) {
        return null;
      }
      int whole = RECORD_BYTES + length;
      if (bytes.getInt(start + 4)
          != recordChecksum(bytes, start, whole, offset, header.epoch, header.number, crc)) {
        return null;
      }
      offsets[i] = start;
      offset += whole;
    }
    return offset == header.bytes ? new Batch(header, bytes, offsets) : null;
  }

  Header header() {
    return header;
  }

  int size() {
    return offsets.length;
  }

  byte kind(int i) {
    return bytes.get(offsets[i] + 8);
  }

  boolean endsAppend(int i) {
    return (bytes.get(offsets[i] + 9) & LAST) != 0;
  }

  long group(int i) {
    return bytes.getLong(offsets[i] + 12);
  }

  long term(int i) {
    return bytes.getLong(offsets[i] + 20);
  }

  long index(int i) {
    return bytes.getLong(offsets[i] + 28);
  }

  int payloadBytes(int i) {
    return bytes.getInt(offsets[i]);
  }

  byte[] payload(int i) {
    byte[] payload = new byte[payloadBytes(i)];
    payload(i, 0, payload, 0, payload.length);
    return payload;
  }

  void payload(int i, int from, byte[] into, int at, int length) {
    bytes.get(offsets[i] + RECORD_BYTES + from, into, at, length);
  }

  /** Of a part: the kind of the whole. */
  byte wholeKind(int i) {
    return bytes.get(offsets[i] + RECORD_BYTES);
  }

  /** Of a part: where in the whole it stands. */
  int partFrom(int i) {
    return bytes.getInt(offsets[i] + RECORD_BYTES + 1);
  }

  /** Of a part: how long the whole is. */
  int partTotal(int i) {
    return bytes.getInt(offsets[i] + RECORD_BYTES + 5);
  }

  @Override
  public String toString() {
    return header + " " + Arrays.toString(offsets);
  }
}

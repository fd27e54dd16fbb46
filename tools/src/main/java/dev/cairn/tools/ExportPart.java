// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * What an interrupted export left: whole lines up to some place, and perhaps half a line, or half a
 * member of gzip, behind it. Members end where a line does.
 *
 * @param header how it begins
 * @param lastKey its last whole record's; empty: it has none
 * @param records how many it has
 * @param bytes where the next one goes
 */
record ExportPart(RecordLines.Header header, Optional<byte[]> lastKey, long records, long bytes) {
  private static final int BUFFER_BYTES = 1 << 16;

  /** Reads all of it; empty: it has not even a header of this version. */
  static Optional<ExportPart> read(Path file, boolean packed) throws IOException {
    Reading reading = new Reading();
    try (PushbackInputStream in =
        new PushbackInputStream(Files.newInputStream(file), BUFFER_BYTES)) {
      if (packed) {
        readMembers(in, reading);
      } else {
        readLines(in, reading);
      }
    }
    return reading.part();
  }

  private static void readLines(InputStream in, Reading reading) throws IOException {
    byte[] buffer = new byte[BUFFER_BYTES];
    for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
      reading.take(buffer, length);
    }
    reading.keep(reading.wholeBytes);
  }

  /** Stops at the first member that is not whole. */
  private static void readMembers(PushbackInputStream in, Reading reading) throws IOException {
    long bytes = 0;
    while (true) {
      Optional<Member> member = Member.read(in);
      if (member.isEmpty()) {
        return;
      }
      reading.take(member.get().content, member.get().content.length);
      if (reading.ended) {
        return;
      }
      bytes += member.get().packedBytes;
      reading.keep(bytes);
    }
  }

  /** Lines as they come, cut anywhere. */
  private static final class Reading {
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private RecordLines.Header header;
    private Optional<byte[]> lastKey = Optional.empty();
    private long records;
    private long wholeBytes; // up to the end of the last whole line
    private boolean ended; // what follows is no part of it
    private Optional<ExportPart> kept = Optional.empty();

    void take(byte[] bytes, int length) {
      for (int i = 0; i < length && !ended; i++) {
        if (bytes[i] != '\n') {
          line.write(bytes[i]);
          ended = line.size() > PackedLines.LINE_BYTES_MAX;
        } else if (take(line.toByteArray())) {
          wholeBytes += line.size() + 1L;
          line.reset();
        } else {
          ended = true;
        }
      }
    }

    private boolean take(byte[] whole) {
      RecordLines.Line read;
      try {
        read = RecordLines.read(whole);
      } catch (IOException damaged) {
        return false;
      }
      if (header == null) {
        boolean begins =
            read instanceof RecordLines.Header first && first.format() == RecordLines.FORMAT;
        header = begins ? (RecordLines.Header) read : null;
        return begins;
      }
      if (read instanceof RecordLines.Stored stored) {
        lastKey = Optional.of(stored.entry().key());
        records++;
        return true;
      }
      return false;
    }

    /** Remembers what there is. */
    void keep(long bytes) {
      if (header != null) {
        kept = Optional.of(new ExportPart(header, lastKey, records, bytes));
      }
    }

    Optional<ExportPart> part() {
      return kept;
    }
  }

  /** One member, as {@link java.util.zip.GZIPOutputStream} writes it, read whole. */
  private record Member(byte[] content, long packedBytes) {
    private static final int HEADER_BYTES = 10;
    private static final int TRAILER_BYTES = 8;

    static Optional<Member> read(PushbackInputStream in) throws IOException {
      byte[] header = in.readNBytes(HEADER_BYTES);
      if (header.length < HEADER_BYTES
          || header[0] != 0x1f
          || header[1] != (byte) 0x8b
          || header[3] != 0) {
        return Optional.empty();
      }
      Inflater inflater = new Inflater(true);
      try {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        byte[] buffer = new byte[BUFFER_BYTES];
        byte[] packed = new byte[BUFFER_BYTES];
        int length = 0;
        while (!inflater.finished()) {
          if (inflater.needsInput()) {
            length = in.read(packed);
            if (length < 0) {
              return Optional.empty();
            }
            inflater.setInput(packed, 0, length);
          }
          content.write(buffer, 0, inflater.inflate(buffer));
        }
        in.unread(packed, length - inflater.getRemaining(), inflater.getRemaining());
        return checked(in, content.toByteArray(), HEADER_BYTES + inflater.getBytesRead());
      } catch (DataFormatException damaged) {
        return Optional.empty();
      } finally {
        inflater.end();
      }
    }

    private static Optional<Member> checked(InputStream in, byte[] content, long bytes)
        throws IOException {
      byte[] trailer = in.readNBytes(TRAILER_BYTES);
      CRC32 checksum = new CRC32();
      checksum.update(content);
      return trailer.length == TRAILER_BYTES
              && ByteBuffer.wrap(trailer).order(ByteOrder.LITTLE_ENDIAN).getInt()
                  == (int) checksum.getValue()
          ? Optional.of(new Member(content, bytes + TRAILER_BYTES))
          : Optional.empty();
    }
  }
}

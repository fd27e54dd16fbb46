// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.GZIPInputStream;

/**
 * The lines of a stream, unpacked where it is packed with gzip, which its content tells. Owned by
 * one thread, but for {@link #bytesRead}.
 */
final class PackedLines implements Closeable {
  /** The longest line: that of the longest value in base64, and more. */
  static final int LINE_BYTES_MAX = 32 * 1024 * 1024;

  private static final int BUFFER_BYTES = 64 * 1024;

  private final Counting counted;
  private final InputStream in;
  private final ByteLines lines;

  PackedLines(InputStream source) throws IOException {
    counted = new Counting(source);
    PushbackInputStream start =
        new PushbackInputStream(new BufferedInputStream(counted, BUFFER_BYTES), 2);
    byte[] magic = start.readNBytes(2);
    start.unread(magic);
    in = isPacked(magic) ? new GZIPInputStream(new Unended(start), BUFFER_BYTES) : start;
    lines = new ByteLines(in, LINE_BYTES_MAX);
  }

  private static boolean isPacked(byte[] magic) {
    return magic.length == 2 && magic[0] == 0x1f && magic[1] == (byte) 0x8b;
  }

  /** Bytes taken from the source so far, packed as they are there. Any thread. */
  long bytesRead() {
    return counted.count.get();
  }

  /** The next line that is not empty; empty at the end. */
  Optional<ByteLines.Line> next() throws IOException {
    Optional<ByteLines.Line> line = lines.next();
    while (line.isPresent() && line.get().bytes().length == 0) {
      line = lines.next();
    }
    return line;
  }

  /** Why a line that is too long cannot be taken. */
  static String tooLong() {
    return "longer than " + LINE_BYTES_MAX + " bytes";
  }

  @Override
  public void close() throws IOException {
    in.close();
  }

  /**
   * Whether there is more is found out by reading. {@link GZIPInputStream} takes a pipe that has
   * nothing at hand just then for one at its end, and would leave out the members that follow.
   */
  private static final class Unended extends FilterInputStream {
    Unended(InputStream in) {
      super(in);
    }

    @Override
    public int available() {
      return 1;
    }
  }

  private static final class Counting extends FilterInputStream {
    private final AtomicLong count = new AtomicLong();

    Counting(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      int next = super.read();
      if (next >= 0) {
        count.incrementAndGet();
      }
      return next;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int read = super.read(buffer, offset, length);
      if (read > 0) {
        count.addAndGet(read);
      }
      return read;
    }
  }
}

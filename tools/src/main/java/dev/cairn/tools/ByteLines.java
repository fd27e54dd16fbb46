// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/**
 * Reads lines as bytes, each ended by LF or CRLF, the last one by the end too. A line longer than
 * the bound is skipped to its end and reported as such. Owned by one thread.
 */
final class ByteLines {
  /**
   * One line.
   *
   * @param number counted from 1
   * @param bytes without its end; the beginning only, when it is too long
   */
  record Line(long number, byte[] bytes, boolean tooLong) {}

  private final BufferedInputStream in;
  private final int bytesMax;
  private long number;

  ByteLines(InputStream in, int bytesMax) {
    this.in = new BufferedInputStream(in, 64 * 1024);
    this.bytesMax = bytesMax;
  }

  Optional<Line> next() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream(128);
    boolean tooLong = false;
    boolean any = false;
    int next = in.read();
    while (next >= 0) {
      any = true;
      if (next == '\n') {
        break;
      }
      if (line.size() < bytesMax) {
        line.write(next);
      } else if (next != '\r') {
        tooLong = true;
      }
      next = in.read();
    }
    if (!any) {
      return Optional.empty();
    }
    byte[] bytes = line.toByteArray();
    if (bytes.length > 0 && bytes[bytes.length - 1] == '\r') {
      bytes = java.util.Arrays.copyOf(bytes, bytes.length - 1);
    }
    return Optional.of(new Line(++number, bytes, tooLong));
  }
}

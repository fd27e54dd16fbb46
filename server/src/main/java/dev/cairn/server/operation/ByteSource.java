// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;

/**
 * Reads what {@link ByteSink} writes, out of a buffer that came from a disk or from a peer: what is
 * unknown or out of its bounds is an {@link IOException}, an end too early is a {@link
 * BufferUnderflowException}, and nothing is allocated for what is not there.
 */
public final class ByteSource {
  private ByteSource() {}

  /** One of a closed set, as {@link ByteSink#choice} writes it. */
  static <E> E readEnum(ByteBuffer in, E[] values) throws IOException {
    return values[readSmall(in, values.length - 1)];
  }

  /** As {@link ByteSink#flag} writes it. */
  static boolean readFlag(ByteBuffer in) throws IOException {
    return readSmall(in, 1) == 1;
  }

  /** A number of one byte, 0 to a bound below 128. */
  static int readSmall(ByteBuffer in, int max) throws IOException {
    int value = in.get();
    if (value < 0 || value > max) {
      throw new IOException("unknown number " + value + " where at most " + max + " is known");
    }
    return value;
  }

  /**
   * A count of things of at least one byte each, so that what is allocated for them is bounded by
   * what is there.
   */
  public static int readCount(ByteBuffer in) throws IOException {
    int count = in.getInt();
    if (count < 0 || count > in.remaining()) {
      throw new IOException("a count of " + count + " with " + in.remaining() + " bytes left");
    }
    return count;
  }

  /** Length and bytes, as {@link ByteSink#bytes} writes them. */
  public static byte[] readBytes(ByteBuffer in) throws IOException {
    byte[] bytes = new byte[readCount(in)];
    in.get(bytes);
    return bytes;
  }
}

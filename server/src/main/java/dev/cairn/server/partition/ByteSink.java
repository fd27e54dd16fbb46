// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import java.nio.ByteBuffer;

/**
 * Where operations and queries are written: into a buffer, or, to learn how large one must be, into
 * nothing. So what is written stands once, and a value of 16 MiB is never copied from buffer to
 * larger buffer.
 */
public final class ByteSink {
  private final ByteBuffer buffer; // null: only counts
  private int size;

  private ByteSink(ByteBuffer buffer) {
    this.buffer = buffer;
  }

  static ByteSink counting() {
    return new ByteSink(null);
  }

  static ByteSink into(ByteBuffer buffer) {
    return new ByteSink(buffer);
  }

  int size() {
    return size;
  }

  ByteSink one(int value) {
    size += 1;
    if (buffer != null) {
      buffer.put((byte) value);
    }
    return this;
  }

  ByteSink flag(boolean value) {
    return one(value ? 1 : 0);
  }

  /** One of a closed set, by its place: the order of these enums is part of the format. */
  @SuppressWarnings("EnumOrdinal")
  ByteSink choice(Enum<?> value) {
    return one(value.ordinal());
  }

  ByteSink four(int value) {
    size += Integer.BYTES;
    if (buffer != null) {
      buffer.putInt(value);
    }
    return this;
  }

  ByteSink eight(long value) {
    size += Long.BYTES;
    if (buffer != null) {
      buffer.putLong(value);
    }
    return this;
  }

  /** Length and bytes. */
  ByteSink bytes(byte[] bytes) {
    four(bytes.length);
    size += bytes.length;
    if (buffer != null) {
      buffer.put(bytes);
    }
    return this;
  }
}

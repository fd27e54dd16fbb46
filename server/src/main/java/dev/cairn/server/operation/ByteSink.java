// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import dev.cairn.server.value.BitField;
import dev.cairn.server.value.Bits;
import java.nio.ByteBuffer;
import java.util.List;

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

  /** What a command on bits does, step by step. */
  ByteSink steps(List<BitField> steps) {
    four(steps.size());
    for (BitField step : steps) {
      choice(step.action()).flag(step.signed()).one(step.width());
      eight(step.offset()).eight(step.argument()).choice(step.overflow());
    }
    return this;
  }

  /** A part of a value. */
  ByteSink span(Bits.Span span) {
    return eight(span.start()).eight(span.end()).flag(span.bits());
  }
}

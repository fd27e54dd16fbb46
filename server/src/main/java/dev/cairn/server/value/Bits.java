// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.value;

import java.util.List;

/**
 * A value as a row of bits: bit 0 is the highest of the first byte. What lies behind its end is 0.
 */
public final class Bits {
  private Bits() {}

  /**
   * A stretch of a value, as BITCOUNT and BITPOS name it.
   *
   * @param start the first, from the end when negative
   * @param end the last, inclusive, from the end when negative
   * @param bits whether these count bits; bytes otherwise
   */
  public record Span(long start, long end, boolean bits) {
    /** All of a value. */
    public static final Span WHOLE = new Span(0, -1, false);

    private long from(int length) {
      return bound(start, length) * unit();
    }

    /** Exclusive. */
    private long to(int length) {
      return Math.min(bound(end, length) + 1, total(length)) * unit();
    }

    private long bound(long index, int length) {
      return index < 0 ? Math.max(0, total(length) + index) : Math.min(index, total(length));
    }

    private long total(int length) {
      return bits ? 8L * length : length;
    }

    private int unit() {
      return bits ? 1 : 8;
    }
  }

  /** How many bits are set. */
  public static long count(byte[] value, Span span) {
    long from = span.from(value.length);
    long to = span.to(value.length);
    long count = 0;
    while (from < to) {
      if (from % 8 == 0 && to - from >= 8) {
        count += Integer.bitCount(value[(int) (from / 8)] & 0xff);
        from += 8;
      } else {
        count += get(value, from++);
      }
    }
    return count;
  }

  /**
   * Where the first bit of a kind is, or -1.
   *
   * @param bit 0 or 1
   * @param endless whether zeros are thought to follow the value, which is where BITPOS finds a 0
   *     in nothing but ones
   */
  public static long position(byte[] value, int bit, Span span, boolean endless) {
    long from = span.from(value.length);
    long to = span.to(value.length);
    if (from >= to) {
      return -1;
    }
    byte skipped = (byte) (bit == 0 ? 0xff : 0);
    while (from < to) {
      if (from % 8 == 0 && to - from >= 8 && value[(int) (from / 8)] == skipped) {
        from += 8;
      } else if (get(value, from) == bit) {
        return from;
      } else {
        from++;
      }
    }
    return bit == 0 && endless ? 8L * value.length : -1;
  }

  /** The bit at an index of 0 or more. */
  static int get(byte[] value, long index) {
    long position = index >>> 3;
    return position >= value.length ? 0 : (value[(int) position] >>> (7 - (index & 7))) & 1;
  }

  static void set(byte[] value, long index, int bit) {
    int mask = 1 << (7 - (index & 7));
    int position = (int) (index >>> 3);
    value[position] = (byte) (bit == 0 ? value[position] & ~mask : value[position] | mask);
  }

  /** How BITOP combines. */
  public enum Combination {
    AND,
    OR,
    XOR,
    NOT
  }

  /** Combines values bit by bit; as long as the longest. NOT takes one. */
  public static byte[] combine(Combination how, List<byte[]> values) {
    int length = values.stream().mapToInt(value -> value.length).max().orElse(0);
    byte[] combined = new byte[length];
    for (int v = 0; v < values.size(); v++) {
      byte[] value = values.get(v);
      for (int i = 0; i < length; i++) {
        byte other = i < value.length ? value[i] : 0;
        combined[i] =
            switch (how) {
              case NOT -> (byte) ~other;
              case AND -> v == 0 ? other : (byte) (combined[i] & other);
              case OR -> (byte) (combined[i] | other);
              case XOR -> (byte) (combined[i] ^ other);
            };
      }
    }
    return combined;
  }
}

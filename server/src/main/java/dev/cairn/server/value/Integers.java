// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.value;

import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;

/**
 * Whole numbers as Redis writes them, and nothing else: decimal digits without leading zeros,
 * blanks or a plus, from -2^63 to 2^63 - 1. So a value that reads as a number is written back
 * unchanged.
 */
public final class Integers {
  private static final int LENGTH_MAX = 20;

  private Integers() {}

  /** The number that the text is, or empty when it is none. */
  public static OptionalLong parse(byte[] text) {
    return parse(text, 0);
  }

  /** The number that the text from {@code from} on is, or empty when it is none. */
  public static OptionalLong parse(byte[] text, int from) {
    int length = text.length - from;
    if (length == 1 && text[from] == '0') {
      return OptionalLong.of(0);
    }
    boolean negative = length > 0 && text[from] == '-';
    int first = negative ? from + 1 : from;
    if (length < 1
        || length > LENGTH_MAX
        || first == text.length
        || text[first] < '1'
        || text[first] > '9') {
      return OptionalLong.empty();
    }
    long value = 0; // negative, since there is one more negative number than positive ones
    for (int i = first; i < text.length; i++) {
      int digit = text[i] - '0';
      if (digit < 0 || digit > 9 || value < (Long.MIN_VALUE + digit) / 10) {
        return OptionalLong.empty();
      }
      value = value * 10 - digit;
    }
    if (negative) {
      return OptionalLong.of(value);
    }
    return value == Long.MIN_VALUE ? OptionalLong.empty() : OptionalLong.of(-value);
  }

  /** The text of a number. */
  public static byte[] format(long value) {
    return Long.toString(value).getBytes(StandardCharsets.US_ASCII);
  }
}

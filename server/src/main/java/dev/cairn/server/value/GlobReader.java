// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.value;

import java.util.ArrayList;
import java.util.List;

/**
 * Reads a pattern into what {@link Glob} looks for. Used once.
 *
 * <pre>
 * pattern := segment ('*' segment)*           one star or several in a row
 * segment := element*
 * element := '?' | '[' '^'? member* ']'? | '\' byte | byte
 * member  := '\' byte | byte '-' byte | byte  a range's ends in any order, compared as signed bytes
 * </pre>
 *
 * An element is a set of bytes: four words, a bit a byte.
 */
final class GlobReader {
  private static final int SET_WORDS = 256 / Long.SIZE;
  private static final long[] ANY = {-1, -1, -1, -1};

  private final byte[] pattern;
  private final boolean ignoreCase;
  private final long[][] single = new long[256][]; // sets of one byte, made when needed
  private int at;

  GlobReader(byte[] pattern, boolean ignoreCase) {
    this.pattern = pattern;
    this.ignoreCase = ignoreCase;
  }

  /** Whether a set has a byte. */
  static boolean has(long[] set, byte value) {
    return (set[(value & 0xff) / Long.SIZE] >>> value & 1) != 0;
  }

  /** The sets of each segment; one segment, perhaps empty, where there is no star. */
  List<List<long[]>> segments() {
    List<List<long[]>> segments = new ArrayList<>();
    List<long[]> segment = new ArrayList<>();
    segments.add(segment);
    while (at < pattern.length) {
      byte first = pattern[at++];
      if (first != '*') {
        segment.add(element(first));
      } else if (segments.size() == 1 || !segment.isEmpty()) {
        segment = new ArrayList<>();
        segments.add(segment);
      }
    }
    return segments;
  }

  private long[] element(byte first) {
    if (first == '?') {
      return ANY;
    }
    if (first == '[') {
      return set();
    }
    return single(first == '\\' && at < pattern.length ? pattern[at++] : first);
  }

  private long[] single(byte value) {
    int index = value & 0xff;
    if (single[index] == null) {
      single[index] = new long[SET_WORDS];
      addAnyCase(single[index], value);
    }
    return single[index];
  }

  /** After its bracket. A class that is empty matches no byte, a negated one each. */
  private long[] set() {
    boolean negated = at < pattern.length && pattern[at] == '^';
    at += negated ? 1 : 0;
    long[] set = new long[SET_WORDS];
    while (at < pattern.length && pattern[at] != ']') {
      if (pattern[at] == '\\' && at + 1 < pattern.length) {
        add(set, pattern[at + 1]); // whatever its case, only itself: so does Redis
        at += 2;
      } else if (at + 2 < pattern.length && pattern[at + 1] == '-') {
        addRange(set, pattern[at], pattern[at + 2]);
        at += 3;
      } else {
        addAnyCase(set, pattern[at++]);
      }
    }
    at = Math.min(at + 1, pattern.length);
    for (int i = 0; i < SET_WORDS && negated; i++) {
      set[i] = ~set[i];
    }
    return set;
  }

  /** The ends are put in order before their case is dropped, as in Redis. */
  private void addRange(long[] set, byte left, byte right) {
    int low = lower((byte) Math.min(left, right));
    int high = lower((byte) Math.max(left, right));
    for (int value = Byte.MIN_VALUE; value <= Byte.MAX_VALUE; value++) {
      int compared = lower((byte) value);
      if (compared >= low && compared <= high) {
        add(set, (byte) value);
      }
    }
  }

  private void addAnyCase(long[] set, byte value) {
    add(set, value);
    if (ignoreCase && lower(value) >= 'a' && lower(value) <= 'z') {
      add(set, lower(value));
      add(set, (byte) (lower(value) - 'a' + 'A'));
    }
  }

  private static void add(long[] set, byte value) {
    set[(value & 0xff) / Long.SIZE] |= 1L << value;
  }

  private byte lower(byte value) {
    return ignoreCase && value >= 'A' && value <= 'Z' ? (byte) (value - 'A' + 'a') : value;
  }
}

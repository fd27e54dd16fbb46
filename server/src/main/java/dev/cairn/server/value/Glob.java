// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.value;

import java.util.Arrays;
import java.util.List;

/**
 * A pattern of Redis: {@code *}, {@code ?}, {@code [a-c]}, {@code [^a]}, and a backslash before
 * what is meant as it stands. What it matches is what {@code stringmatchlen} of Redis 7.0.15
 * matches, odd cases included: a class that is not closed ends with the pattern, bytes of a range
 * are signed, and an empty text matches an empty pattern only.
 *
 * <p>The work is bounded. A pattern has at most {@value #BYTES_MAX} bytes. {@link #matcher} reads
 * it once: each element becomes a set of bytes, so that a class of any length costs one step. The
 * stars cut the pattern into segments, each of which is looked for from the left behind the one
 * before; what was once passed is never gone back to. So each byte of a text costs at most {@value
 * #SHORT_MAX} steps, or, in search of a longer segment, a step for each 64 of its elements: 67
 * million steps where text and pattern have 64 KiB each.
 *
 * <p>Immutable; so is a {@link Matcher}, for all that its callers see. It may hold 4 MiB.
 *
 * <p>Baeza-Yates, Gonnet: <i>A New Approach to Text Searching</i> (1992), for Shift-And.
 */
public final class Glob {
  /** Longest pattern, bytes: as long as a key may be. */
  public static final int BYTES_MAX = 65_536;

  /** Elements of the longest segment that is looked for place by place. */
  private static final int SHORT_MAX = 32;

  private static final String SPECIAL = "*?[\\";

  private final byte[] pattern;
  private final boolean ignoreCase;

  private Glob(byte[] pattern, boolean ignoreCase) {
    this.pattern = pattern;
    this.ignoreCase = ignoreCase;
  }

  /**
   * A pattern that tells capitals from small letters.
   *
   * @throws IllegalArgumentException if it is too long; the message is for whoever sent it
   */
  public static Glob of(byte[] pattern) {
    return checked(pattern, false);
  }

  /**
   * A pattern that takes capitals of ASCII for small letters.
   *
   * @throws IllegalArgumentException if it is too long; the message is for whoever sent it
   */
  public static Glob ignoringCase(byte[] pattern) {
    return checked(pattern, true);
  }

  private static Glob checked(byte[] pattern, boolean ignoreCase) {
    if (pattern.length > BYTES_MAX) {
      throw new IllegalArgumentException(
          "pattern must be at most %d bytes, this one has %d".formatted(BYTES_MAX, pattern.length));
    }
    return new Glob(pattern, ignoreCase);
  }

  /** What each text that matches begins with: the pattern up to its first special byte. */
  public byte[] prefix() {
    int end = 0;
    while (end < pattern.length && SPECIAL.indexOf(pattern[end]) < 0) {
      end++;
    }
    return Arrays.copyOf(pattern, end);
  }

  /** Whether it has no special byte: then only its own text matches. */
  public boolean isLiteral() {
    return prefix().length == pattern.length;
  }

  /** Whether every text but the empty one matches. */
  public boolean matchesAll() {
    return pattern.length == 1 && pattern[0] == '*';
  }

  /** Reads the pattern. Takes time in proportion to its length. */
  public Matcher matcher() {
    return new Matcher(new GlobReader(pattern, ignoreCase).segments());
  }

  /** Compares texts with a pattern. Any thread. */
  public static final class Matcher {
    private final List<Segment> segments;
    private final boolean empty;

    private Matcher(List<List<long[]>> sets) {
      segments = sets.stream().map(Segment::new).toList();
      empty = segments.size() == 1 && segments.get(0).length() == 0;
    }

    /** Whether a text matches. */
    public boolean matches(byte[] text) {
      if (text.length == 0) {
        return empty;
      }
      Segment first = segments.get(0);
      Segment last = segments.get(segments.size() - 1);
      if (segments.size() == 1) {
        return text.length == first.length() && first.isAt(text, 0);
      }
      int end = text.length - last.length();
      if (first.length() > end || !first.isAt(text, 0) || !last.isAt(text, end)) {
        return false;
      }
      int from = first.length();
      for (int i = 1; i < segments.size() - 1 && from >= 0; i++) {
        from = segments.get(i).endOfFirst(text, from, end);
      }
      return from >= 0;
    }
  }

  /** What stands between two stars: sets of bytes, each of which takes one byte of the text. */
  private static final class Segment {
    private final long[][] sets;
    private final int words;
    private volatile long[]
        masks; // of a long one, once it was looked for: by byte, a bit an element

    Segment(List<long[]> sets) {
      this.sets = sets.toArray(new long[0][]);
      words = (sets.size() + Long.SIZE - 1) / Long.SIZE;
    }

    int length() {
      return sets.length;
    }

    boolean isAt(byte[] text, int start) {
      for (int i = 0; i < sets.length; i++) {
        if (!GlobReader.has(sets[i], text[start + i])) {
          return false;
        }
      }
      return true;
    }

    /** The end of the first place in a part of the text where it is, or -1. */
    int endOfFirst(byte[] text, int from, int to) {
      if (sets.length > SHORT_MAX) {
        return shiftAnd(text, from, to);
      }
      for (int start = from; start + sets.length <= to; start++) {
        if (isAt(text, start)) {
          return start + sets.length;
        }
      }
      return -1;
    }

    /** Bit i of the state: the elements up to i match the text up to here. */
    private int shiftAnd(byte[] text, int from, int to) {
      long[] rows = masks;
      if (rows == null) {
        rows = masks();
        masks = rows; // two threads may make the same
      }
      long[] state = new long[words];
      int last = sets.length - 1;
      for (int at = from; at < to; at++) {
        int row = (text[at] & 0xff) * words;
        long carry = 1;
        for (int word = 0; word < words; word++) {
          long before = state[word];
          state[word] = ((before << 1) | carry) & rows[row + word];
          carry = before >>> (Long.SIZE - 1);
        }
        if ((state[last / Long.SIZE] >>> last & 1) != 0) {
          return at + 1;
        }
      }
      return -1;
    }

    private long[] masks() {
      long[] made = new long[256 * words];
      for (int i = 0; i < sets.length; i++) {
        for (int quarter = 0; quarter < sets[i].length; quarter++) {
          for (long rest = sets[i][quarter]; rest != 0; rest &= rest - 1) {
            int value = quarter * Long.SIZE + Long.numberOfTrailingZeros(rest);
            made[value * words + i / Long.SIZE] |= 1L << i;
          }
        }
      }
      return made;
    }
  }
}

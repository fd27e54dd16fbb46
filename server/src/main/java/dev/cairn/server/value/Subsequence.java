// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.value;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The longest common subsequence of two values, by the textbook's table of lengths; where several
 * are longest, the one that Redis finds.
 *
 * @param bytes the subsequence
 * @param matches where it runs in both without a gap, the last first
 */
public record Subsequence(byte[] bytes, List<Match> matches) {
  /** How many bytes the table may take: 64 MiB. */
  public static final long TABLE_BYTES_MAX = 64L << 20;

  /** A stretch that both have, both ends inclusive. */
  public record Match(int firstFrom, int firstTo, int secondFrom, int secondTo) {
    /** How long it is. */
    public int length() {
      return firstTo - firstFrom + 1;
    }
  }

  /** Whether the table for values of these lengths would be too large. */
  public static boolean isTooLarge(int first, int second) {
    return (first + 1L) * (second + 1L) * Integer.BYTES > TABLE_BYTES_MAX;
  }

  /** Finds it. Time and memory are the product of the lengths. */
  public static Subsequence of(byte[] first, byte[] second) {
    int[][] lengths = new int[first.length + 1][second.length + 1];
    for (int i = 1; i <= first.length; i++) {
      for (int j = 1; j <= second.length; j++) {
        lengths[i][j] =
            first[i - 1] == second[j - 1]
                ? lengths[i - 1][j - 1] + 1
                : Math.max(lengths[i - 1][j], lengths[i][j - 1]);
      }
    }
    byte[] found = new byte[lengths[first.length][second.length]];
    List<Match> matches = new ArrayList<>();
    Match run = null;
    int left = found.length;
    int i = first.length;
    int j = second.length;
    while (i > 0 && j > 0) {
      boolean ends = false;
      if (first[i - 1] == second[j - 1]) {
        found[--left] = first[i - 1];
        i--;
        j--;
        if (run == null) {
          run = new Match(i, i, j, j);
        } else if (run.firstFrom() == i + 1 && run.secondFrom() == j + 1) {
          run = new Match(i, run.firstTo(), j, run.secondTo());
        } else {
          ends = true;
        }
        ends |= run.firstFrom() == 0 || run.secondFrom() == 0;
      } else {
        if (lengths[i - 1][j] > lengths[i][j - 1]) {
          i--;
        } else {
          j--;
        }
        ends = run != null;
      }
      if (ends) {
        matches.add(run);
        run = null;
      }
    }
    return new Subsequence(found, matches);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Subsequence that
        && Arrays.equals(bytes, that.bytes)
        && matches.equals(that.matches);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }
}

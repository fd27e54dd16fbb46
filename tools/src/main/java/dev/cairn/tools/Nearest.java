// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/**
 * The name that was probably meant by a mistyped one: the one that the fewest edits lead to. An
 * edit is a letter too many, too few or another, or two neighbours in the wrong order.
 */
final class Nearest {
  /** A third of the letters may be wrong, two at least. */
  private static final int LETTERS_AN_EDIT = 3;

  private static final int EDITS_MIN = 2;

  private Nearest() {}

  static Optional<String> to(String typed, Collection<String> names) {
    String word = typed.toLowerCase(Locale.ROOT);
    int editsMax = Math.max(EDITS_MIN, word.length() / LETTERS_AN_EDIT);
    return names.stream()
        .filter(name -> Math.abs(name.length() - word.length()) <= editsMax)
        .filter(name -> edits(word, name) <= Math.min(editsMax, name.length() - 1))
        .min(
            Comparator.comparingInt((String name) -> edits(word, name))
                .thenComparing(name -> name));
  }

  private static int edits(String one, String other) {
    int[][] edits = new int[one.length() + 1][other.length() + 1];
    for (int i = 0; i <= one.length(); i++) {
      for (int j = 0; j <= other.length(); j++) {
        edits[i][j] = i == 0 || j == 0 ? i + j : least(edits, one, i, other, j);
      }
    }
    return edits[one.length()][other.length()];
  }

  private static int least(int[][] edits, String one, int i, String other, int j) {
    boolean same = one.charAt(i - 1) == other.charAt(j - 1);
    int least =
        Math.min(
            edits[i - 1][j - 1] + (same ? 0 : 1), Math.min(edits[i - 1][j], edits[i][j - 1]) + 1);
    boolean swapped =
        i > 1
            && j > 1
            && one.charAt(i - 1) == other.charAt(j - 2)
            && one.charAt(i - 2) == other.charAt(j - 1);
    return swapped ? Math.min(least, edits[i - 2][j - 2] + 1) : least;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

/**
 * Redis' patterns: {@code *}, {@code ?}, {@code [a-c]}, {@code [^a]}, and a backslash before what
 * is meant as it stands. Runs in time proportional to pattern times text: only the last star is
 * ever gone back to.
 */
final class Glob {
  private Glob() {}

  static boolean matches(String pattern, String text) {
    int p = 0;
    int t = 0;
    int starPattern = -1;
    int starText = -1;
    while (t < text.length()) {
      int next = p < pattern.length() ? step(pattern, p, text.charAt(t)) : -1;
      if (p < pattern.length() && pattern.charAt(p) == '*') {
        starPattern = ++p;
        starText = t;
      } else if (next >= 0) {
        p = next;
        t++;
      } else if (starPattern >= 0) {
        p = starPattern;
        t = ++starText;
      } else {
        return false;
      }
    }
    while (p < pattern.length() && pattern.charAt(p) == '*') {
      p++;
    }
    return p == pattern.length();
  }

  /** The index after the element at {@code p} if it matches the character, else -1. */
  private static int step(String pattern, int p, char c) {
    char first = pattern.charAt(p);
    if (first == '?') {
      return p + 1;
    }
    if (first == '[') {
      return set(pattern, p + 1, c);
    }
    if (first == '\\' && p + 1 < pattern.length()) {
      return pattern.charAt(p + 1) == c ? p + 2 : -1;
    }
    return first == c ? p + 1 : -1;
  }

  private static int set(String pattern, int from, char c) {
    int p = from;
    boolean negated = p < pattern.length() && pattern.charAt(p) == '^';
    if (negated) {
      p++;
    }
    boolean found = false;
    while (p < pattern.length() && pattern.charAt(p) != ']') {
      if (pattern.charAt(p) == '\\' && p + 1 < pattern.length()) {
        p++;
        found |= pattern.charAt(p) == c;
      } else if (p + 2 < pattern.length() && pattern.charAt(p + 1) == '-') {
        char low = pattern.charAt(p);
        char high = pattern.charAt(p + 2);
        found |= c >= Math.min(low, high) && c <= Math.max(low, high);
        p += 2;
      } else {
        found |= pattern.charAt(p) == c;
      }
      p++;
    }
    return found != negated ? Math.min(p + 1, pattern.length()) : -1;
  }
}

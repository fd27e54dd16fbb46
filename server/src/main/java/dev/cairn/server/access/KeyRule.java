// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.access;

import dev.cairn.server.value.Glob;
import java.nio.charset.StandardCharsets;

/** A pattern of keys, and what may be done to those that match: {@code ~pattern %R~pattern}. */
final class KeyRule {
  private final String pattern;
  private final int directions;
  private final boolean plain; // of letters, and perhaps one star at its end
  private final byte[] prefix;
  private final Glob.Matcher matcher;

  /**
   * A rule.
   *
   * @param pattern a byte a character
   * @param directions {@link User.KeyUse#READ}, {@link User.KeyUse#WRITE} or both
   */
  KeyRule(String pattern, int directions) {
    this.pattern = pattern;
    this.directions = directions;
    byte[] bytes = pattern.getBytes(StandardCharsets.ISO_8859_1);
    Glob glob = Glob.of(bytes);
    prefix = glob.prefix();
    plain =
        prefix.length > 0
            && prefix.length == bytes.length - 1
            && bytes[prefix.length] == (byte) '*';
    matcher = glob.matcher();
  }

  String pattern() {
    return pattern;
  }

  int directions() {
    return directions;
  }

  /** Whether it lets a key be used so. A key of which nothing is told needs no direction. */
  boolean allows(byte[] key, int wanted) {
    return (directions & wanted) == wanted && matches(key);
  }

  private boolean matches(byte[] key) {
    if (!plain) {
      return matcher.matches(key);
    }
    if (key.length < prefix.length) {
      return false;
    }
    for (int i = 0; i < prefix.length; i++) {
      if (key[i] != prefix[i]) {
        return false;
      }
    }
    return true;
  }

  /** As a rule. */
  String text() {
    return switch (directions) {
      case User.KeyUse.READ -> "%R~" + pattern;
      case User.KeyUse.WRITE -> "%W~" + pattern;
      default -> "~" + pattern;
    };
  }
}

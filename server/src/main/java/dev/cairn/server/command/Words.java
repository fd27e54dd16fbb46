// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Words of requests, as they are compared and as errors repeat them. */
final class Words {
  static final int QUOTED_BYTES_MAX = 128;

  private Words() {}

  /** In small letters, for names. */
  static String lower(byte[] word) {
    return new String(word, StandardCharsets.ISO_8859_1).toLowerCase(Locale.ROOT);
  }

  /** A word as errors repeat it: as text, up to the first 0 as in Redis. */
  static String shown(byte[] word) {
    String text = new String(word, StandardCharsets.UTF_8);
    int end = text.indexOf(0);
    return end < 0 ? text : text.substring(0, end);
  }

  /** As {@link #shown}, cut after 128 characters. */
  static String quoted(byte[] word) {
    String text = shown(word);
    return text.substring(0, Math.min(text.length(), QUOTED_BYTES_MAX));
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import java.util.Locale;

/** Words and numbers as reports write them. */
final class Text {
  private Text() {}

  static String of(Distribution distribution) {
    return distribution.name().toLowerCase(Locale.ROOT);
  }

  /** {@code 50}, {@code 99.9}. */
  static String percentile(double percentile) {
    return percentile == Math.rint(percentile)
        ? Long.toString((long) percentile)
        : Double.toString(percentile);
  }
}

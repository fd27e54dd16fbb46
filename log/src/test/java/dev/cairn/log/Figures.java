// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.util.Map;

/** Figures of a log for tests of other modules. */
public final class Figures {
  private Figures() {}

  /** How many files of each kind there are, and the ordinal of the newest segment. */
  public static Map<String, Long> of(Log log) {
    return log.counts();
  }
}

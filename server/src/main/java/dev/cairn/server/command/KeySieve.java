// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import java.util.function.Predicate;

/** Tells keys that are wanted from others, a page after the other. */
@FunctionalInterface
interface KeySieve {
  /** For the keys of one page, on one thread. */
  Predicate<byte[]> wanted();

  /** Whether a look at a page is more work than an event loop has time for. */
  default boolean takesLong() {
    return false;
  }
}

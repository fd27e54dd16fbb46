// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.io.Closeable;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;

/** Pairs of key and value that come one a line. Owned by one thread, but for {@link #bytesRead}. */
interface Pairs extends Closeable {
  /** What a line holds. */
  sealed interface Entry permits Pair, Malformed {
    /** Counted from 1. */
    long lineNumber();
  }

  /**
   * A pair.
   *
   * @param expiresAtMillis since 1970; empty: it does not expire
   */
  record Pair(long lineNumber, byte[] key, byte[] value, OptionalLong expiresAtMillis)
      implements Entry {}

  /** No pair, and why. */
  record Malformed(long lineNumber, String why) implements Entry {}

  /** What the next line holds; empty at the end. */
  Optional<Entry> next() throws IOException;

  /** Bytes taken from the source so far, packed as they are there. Any thread. */
  long bytesRead();

  /** What is wrong with how it ended; empty: nothing. */
  default Optional<String> endedBadly() {
    return Optional.empty();
  }
}

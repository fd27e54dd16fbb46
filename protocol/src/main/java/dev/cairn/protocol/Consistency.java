// SPDX-License-Identifier: Apache-2.0
package dev.cairn.protocol;

import java.util.Locale;
import java.util.Optional;

/** How much a read or a write waits for. */
public enum Consistency {
  /**
   * A read of any full replica's own state: it may be out of date, and works where no majority is
   * left. Not for writes: an acknowledged write is never on fewer than a majority.
   */
  ONE,

  /** A read is linearizable; a write is on disk on a majority of its partition's voters. */
  QUORUM,

  /**
   * A read is linearizable and every full replica has caught up to it; a write is on disk on every
   * full replica. Refused at once while one of them is down.
   */
  ALL;

  /** The level of this name in any case, if there is one. */
  public static Optional<Consistency> named(String name) {
    for (Consistency level : values()) {
      if (level.name().equalsIgnoreCase(name)) {
        return Optional.of(level);
      }
    }
    return Optional.empty();
  }

  /** Its name in lower case, as configuration and options have it. */
  public String lowerName() {
    return name().toLowerCase(Locale.ROOT);
  }
}

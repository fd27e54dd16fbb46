// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.server.access.ClientAddress;
import java.util.Locale;
import java.util.Optional;

/** Whose SHUTDOWN ends a node, in the manner of Redis' {@code enable-debug-command}. */
public enum ShutdownBy {
  /** Nobody's. */
  NO,

  /** That of a client that connects from a loopback address. */
  LOCAL,

  /** That of everybody who can connect. */
  YES;

  /** Its name in settings. */
  public String lowerName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The one of that name, in any case. */
  public static Optional<ShutdownBy> named(String text) {
    for (ShutdownBy each : values()) {
      if (each.name().equalsIgnoreCase(text)) {
        return Optional.of(each);
      }
    }
    return Optional.empty();
  }

  /**
   * Whether a client may.
   *
   * @param address of the client, {@code 127.0.0.1:40000} or {@code 0:0:0:0:0:0:0:1:40000}
   */
  boolean allows(String address) {
    return this == YES || (this == LOCAL && ClientAddress.of(address).isLocal());
  }
}

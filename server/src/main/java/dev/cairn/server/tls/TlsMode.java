// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** Whether a port speaks TLS. */
public enum TlsMode {
  /** It does not. */
  OFF,
  /** It speaks both; the first byte of a connection says which. For moving a cluster over. */
  OPTIONAL,
  /** It speaks nothing else. */
  REQUIRED;

  /** As in a setting. */
  public String lowerName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The mode of that name. */
  public static Optional<TlsMode> named(String name) {
    return Arrays.stream(values()).filter(mode -> mode.lowerName().equals(name)).findFirst();
  }
}

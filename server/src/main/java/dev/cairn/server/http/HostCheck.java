// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import io.netty.util.NetUtil;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Keeps pages elsewhere from reaching a node through somebody's browser. A page may have its own
 * name resolve to this node's address (DNS rebinding): then the browser says that name as Host. So
 * only an address, {@code localhost}, or a name of the cluster's is taken.
 */
final class HostCheck {
  private HostCheck() {}

  /** The name in a Host header or an authority, in lower case; empty if it is none. */
  static Optional<String> name(String authority) {
    try {
      URI uri = new URI("http://" + authority);
      boolean only =
          uri.getHost() != null
              && uri.getRawUserInfo() == null
              && uri.getRawPath().isEmpty()
              && uri.getRawQuery() == null
              && uri.getRawFragment() == null;
      return only ? Optional.of(uri.getHost().toLowerCase(Locale.ROOT)) : Optional.empty();
    } catch (URISyntaxException e) {
      return Optional.empty();
    }
  }

  /** Whether a name cannot be somebody else's. */
  static boolean trusted(String name, Predicate<String> known) {
    return name.startsWith("[")
        || NetUtil.isValidIpV4Address(name)
        || name.equals("localhost")
        || known.test(name);
  }
}

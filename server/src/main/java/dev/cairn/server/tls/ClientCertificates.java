// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import io.netty.handler.ssl.ClientAuth;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * Whether a client of a port that speaks TLS shows a certificate. One that it shows must be good.
 */
public enum ClientCertificates {
  /** It is not asked for one. */
  NONE(ClientAuth.NONE),
  /** It is asked, and may have none. */
  OPTIONAL(ClientAuth.OPTIONAL),
  /** Without one the handshake fails. */
  REQUIRED(ClientAuth.REQUIRE);

  private final ClientAuth netty;

  ClientCertificates(ClientAuth netty) {
    this.netty = netty;
  }

  /** As in a setting. */
  public String lowerName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The one of that name. */
  public static Optional<ClientCertificates> named(String name) {
    return Arrays.stream(values()).filter(each -> each.lowerName().equals(name)).findFirst();
  }

  ClientAuth netty() {
    return netty;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;

/** When certificates end. */
final class Expiry {
  private Expiry() {}

  /** When the first of a chain does: from then on the whole of it is of no use. */
  static Instant first(List<X509Certificate> chain) {
    return chain.stream()
        .map(certificate -> certificate.getNotAfter().toInstant())
        .min(Comparator.naturalOrder())
        .orElseThrow();
  }
}

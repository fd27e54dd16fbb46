// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where a certificate and its key stand.
 *
 * @param certificate PEM, its own first and then those that lead to its CA; or PKCS12
 * @param key PEM; empty when the certificate's file has the key too
 * @param password where the password of the key or the PKCS12 file stands, if it has one
 */
public record IdentityFiles(Path certificate, Optional<Path> key, Optional<Path> password) {
  /** All of them. */
  List<Path> all() {
    return Stream.of(Optional.of(certificate), key, password).flatMap(Optional::stream).toList();
  }
}

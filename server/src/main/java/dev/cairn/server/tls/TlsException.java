// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

/**
 * A file that holds no certificate, key or secret that can be used. The message says what to do.
 */
public final class TlsException extends Exception {
  private static final long serialVersionUID = 1;

  TlsException(String message) {
    super(message);
  }

  TlsException(String message, Throwable cause) {
    super(message, cause);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

/** What a client sent cannot be read on: it is told why, after all earlier replies, and closed. */
final class ProtocolError extends Exception {
  private static final long serialVersionUID = 1;

  /** An error with Redis' text. */
  ProtocolError(String message) {
    super(message, null, false, false);
  }
}

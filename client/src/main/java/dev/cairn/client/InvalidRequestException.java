// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

/**
 * The request breaks a rule that the client knows (an empty key, a value too large): never sent.
 */
public final class InvalidRequestException extends CairnException {
  private static final long serialVersionUID = 1L;

  InvalidRequestException(String message, Throwable cause) {
    super(message, cause);
  }
}

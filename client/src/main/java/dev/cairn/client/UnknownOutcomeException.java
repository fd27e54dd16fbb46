// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

/**
 * The write left this process and no certain answer came back: it may or may not have been applied,
 * and may yet be. Read the key before writing again. The client never repeats it by itself.
 */
public final class UnknownOutcomeException extends CairnException {
  private static final long serialVersionUID = 1L;

  UnknownOutcomeException(String message, Throwable cause) {
    super(message, cause);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

/**
 * The node cannot start as it was asked to, and a person can change that: wrong setting, port or
 * folder in use, data of another cluster. The message is one line that says what to do; it is
 * printed without a stack trace and the process ends with status 2.
 */
public final class StartException extends Exception {
  private static final long serialVersionUID = 1L;

  public StartException(String message) {
    super(message);
  }

  public StartException(String message, Throwable cause) {
    super(message, cause);
  }
}

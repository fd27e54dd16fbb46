// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

/** What a server sent is no reply of Redis' protocol. */
final class MalformedReplyException extends Exception {
  private static final long serialVersionUID = 1;

  MalformedReplyException(String message) {
    super(message);
  }
}

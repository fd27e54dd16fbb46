// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

/** A group that is being closed was asked for something: nothing was done. */
final class GroupClosedException extends IllegalStateException {
  private static final long serialVersionUID = 1;

  GroupClosedException(String message) {
    super(message);
  }
}

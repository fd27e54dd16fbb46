// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

/** The state cannot be read or written: a fault of this node, which stops the replica. */
public final class StateException extends RuntimeException {
  /** Says what cannot be done. */
  public StateException(String message) {
    super(message);
  }

  /** Says what cannot be done, and why. */
  public StateException(String message, Throwable cause) {
    super(message, cause);
  }
}

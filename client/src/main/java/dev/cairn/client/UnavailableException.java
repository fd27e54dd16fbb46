// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

/**
 * No node answered before the deadline. The request was certainly not applied and may be sent
 * again.
 */
public final class UnavailableException extends CairnException {
  private static final long serialVersionUID = 1L;

  /** Why nobody answered. */
  public enum Reason {
    /** No node could be reached at all. */
    NO_NODE,
    /** Nodes answered, but the key's partition has no leader with a majority behind it. */
    NO_MAJORITY,
    /** This client already has as many requests in flight as it may. */
    TOO_MANY_IN_FLIGHT,
    /** The client was closed, or the caller interrupted, before the request was sent. */
    STOPPED
  }

  private final Reason reason;

  UnavailableException(Reason reason, String message, Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  /** Why nobody answered. */
  public Reason reason() {
    return reason;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

/**
 * The write was applied and is durable on a majority, but not on every replica that the consistency
 * level asked for.
 */
public final class NotOnAllReplicasException extends CairnException {
  private static final long serialVersionUID = 1L;

  NotOnAllReplicasException(String message, Throwable cause) {
    super(message, cause);
  }
}

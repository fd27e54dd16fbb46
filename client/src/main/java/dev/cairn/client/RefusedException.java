// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

/**
 * A node refused the request for a reason that does not pass by itself. It was certainly not
 * applied.
 */
public final class RefusedException extends CairnException {
  private static final long serialVersionUID = 1L;

  private final String code;

  RefusedException(String code, String message) {
    super(message, null);
    this.code = code;
  }

  /** The first word of the node's error, such as {@code ERR} or {@code OOM}. */
  public String code() {
    return code;
  }
}

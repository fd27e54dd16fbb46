// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

/** An answer would take a look at the disk, or long. Thrown often; nobody asks from where. */
public final class NotInMemoryException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** For whoever answers from memory. */
  public NotInMemoryException() {
    super("this is for a thread that may take its time", null, false, false);
  }
}

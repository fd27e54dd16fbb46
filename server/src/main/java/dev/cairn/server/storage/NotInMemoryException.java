// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

/** An answer would take a look at the disk. Thrown often, and where nobody asks from where. */
public final class NotInMemoryException extends RuntimeException {
  private static final long serialVersionUID = 1;

  NotInMemoryException() {
    super("the disk has to be asked", null, false, false);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

/** Rows in the unsigned order of their keys; begins before the first. For one thread. */
public interface Cursor extends AutoCloseable {
  /** Goes to the next row; false if there is none. */
  boolean next();

  /** The row's key, whole. */
  byte[] key();

  /** What stands there; null in a table of changes for a row that goes. */
  byte[] value();

  @Override
  default void close() {}
}

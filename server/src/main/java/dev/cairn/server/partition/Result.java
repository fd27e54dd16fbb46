// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

/** What one {@link Operation} or {@link Query} answers. */
public sealed interface Result {
  /** Done; there is nothing more to say. */
  record Ok() implements Result {}

  /** There is no such key. */
  record Nil() implements Result {}

  /** A number. */
  record Int(long value) implements Result {}

  /** A value; never modified after construction. */
  record Bytes(byte[] value) implements Result {}
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

/**
 * One change of one key, as it stands in the replicated log. Deterministic: its effect depends on
 * nothing but the partition's data and what it carries.
 */
public sealed interface Operation {
  /** The key, 1 to 65,536 bytes. Never modified after construction. */
  byte[] key();

  /** Stores a value, replacing any. Answers {@link Result.Ok}. */
  record Put(byte[] key, byte[] value) implements Operation {}

  /** Removes a key. Answers {@link Result.Int} 1 where there was one, else 0. */
  record Delete(byte[] key) implements Operation {}
}

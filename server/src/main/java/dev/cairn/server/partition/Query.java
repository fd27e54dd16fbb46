// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

/** One question to one partition's data. Changes nothing. */
public sealed interface Query {
  /** A key's value. Answers {@link Result.Bytes} or {@link Result.Nil}. */
  record Get(byte[] key) implements Query {}

  /** Whether a key is there. Answers {@link Result.Int} 1 or 0. */
  record Exists(byte[] key) implements Query {}

  /** How many keys the partition holds. Answers {@link Result.Int}. */
  record Count() implements Query {}
}

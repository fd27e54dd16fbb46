// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

/** What a voter keeps. */
public enum Role {
  /** The log and the data. */
  REPLICA,
  /** The log alone. It votes, and leads only to hand leadership on to a replica. */
  WITNESS
}

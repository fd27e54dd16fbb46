// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

/**
 * What a group's state machine and its clients are told by a {@link Shard} at the end of a round.
 */
public interface Replica {
  /** Entries up to an index may be applied; {@link Shard#applied} says how far that has come. */
  void apply(long upTo);

  /**
   * This member stands otherwise than before. What it proposed in an earlier term may happen or
   * not.
   *
   * @param term the highest that it has seen
   * @param leader who leads in it; null if that is not known
   * @param leads whether that is this member
   */
  void stands(long term, Peer leader, boolean leads);

  /** A read may be answered from the state as it is. */
  void answer(ReadGrant grant);

  /** A read gets no answer here: this member does not lead any more. */
  void refuse(long token);

  /**
   * A snapshot is to be fetched; {@link Shard#installed} or {@link Shard#installFailed} answers.
   */
  void fetch(SnapshotOffer offer);
}

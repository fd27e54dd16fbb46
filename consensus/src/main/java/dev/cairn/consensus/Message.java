// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import java.util.List;

/**
 * What one member of a group tells another. Each message carries its sender's term, but for a
 * pre-vote, which carries the term that its sender would stand for.
 *
 * <p>Messages may be lost, doubled, delayed and reordered. A message for another incarnation than
 * the receiver's is dropped.
 */
public sealed interface Message {
  /** Who sent it. */
  Peer from();

  /** Who is to have it. */
  Peer to();

  /** The sender's term; of a {@link Ballot#PRE} vote, and of the yes to one, the term asked for. */
  long term();

  /** How a candidate stands. */
  enum Ballot {
    /** Asks whether an election could be won; changes nothing. */
    PRE,
    /** Stands. */
    REAL,
    /** Stands because the leader asked it to; a voter that hears that leader votes all the same. */
    TRANSFER
  }

  /** Asks for a vote. */
  record Vote(Peer from, Peer to, long term, Ballot ballot, long lastIndex, long lastTerm)
      implements Message {}

  /** Answers one. A refusal carries the voter's own term. */
  record VoteReply(Peer from, Peer to, long term, Ballot ballot, boolean granted)
      implements Message {}

  /**
   * Entries behind (prevIndex, prevTerm), none of them to ask where the log ends.
   *
   * @param commit how far the leader has committed
   * @param round the leader's latest question whether it still leads
   * @param keep what a witness may drop
   */
  record Append(
      Peer from,
      Peer to,
      long term,
      long prevIndex,
      long prevTerm,
      List<Entry> entries,
      long commit,
      long round,
      Keep keep)
      implements Message {}

  /**
   * What a witness must keep of its log for replicas that are behind.
   *
   * @param from the first index that some full replica has not flushed
   * @param configurationIndex where the configuration stands by which that was reckoned; one that
   *     is older than the witness' own is ignored, since it may not count all replicas
   */
  record Keep(long from, long configurationIndex) {
    /** Keep everything. */
    static final Keep ALL = new Keep(0, 0);
  }

  /**
   * Answers an Append.
   *
   * @param accepted whether the log had (prevIndex, prevTerm)
   * @param index accepted: all up to here is durable and equal to the leader's. Else: the prevIndex
   *     that was refused.
   * @param hintIndex refused: no entry above this one can match
   * @param hintTerm refused: the term of the entry there
   * @param round the question that this answers
   * @param flushed how far the sender's data is durable without its log
   * @param base the entry before the first one that the sender's log has
   * @param commit how far the sender knows entries to be committed
   */
  record AppendReply(
      Peer from,
      Peer to,
      long term,
      boolean accepted,
      long index,
      long hintIndex,
      long hintTerm,
      long round,
      long flushed,
      long base,
      long commit)
      implements Message {}

  /** Says who leads, and asks whether that is still so; without entries. */
  record Beat(Peer from, Peer to, long term, long commit, long round, Keep keep)
      implements Message {}

  /**
   * Answers a Beat.
   *
   * @param commit how far the sender knows entries to be committed
   * @param installing whether the sender is fetching a snapshot
   */
  record BeatReply(
      Peer from, Peer to, long term, long round, long flushed, long commit, boolean installing)
      implements Message {}

  /**
   * Offers a snapshot, since the log no longer reaches back far enough. It is fetched elsewhere.
   *
   * @param reference the least that the copy will cover
   */
  record Install(Peer from, Peer to, long term, SnapshotReference reference) implements Message {}

  /** Says that an Install has ended: at the index, or at 0 in vain. */
  record InstallReply(Peer from, Peer to, long term, long index) implements Message {}

  /** Asks the receiver to stand at once. */
  record TakeOver(Peer from, Peer to, long term) implements Message {}

  /** Answers a message of a lower term, so that its sender learns of the higher one. */
  record Outdated(Peer from, Peer to, long term) implements Message {}
}

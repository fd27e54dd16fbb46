// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * One Raft group as the rest of the node sees it: propose, read, hand over, shut down.
 *
 * <p>Threads: methods may be called by any thread and do not block, but for {@link #close} and
 * where one says so.
 */
public interface RaftGroup extends AutoCloseable {
  /** The group's name, the same on all its members. */
  String name();

  /**
   * Proposes an entry.
   *
   * @param data the entry; not modified afterwards
   * @param term the term in which this node leads: in any other the proposal is refused
   * @param proposal told what became of it, exactly as {@link Proposal} says
   */
  void propose(byte[] data, long term, Proposal proposal);

  /**
   * Makes sure that this node leads in a term: that nobody led in a later one before this call.
   *
   * @param term the term in which {@link GroupListener#leaderStarted} told it to lead
   * @param done called exactly once, on a thread that must not block; empty when it is so, else why
   *     it is not certain
   */
  void confirmLeadership(long term, Consumer<Optional<String>> done);

  /** Says which members hold no data. None are known at first. */
  void witnesses(Set<Peer> peers);

  /** The peer that this node follows, once its state machine has been told. A field read. */
  Optional<Peer> followed();

  /** Whether its state machine was ever told who leads, since it was opened. A field read. */
  boolean heardOfLeader();

  /** The peer that leads, as far as this node knows. A field read. */
  Optional<Peer> leader();

  /** The current term. */
  long term();

  /** The index up to which the state machine has been fed; 0 once the group is stopping. */
  long appliedIndex();

  /** The voters, as the leader has them; empty when this node does not lead. */
  Optional<Set<Peer>> voters();

  /**
   * Changes who votes, by joint consensus; a new voter is brought up to date first. Only the leader
   * can.
   *
   * @param learners members without a vote
   * @param done empty when the new configuration is in force, else why not; it may be in force all
   *     the same
   */
  void changeVoters(
      Collection<Peer> voters, Collection<Peer> learners, Consumer<Optional<String>> done);

  /**
   * Begins to hand leadership to a peer; a leader that cannot goes on to lead. Nobody is told which
   * it is, but by who leads afterwards.
   */
  void transferLeadership(Peer target);

  /** Stands for election at once, if this group has never had a term. */
  void campaignInFirstTerm();

  /**
   * Saves a snapshot, which lets the log before it go.
   *
   * @param done empty when saved, else why not
   */
  void snapshot(Consumer<Optional<String>> done);

  /**
   * Lets go of a witness' log up to an index although a full replica may need it: the log has
   * reached its bound.
   */
  void cutLog(long upTo);

  /** Ends the group's work in this process, and waits for it. Its log stays. */
  @Override
  void close();
}

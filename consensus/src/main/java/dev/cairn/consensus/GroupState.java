// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import java.util.random.RandomGenerator;

/**
 * What all parts of a group share: term, vote, standing, log, and what is on its way out.
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>The term never falls; in one term at most one peer gets this one's vote.
 *   <li>Each change of term or vote is in a Write before a message speaks of it.
 *   <li>commit never falls and never exceeds the log's end.
 * </ol>
 */
final class GroupState {
  /** What a member is at the moment. */
  enum Standing {
    FOLLOWER,
    /** Asks whether it could win. */
    PRE_CANDIDATE,
    CANDIDATE,
    LEADER
  }

  final Peer self;
  private final Role role;
  final Settings settings;
  final RandomGenerator random;
  final LogView log;
  final Outbox outbox = new Outbox();

  private long term;
  private Peer votedFor;
  private long hardSequence;
  private Standing standing = Standing.FOLLOWER;
  private Peer leader;
  private long commit;
  private long applied;
  private long flushed;
  private long now;

  GroupState(
      Member self, Settings settings, RandomGenerator random, LogView log, HardState hardState) {
    this.self = self.peer();
    this.role = self.role();
    this.settings = settings;
    this.random = random;
    this.log = log;
    this.term = hardState.term();
    this.votedFor = hardState.votedFor();
    this.commit = log.base();
  }

  /** Time moves on; it never goes back. */
  void advance(long nowMillis) {
    now = Math.max(now, nowMillis);
  }

  long now() {
    return now;
  }

  long term() {
    return term;
  }

  Peer votedFor() {
    return votedFor;
  }

  Standing standing() {
    return standing;
  }

  boolean leads() {
    return standing == Standing.LEADER;
  }

  /** Who leads in this term; null if that is not known. */
  Peer leader() {
    return leader;
  }

  long commit() {
    return commit;
  }

  long applied() {
    return applied;
  }

  long flushed() {
    return flushed;
  }

  Configuration configuration() {
    return log.configuration();
  }

  /**
   * Whether this member may stand: it votes by a configuration that may still hold. One that its
   * latest configuration no longer names may be needed until that is committed, since it may be the
   * only one that has it (Ongaro's thesis, 4.2.2).
   */
  boolean mayStand() {
    return log.namesVoterSince(commit, self);
  }

  /** Whether this member keeps no data; a configuration that no longer names it changes nothing. */
  boolean isWitness() {
    return role == Role.WITNESS;
  }

  /** Whether another one keeps no data, by the configuration that is known here. */
  boolean isWitness(Peer peer) {
    return configuration().roleOf(peer).orElse(Role.REPLICA) == Role.WITNESS;
  }

  /** Goes on as a follower, in this term or a higher one. */
  void follow(long newTerm, Peer newLeader) {
    if (newTerm < term) {
      throw new IllegalStateException("term " + newTerm + " is below " + term);
    }
    if (newTerm > term) {
      term = newTerm;
      votedFor = null;
      writeHardState();
    }
    standing = Standing.FOLLOWER;
    leader = newLeader;
  }

  /** Becomes a pre-candidate; nothing that lasts changes. */
  void askWhetherToStand() {
    standing = Standing.PRE_CANDIDATE;
    leader = null;
  }

  /** Stands in the next term, with its own vote. */
  void stand() {
    term++;
    votedFor = self;
    writeHardState();
    standing = Standing.CANDIDATE;
    leader = null;
  }

  void lead() {
    standing = Standing.LEADER;
    leader = self;
  }

  void voteFor(Peer candidate) {
    votedFor = candidate;
    writeHardState();
  }

  private void writeHardState() {
    log.hardState(new HardState(term, votedFor));
    hardSequence = log.nextSequence();
  }

  /** The number of the write that holds the present term and vote. */
  long hardSequence() {
    return hardSequence;
  }

  /** Commits up to an index, as far as the log goes. */
  void commitTo(long index) {
    commit = Math.max(commit, Math.min(index, log.last()));
  }

  /** How far the state machine may apply: committed, and on this node's disk. */
  long applicable() {
    return Math.min(commit, log.durable());
  }

  void applied(long index) {
    applied = Math.max(applied, index);
    log.shrinkTail(applied);
  }

  void flushed(long index) {
    flushed = Math.max(flushed, index);
  }

  /** Sends a message that speaks of nothing but the term. */
  void send(Message message) {
    sendAfter(hardSequence, message);
  }

  /** Sends a message once a write and the present term are durable. */
  void sendAfter(long sequence, Message message) {
    outbox.send(message, Math.max(sequence, hardSequence), log.durableSequence(), term);
  }
}

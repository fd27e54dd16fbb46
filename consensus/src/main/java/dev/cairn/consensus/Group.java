// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import dev.cairn.consensus.GroupState.Standing;
import dev.cairn.consensus.Message.Append;
import dev.cairn.consensus.Message.AppendReply;
import dev.cairn.consensus.Message.Ballot;
import dev.cairn.consensus.Message.Beat;
import dev.cairn.consensus.Message.BeatReply;
import dev.cairn.consensus.Message.Install;
import dev.cairn.consensus.Message.InstallReply;
import dev.cairn.consensus.Message.Outdated;
import dev.cairn.consensus.Message.TakeOver;
import dev.cairn.consensus.Message.Vote;
import dev.cairn.consensus.Message.VoteReply;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * One member of a Raft group, as a state machine without thread, lock, clock or I/O.
 *
 * <p>Whoever drives it gives it what happened, and at the end of a round takes what is to be done:
 *
 * <pre>
 *   in:  a message, the time, proposals, reads, "durable up to", "applied up to", "flushed up to",
 *        "that node is gone", entries that were asked for, a snapshot that was fetched
 *   out: one {@link Output}: a write for the log, messages, how far to apply, reads to answer,
 *        entries to read, a snapshot to fetch, the next deadline
 * </pre>
 *
 * <p>The same inputs in the same order give the same outputs, so that a simulator can run a cluster
 * of these in one thread, from a seed. Time is monotonic milliseconds and comes with each input.
 * Randomness is given to the constructor.
 *
 * <p>Invariants, each checked by the simulator after each step: at most one leader a term; logs
 * that have an entry in common are equal up to it; a leader has all that was committed before its
 * term; no two members apply different entries at one index.
 *
 * <p>Sources: Ongaro and Ousterhout, <em>In Search of an Understandable Consensus Algorithm</em>;
 * Ongaro's thesis; etcd-io/raft for asynchronous writes and flow control.
 */
public final class Group {
  private final GroupState state;
  private final Election election;
  private final Following following;
  private Leadership leadership;
  private final List<Long> refusedReads = new ArrayList<>();

  /**
   * Opens a group.
   *
   * @param self this member, and what it was placed to keep
   * @param settings times and bounds
   * @param random spreads election times; a simulator gives one made from its seed
   * @param restored what is on disk
   * @param nowMillis monotonic time
   */
  public Group(
      Member self, Settings settings, RandomGenerator random, Restored restored, long nowMillis) {
    LogView log = new LogView(restored.base(), settings.tailBytesMax());
    restored.entries().forEach(e -> log.restore(e.index(), e.term(), e.configuration()));
    this.state = new GroupState(self, settings, random, log, restored.hardState());
    state.advance(nowMillis);
    SnapshotReference data = restored.data();
    if (log.termAt(data.index()) != data.term() && data.index() > log.base()) {
      log.reset(data); // it was installed, and the process ended before the log knew
    }
    state.commitTo(data.index());
    state.applied(data.index());
    state.flushed(data.index());
    this.election = new Election(state);
    this.following = new Following(state);
  }

  // ---- What happened ----

  /** The time has come; see {@link Output#deadlineMillis}. */
  public void tick(long nowMillis) {
    state.advance(nowMillis);
    if (state.leads()) {
      if (!leadership.hearsMajority()) {
        endLeadership();
      }
    } else if (state.now() >= election.deadline()) {
      election.askWhetherToStand();
    }
  }

  /** A message came. */
  public void step(Message message, long nowMillis) {
    state.advance(nowMillis);
    if (!message.to().equals(state.self)) {
      return; // for another incarnation
    }
    if (message instanceof Vote vote) {
      boolean led = state.leads();
      election.answer(vote);
      leftIf(led);
      return;
    }
    if (message.term() < state.term()) {
      if (!(message instanceof Outdated)) {
        state.send(new Outdated(state.self, message.from(), state.term()));
      }
      return;
    }
    boolean yesToPreVote =
        message instanceof VoteReply reply && reply.ballot() == Ballot.PRE && reply.granted();
    if (message.term() > state.term() && !yesToPreVote) {
      boolean led = state.leads();
      state.follow(message.term(), null);
      leftIf(led);
      election.waitAnew();
    }
    dispatch(message);
  }

  private void dispatch(Message message) {
    if (message instanceof Append append) {
      hearLeader(append.from());
      following.append(append);
    } else if (message instanceof Beat beat) {
      hearLeader(beat.from());
      following.beat(beat);
    } else if (message instanceof Install install) {
      hearLeader(install.from());
      following.install(install);
    } else if (message instanceof TakeOver takeOver) {
      takeOver(takeOver);
    } else if (message instanceof VoteReply reply) {
      if (election.count(reply)) {
        lead();
      }
    } else if (state.leads()) {
      if (message instanceof AppendReply reply) {
        leadership.answered(reply);
      } else if (message instanceof BeatReply reply) {
        leadership.answered(reply);
      } else if (message instanceof InstallReply reply) {
        leadership.answered(reply);
      }
      endIfVotedOut();
    }
  }

  private void hearLeader(Peer leader) {
    if (state.leads()) {
      throw new IllegalStateException(
          "term " + state.term() + " has two leaders: " + state.self + " and " + leader);
    }
    if (!leader.equals(state.leader())) {
      state.follow(state.term(), leader);
    }
    election.leaderHeard();
  }

  private void takeOver(TakeOver takeOver) {
    if (takeOver.from().equals(state.leader()) && state.mayStand()) {
      election.stand(Ballot.TRANSFER);
    }
  }

  private void lead() {
    state.lead();
    leadership = new Leadership(state);
  }

  private void endIfVotedOut() {
    if (leadership.isVotedOut()) {
      leadership
          .bestSuccessor()
          .ifPresent(peer -> state.send(new TakeOver(state.self, peer, state.term())));
      endLeadership();
    }
  }

  private void endLeadership() {
    state.follow(state.term(), null);
    leftIf(true);
    election.waitAnew();
  }

  private void leftIf(boolean led) {
    if (led && !state.leads()) {
      refusedReads.addAll(leadership.reads().abandon());
      leadership = null;
    }
  }

  /**
   * All writes up to a number are on disk.
   *
   * @param sequence of a {@link Write}
   */
  public void durable(long sequence, long nowMillis) {
    state.advance(nowMillis);
    state.log.durableUpTo(sequence);
    state.outbox.durableUpTo(sequence, state.term());
    if (election.ownVoteIsDurable()) {
      lead();
    } else if (state.leads()) {
      leadership.durable();
      endIfVotedOut();
    }
  }

  /** The state machine has applied entries up to an index. */
  public void applied(long index) {
    state.applied(index);
  }

  /** The state machine's data up to an index is on disk without the log. */
  public void flushed(long index) {
    state.flushed(index);
    if (state.settings.sharedBeats() && !state.leads() && state.leader() != null) {
      following.tellFlushed();
    }
  }

  /**
   * A node's process answers no more: its port refuses connections, or the session with it ended.
   *
   * @param node its id
   */
  public void gone(String node, long nowMillis) {
    state.advance(nowMillis);
    if (state.leads()) {
      leadership.gone(peer -> peer.node().equals(node));
    } else if (state.leader() != null && state.leader().node().equals(node)) {
      election.leaderIsGone();
    }
  }

  /**
   * Entries came that {@link Output#wanted} asked for.
   *
   * @param peer for whom
   * @param entries what was read; empty if that failed, which never means that there are none
   */
  public void loaded(Peer peer, List<Entry> entries, long nowMillis) {
    state.advance(nowMillis);
    if (state.leads()) {
      leadership.loaded(peer, entries);
    }
  }

  /**
   * A snapshot was fetched, its data is on disk and in place. A witness says so at once.
   *
   * @param snapshot what it covers, at least what was offered
   */
  public void installed(SnapshotReference snapshot, long nowMillis) {
    state.advance(nowMillis);
    following.installed(snapshot);
    state.applied(snapshot.index());
    state.flushed(snapshot.index());
  }

  /** A snapshot could not be fetched. */
  public void installFailed(long nowMillis) {
    state.advance(nowMillis);
    following.installFailed();
  }

  // ---- What a shard says for all its groups at once ----

  /**
   * The node of a leader says that it leads.
   *
   * @return whether this member follows it in that term, and has that on its disk
   */
  public boolean hear(Peer leader, long term, long nowMillis) {
    state.advance(nowMillis);
    if (term < state.term()) {
      state.send(new Outdated(state.self, leader, state.term()));
      return false;
    }
    if (term > state.term()) {
      boolean led = state.leads();
      state.follow(term, leader);
      leftIf(led);
    }
    hearLeader(leader);
    return state.hardSequence() <= state.log.durableSequence();
  }

  /**
   * The node of a peer follows this leader.
   *
   * @param round the question that this answers; 0 for none
   * @param atMillis when that was heard
   */
  public void followed(Peer peer, long round, long atMillis, long nowMillis) {
    state.advance(nowMillis);
    if (state.leads()) {
      leadership.answered(peer, round, atMillis);
    }
  }

  /** Whether a peer is followed in a term. */
  boolean follows(Peer leader, long term) {
    return term == state.term() && leader.equals(state.leader()) && !state.leads();
  }

  /**
   * Whether nothing is under way: everything is committed, on disk and known to all. Such a group
   * may sleep, which is to be given no time, until {@link #resume}.
   */
  public boolean isQuiet() {
    return state.leads() ? leadership.isQuiet() : election.isQuiet() && following.isQuiet();
  }

  /**
   * Goes on after a sleep.
   *
   * @param leaderHeardAt when its leader's node last said that it leads
   */
  public void resume(long leaderHeardAt, long nowMillis) {
    state.advance(nowMillis);
    if (state.leads()) {
      leadership.resume();
    } else {
      election.resume(leaderHeardAt);
    }
  }

  // ---- What is asked of it ----

  /**
   * Proposes data, to be committed in this order.
   *
   * @return where it stands, or why it was refused for certain. If another entry is committed at
   *     that index, the proposal did not happen; until then its outcome is unknown.
   */
  public Proposal propose(List<byte[]> data, long nowMillis) {
    state.advance(nowMillis);
    Optional<Refusal> refusal = refusalToServe();
    return refusal.isPresent()
        ? Proposal.refused(refusal.get())
        : Proposal.accepted(leadership.propose(data), state.term());
  }

  /**
   * Begins to change the members.
   *
   * @param expectedIndex where the present configuration stands, as the plan knows it
   * @param target who is to belong to the group, under the epoch of the plan
   * @return empty if the change began; otherwise why not
   */
  public Optional<Refusal> reconfigure(long expectedIndex, Configuration target, long nowMillis) {
    state.advance(nowMillis);
    Optional<Refusal> refusal = refusalToServe();
    return refusal.isPresent() ? refusal : leadership.reconfigure(expectedIndex, target);
  }

  /**
   * Asks to read what was committed before now.
   *
   * @param token comes back in {@link Output#grants} or {@link Output#refusedReads}
   */
  public Optional<Refusal> read(long token, long nowMillis) {
    state.advance(nowMillis);
    Optional<Refusal> refusal = refusalToServe();
    if (refusal.isEmpty()) {
      leadership.reads().add(token);
    }
    return refusal;
  }

  private Optional<Refusal> refusalToServe() {
    if (!state.leads()) {
      return Optional.of(Refusal.NOT_LEADER);
    }
    return leadership.serves() ? Optional.empty() : Optional.of(Refusal.HANDING_ON);
  }

  /** Asks at once whether it could win, in a group that never had a term. */
  public void standAtOnce(long nowMillis) {
    state.advance(nowMillis);
    if (state.term() == 0) {
      election.askWhetherToStand();
    }
  }

  /** Hands leadership to a replica that votes; whether that began. */
  public boolean transferTo(Peer target, long nowMillis) {
    state.advance(nowMillis);
    return state.leads() && leadership.transferTo(target);
  }

  /**
   * Lets go of the log's oldest entries.
   *
   * @param upTo the last one that the caller needs no more
   * @return the last one that goes: never past what is flushed here, or on a witness past what
   *     every full replica has flushed
   */
  public long compact(long upTo) {
    long bound =
        state.isWitness()
            ? Math.min(following.keepFrom() - 1, state.applicable())
            : state.flushed();
    return letGo(Math.min(upTo, bound));
  }

  /**
   * Lets go of the oldest entries of a witness' log although a full replica may need them, since
   * the log has reached its bound. A group in which only replicas that lack them are left is
   * unavailable then, and never wrong: what went is committed, and none of those wins an election.
   *
   * <p>A witness that leads keeps them. It takes no proposals, so its log does not grow, and it may
   * be about to send them.
   *
   * @param upTo the last one that may go
   * @return the last one that goes, or went before: never past what is committed and on disk here
   */
  public long cut(long upTo) {
    boolean may = state.isWitness() && !state.leads();
    return may ? letGo(Math.min(upTo, state.applicable())) : state.log.base();
  }

  private long letGo(long index) {
    if (index > state.log.base()) {
      state.log.compactTo(index);
    }
    return state.log.base();
  }

  // ---- What is to be done ----

  /** Ends a round: takes all that it brought. */
  public Output take(long nowMillis) {
    state.advance(nowMillis);
    if (state.leads()) {
      leadership.send();
    }
    Write write = state.log.take();
    Output output =
        new Output(
            write,
            state.outbox.take(),
            state.applicable(),
            state.leads() ? leadership.question() : 0,
            state.leads() ? leadership.reads().takeUpTo(state.applied()) : List.of(),
            List.copyOf(refusedReads),
            state.leads() ? leadership.takeWanted() : List.of(),
            following.takeOffer(),
            state.leads() ? leadership.deadline() : election.deadline());
    refusedReads.clear();
    return output;
  }

  // ---- What is known of it ----

  /** How this member stands at the moment. */
  public GroupStatus status() {
    return new GroupStatus(
        state.term(),
        state.standing() == Standing.LEADER,
        Optional.ofNullable(state.leader()),
        state.commit(),
        state.applied(),
        state.flushed(),
        state.log.base(),
        state.log.last(),
        state.log.durable(),
        state.log.configuration(),
        state.log.configurationIndex(),
        state.leads() && leadership.changeIsDone());
  }

  boolean leads() {
    return state.leads();
  }

  /** The highest term that it has seen. */
  long term() {
    return state.term();
  }

  /** Who leads in this term; null if that is not known. */
  Peer leader() {
    return state.leader();
  }

  Configuration configuration() {
    return state.configuration();
  }

  /** The term of an entry that the log has; -1 for any other. */
  public long termAt(long index) {
    return state.log.termAt(index);
  }
}

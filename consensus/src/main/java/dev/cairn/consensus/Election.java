// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import dev.cairn.consensus.Message.Ballot;
import dev.cairn.consensus.Message.Vote;
import dev.cairn.consensus.Message.VoteReply;
import java.util.HashSet;
import java.util.Set;

/**
 * How a group finds its leader: pre-vote, vote, and when to ask for one (Raft 5.2, 5.4.1; Ongaro's
 * thesis 4.2.3, 9.6).
 *
 * <p>Rules:
 *
 * <ol>
 *   <li>A voter says yes only to a candidate whose log has all that its own has.
 *   <li>A voter that has heard its leader within an election time says no, so that a member that
 *       was cut off disturbs nobody. This ends at once when the connection to that leader is
 *       refused ({@link #leaderIsGone}), and does not hold against a candidate that the leader
 *       itself sent. No read rests on it.
 *   <li>A candidate counts its own vote when it is on its disk, like any other.
 *   <li>A witness waits longer than a replica, so that it leads only where no replica can.
 * </ol>
 */
final class Election {
  private final GroupState state;
  private final Set<Peer> granted = new HashSet<>();
  private final Set<Peer> refused = new HashSet<>();
  private Ballot ballot;
  private long heardAt;
  private boolean leaderGone;
  private long deadline;

  Election(GroupState state) {
    this.state = state;
    waitAnew();
  }

  long deadline() {
    return deadline;
  }

  /** The leader of this term was heard. */
  void leaderHeard() {
    heardAt = state.now();
    leaderGone = false;
    waitAnew();
  }

  /** Goes on after a sleep in which the leader's node was last heard at a moment. */
  void resume(long lastHeard) {
    heardAt = Math.max(heardAt, lastHeard);
    leaderGone = false;
    deadline = Math.max(state.now(), heardAt + spread());
  }

  /** Waits an election time, and by chance up to twice that, from now on. */
  void waitAnew() {
    deadline = state.now() + spread();
  }

  private long spread() {
    long election = state.settings.electionMillis();
    long extra = state.isWitness() ? state.settings.witnessExtraMillis() : 0;
    return election + extra + state.random.nextLong(election);
  }

  /** Whether a leader is followed that may be heard again. */
  boolean isQuiet() {
    return state.leader() != null
        && state.standing() == GroupState.Standing.FOLLOWER
        && !leaderGone;
  }

  /** The leader's process does not answer any more: stand soon, replicas before witnesses. */
  void leaderIsGone() {
    leaderGone = true;
    long soon = Math.max(2, state.settings.electionMillis() / 8);
    long extra = state.isWitness() ? 2 * soon : 0;
    deadline = Math.min(deadline, state.now() + extra + state.random.nextLong(soon));
  }

  // ---- The candidate ----

  /** The time is up: asks whether an election could be won. */
  void askWhetherToStand() {
    waitAnew();
    if (!state.mayStand()) {
      return;
    }
    state.askWhetherToStand();
    begin(Ballot.PRE);
    granted.add(state.self);
    if (decided()) {
      stand(Ballot.REAL);
    }
  }

  /** Stands in the next term. */
  void stand(Ballot how) {
    waitAnew();
    state.stand();
    begin(how);
  }

  private void begin(Ballot how) {
    ballot = how;
    granted.clear();
    refused.clear();
    long asked = how == Ballot.PRE ? state.term() + 1 : state.term();
    for (Peer voter : state.configuration().everyVoter()) {
      if (!voter.equals(state.self)) {
        state.send(new Vote(state.self, voter, asked, how, state.log.last(), state.log.lastTerm()));
      }
    }
  }

  /** The own vote counts from when it is durable. */
  boolean ownVoteIsDurable() {
    if (state.standing() != GroupState.Standing.CANDIDATE
        || state.hardSequence() > state.log.durableSequence()) {
      return false;
    }
    granted.add(state.self);
    return decided();
  }

  /**
   * Counts an answer.
   *
   * @return whether this member has won and leads from now on
   */
  boolean count(VoteReply reply) {
    boolean asked =
        reply.ballot() == ballot
            && (ballot == Ballot.PRE
                ? state.standing() == GroupState.Standing.PRE_CANDIDATE
                : state.standing() == GroupState.Standing.CANDIDATE);
    if (!asked || (reply.granted() && reply.term() != askedTerm())) {
      return false;
    }
    (reply.granted() ? granted : refused).add(reply.from());
    if (decided()) {
      if (ballot != Ballot.PRE) {
        return true;
      }
      stand(Ballot.REAL);
      return false;
    }
    if (!state.configuration().majority(voter -> !refused.contains(voter))) {
      state.follow(state.term(), null);
      waitAnew();
    }
    return false;
  }

  private long askedTerm() {
    return ballot == Ballot.PRE ? state.term() + 1 : state.term();
  }

  private boolean decided() {
    return state.configuration().majority(granted::contains);
  }

  // ---- The voter ----

  /** Answers a candidate. A higher term is taken over unless the leader was heard lately. */
  void answer(Vote vote) {
    boolean hearsLeader = vote.ballot() != Ballot.TRANSFER && hearsLeader();
    if (vote.term() < state.term() || hearsLeader) {
      reply(vote, state.term(), false);
    } else if (vote.ballot() == Ballot.PRE) {
      boolean yes = vote.term() > state.term() && hasAllOfMine(vote);
      reply(vote, yes ? vote.term() : state.term(), yes);
    } else {
      if (vote.term() > state.term()) {
        state.follow(vote.term(), null);
      }
      boolean yes = mayVoteFor(vote.from()) && hasAllOfMine(vote);
      if (yes) {
        state.voteFor(vote.from());
        waitAnew();
      }
      reply(vote, state.term(), yes);
    }
  }

  private boolean hearsLeader() {
    if (state.leads()) {
      return true;
    }
    return state.leader() != null
        && !leaderGone
        && state.now() - heardAt < state.settings.electionMillis();
  }

  private boolean mayVoteFor(Peer candidate) {
    return state.votedFor() == null ? state.leader() == null : state.votedFor().equals(candidate);
  }

  private boolean hasAllOfMine(Vote vote) {
    return state.log.isMatchedBy(vote.lastIndex(), vote.lastTerm());
  }

  private void reply(Vote vote, long term, boolean yes) {
    state.send(new VoteReply(state.self, vote.from(), term, vote.ballot(), yes));
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import dev.cairn.consensus.Message.Append;
import dev.cairn.consensus.Message.AppendReply;
import dev.cairn.consensus.Message.Beat;
import dev.cairn.consensus.Message.BeatReply;
import dev.cairn.consensus.Message.Install;
import dev.cairn.consensus.Message.InstallReply;
import dev.cairn.consensus.Message.Keep;
import dev.cairn.consensus.Message.TakeOver;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * What a member does while it leads, from the first entry of its term on. Messages only change what
 * is known; {@link #send} at the end of a round sends what follows from all of them together.
 *
 * <p>Rules:
 *
 * <ol>
 *   <li>An entry is committed when it is durable on a majority of each half of the configuration
 *       that holds now, and its term is this one (Raft 5.4.2). The leader's own copy counts once it
 *       is durable.
 *   <li>Entries travel before they are durable here; nothing waits for the own disk but the count.
 *   <li>A leader that no majority has answered for an election time ends its leadership.
 *   <li>A joint configuration that is committed is followed by the settled one, whoever began it,
 *       as soon as the new half needs the outgoing one no more.
 *   <li>A witness that leads takes no proposals and no reads, brings a replica up to date and hands
 *       leadership on. Its offer of a snapshot only asks whether a replica has what is gone from
 *       its log; one that has not waits for another leader.
 *   <li>While the replicas are prompt, what a witness gets is gathered for a moment; no commit
 *       waits for that, since it does not need the witness then.
 * </ol>
 */
final class Leadership {
  private final GroupState state;
  private final Map<Peer, Progress> others = new TreeMap<>();
  private final Reads reads = new Reads();
  private final List<EntriesWanted> wanted = new ArrayList<>();
  private final long firstOfTerm;

  private long beatAt;
  private long question;
  private long quorumBy;
  private long commitNewsAt = Long.MAX_VALUE;
  private Peer transferee;
  private long transferUntil;
  private long takeOverAt;

  Leadership(GroupState state) {
    this.state = state;
    this.firstOfTerm = state.log.last() + 1;
    this.beatAt = state.now();
    this.quorumBy = state.now() + state.settings.electionMillis();
    followConfiguration(firstOfTerm);
    state.log.append(Entry.firstOfTerm(firstOfTerm, state.term()));
    commitWhatMajorityHas();
  }

  Reads reads() {
    return reads;
  }

  /** Takes what must be read from the log. */
  List<EntriesWanted> takeWanted() {
    List<EntriesWanted> taken = List.copyOf(wanted);
    wanted.clear();
    return taken;
  }

  /** Whether proposals and reads are taken: not by a witness, nor while leadership is handed on. */
  boolean serves() {
    return !state.isWitness() && transferee == null;
  }

  /** The question that a shard has to ask since this round; 0 for none. */
  long question() {
    return question;
  }

  // ---- Proposals ----

  /** Appends data; the first one's index is returned. */
  long propose(List<byte[]> data) {
    long first = state.log.last() + 1;
    for (byte[] each : data) {
      state.log.append(Entry.ofData(state.log.last() + 1, state.term(), each));
    }
    return first;
  }

  /** Begins a change of members; empty if it began, otherwise why not. */
  Optional<Refusal> reconfigure(long expectedIndex, Configuration target) {
    Configuration present = state.configuration();
    if (target.epoch() < present.epoch()) {
      return Optional.of(Refusal.OUTDATED);
    }
    if (state.log.configurationIndex() != expectedIndex) {
      return Optional.of(Refusal.OTHER_CONFIGURATION);
    }
    if (present.isJoint() || state.commit() < Math.max(firstOfTerm, expectedIndex)) {
      return Optional.of(Refusal.CHANGING);
    }
    if (target.isJoint() || target.voters().isEmpty() || !target.keepsRolesOf(present)) {
      return Optional.of(Refusal.IMPOSSIBLE);
    }
    if (target.voters().stream().anyMatch(member -> !mayVote(member, present))) {
      return Optional.of(Refusal.BEHIND);
    }
    append(target.voters().equals(present.voters()) ? target : present.jointTo(target));
    return Optional.empty();
  }

  /** A replica has to be close before it votes; a witness needs no data. */
  private boolean mayVote(Member member, Configuration present) {
    Peer peer = member.peer();
    return member.role() == Role.WITNESS
        || present.votes(peer)
        || state.log.last() - (others.containsKey(peer) ? others.get(peer).match() : 0)
            <= state.settings.promotionLagMax();
  }

  /** Whether all voters have the present configuration on their disks, and it is not joint. */
  boolean changeIsDone() {
    Configuration present = state.configuration();
    long index = state.log.configurationIndex();
    return !present.isJoint()
        && index <= state.commit()
        && state.commit() >= firstOfTerm
        && present.voters().stream().allMatch(member -> matchOf(member.peer()) >= index);
  }

  private void append(Configuration configuration) {
    long index = state.log.last() + 1;
    state.log.append(Entry.ofConfiguration(index, state.term(), configuration));
    followConfiguration(index);
  }

  /** Begins to send to whom the configuration has brought, from an entry that exists on. */
  private void followConfiguration(long next) {
    List<Peer> everybody = state.configuration().everybody();
    others.keySet().retainAll(everybody);
    for (Peer peer : everybody) {
      if (!peer.equals(state.self)) {
        others.computeIfAbsent(peer, p -> new Progress(next, state.now()));
      }
    }
  }

  // ---- Answers ----

  void answered(AppendReply reply) {
    Progress peer = others.get(reply.from());
    if (peer == null) {
      return;
    }
    peer.heard(state.now());
    reads.check(reply.round());
    peer.answered(reply.round(), reply.flushed());
    peer.base(reply.base());
    peer.knowsCommit(reply.commit());
    if (reply.accepted()) {
      peer.acknowledged(reply.index());
      commitWhatMajorityHas();
    } else {
      long hint = state.log.lastWithTermAtMost(reply.hintIndex(), reply.hintTerm());
      peer.rejected(reply.index(), hint);
    }
    confirmReads();
  }

  void answered(BeatReply reply) {
    Progress peer = others.get(reply.from());
    if (peer == null) {
      return;
    }
    peer.heard(state.now());
    reads.check(reply.round());
    peer.answered(reply.round(), reply.flushed());
    peer.knowsCommit(reply.commit());
    if (peer.mode() == Progress.Mode.INSTALL && !reply.installing()) {
      peer.startOver(); // the offer was lost, or who had it died
    }
    if (peer.mayHaveLost(state.log.last())) {
      askWhatCame(reply.from(), peer);
    }
    confirmReads();
  }

  /**
   * The node of a peer still takes this one for the leader.
   *
   * @param round the question that this answers; 0 for none
   */
  void answered(Peer from, long round, long atMillis) {
    Progress peer = others.get(from);
    if (peer != null) {
      peer.heard(Math.max(peer.heardAt(), atMillis));
      reads.check(round);
      peer.answered(round, 0);
      confirmReads();
    }
  }

  void answered(InstallReply reply) {
    Progress peer = others.get(reply.from());
    if (peer != null) {
      peer.heard(state.now());
      peer.installed(reply.index());
      commitWhatMajorityHas();
    }
  }

  /** The connection to a peer ended: what was under way to it is lost. */
  void gone(Predicate<Peer> isGone) {
    others.forEach(
        (peer, progress) -> {
          if (isGone.test(peer)) {
            progress.startOver();
          }
        });
  }

  /** The own log is durable further than before. */
  void durable() {
    commitWhatMajorityHas();
  }

  /** Entries came that were asked for; none if they could not be read. */
  void loaded(Peer to, List<Entry> entries) {
    Progress peer = others.get(to);
    if (peer == null) {
      return;
    }
    boolean fits =
        !entries.isEmpty()
            && peer.next() > state.log.base() // or the log let go of them meanwhile
            && entries.get(0).index() == peer.next()
            && entries.stream().allMatch(each -> state.log.termAt(each.index()) == each.term());
    peer.loaded(entries.isEmpty() ? state.now() + state.settings.beatMillis() : state.now());
    if (fits && peer.hasRoom(state.settings.windowBytesMax())) {
      append(to, peer, entries);
    }
  }

  // ---- Commit ----

  private void commitWhatMajorityHas() {
    long reached = state.configuration().reachedByMajority(this::matchOf);
    if (reached > state.commit() && state.log.termAt(reached) == state.term()) {
      state.commitTo(reached);
      commitNewsAt = Math.min(commitNewsAt, state.now() + state.settings.commitNewsMillis());
    }
    if (mayAppendSettled()) {
      append(state.configuration().settled());
      commitWhatMajorityHas();
    }
  }

  private long matchOf(Peer peer) {
    return peer.equals(state.self) ? state.log.durable() : others.get(peer).match();
  }

  /**
   * A joint configuration is committed, and no replica of the new half needs what its witnesses do
   * not have: while it does, only the outgoing half can give it that. A witness that does not have
   * the joint configuration yet may still begin its log anew, further on.
   */
  private boolean mayAppendSettled() {
    Configuration present = state.configuration();
    if (!present.isJoint()
        || state.log.configurationIndex() > state.commit()
        || state.commit() < firstOfTerm) {
      return false;
    }
    long least = Long.MAX_VALUE;
    long witnessBase = 0;
    for (Member member : present.voters()) {
      Peer peer = member.peer();
      if (member.role() == Role.REPLICA) {
        least = Math.min(least, matchOf(peer));
      } else {
        witnessBase = Math.max(witnessBase, baseOf(peer));
      }
    }
    return least >= witnessBase;
  }

  private long baseOf(Peer witness) {
    if (witness.equals(state.self)) {
      return state.log.base();
    }
    boolean hasJoint = matchOf(witness) >= state.log.configurationIndex();
    return hasJoint ? others.get(witness).base() : Long.MAX_VALUE;
  }

  /** Whether this leader is no voter any more, by a configuration that is committed. */
  boolean isVotedOut() {
    return state.log.configurationIndex() <= state.commit()
        && !state.configuration().votes(state.self);
  }

  private void confirmReads() {
    if (reads.isOpen()) {
      reads.confirmedUpTo(
          state
              .configuration()
              .reachedByMajority(
                  peer -> peer.equals(state.self) ? reads.round() : others.get(peer).round()));
    }
  }

  // ---- Time ----

  /** Whether a majority has been heard within an election time. */
  boolean hearsMajority() {
    if (state.now() < quorumBy) {
      return true;
    }
    long since = quorumBy - state.settings.electionMillis();
    quorumBy = state.now() + state.settings.electionMillis();
    return state
        .configuration()
        .majority(peer -> peer.equals(state.self) || others.get(peer).heardAt() >= since);
  }

  /** Goes on after a sleep: whom nobody heard in the meantime has one election time to answer. */
  void resume() {
    beatAt = state.now();
    quorumBy = state.now() + state.settings.electionMillis();
  }

  /** Whether all members have and know everything, and nobody waits for anything. */
  boolean isQuiet() {
    return state.commit() == state.log.last()
        && state.log.durable() == state.log.last()
        && state.log.isWritten()
        && state.outbox.isEmpty()
        && !state.isWitness()
        && transferee == null
        && !state.configuration().isJoint()
        && reads.isIdle()
        && others.entrySet().stream().noneMatch(each -> hasNews(each.getKey(), each.getValue()));
  }

  /** Whether there is something to say to a peer, or to hear from it. */
  private boolean hasNews(Peer to, Progress peer) {
    return peer.match() < state.log.last()
        || peer.knownCommit() < state.commit()
        || peer.toldKeep() != keepFor(to).from();
  }

  long deadline() {
    long next = Math.min(Math.min(beatAt, quorumBy), commitNewsAt);
    if (transferee != null) {
      next = Math.min(next, transferUntil);
    }
    for (Map.Entry<Peer, Progress> each : others.entrySet()) {
      Progress peer = each.getValue();
      if (peer.next() <= state.log.last() && peer.paceAt() > state.now()) {
        next = Math.min(next, peer.paceAt());
      }
    }
    return next;
  }

  // ---- Handing on ----

  /** Hands leadership to a replica that votes, as soon as it has everything. */
  boolean transferTo(Peer target) {
    if (target.equals(state.self)
        || state.configuration().roleOf(target).orElse(Role.WITNESS) != Role.REPLICA) {
      return false;
    }
    transferee = target;
    transferUntil = state.now() + state.settings.transferMillis();
    takeOverAt = state.now();
    return true;
  }

  /** The voter, not a witness, that has most of the log. */
  Optional<Peer> bestSuccessor() {
    return others.keySet().stream()
        .filter(peer -> state.configuration().roleOf(peer).orElse(Role.WITNESS) == Role.REPLICA)
        .filter(peer -> others.get(peer).heardAt() > state.now() - state.settings.electionMillis())
        .max(
            Comparator.<Peer>comparingLong(peer -> others.get(peer).match())
                .thenComparing(Comparator.reverseOrder()));
  }

  private void handOn() {
    if (transferee != null && state.now() >= transferUntil) {
      transferee = null;
    }
    Peer target = state.isWitness() ? bestSuccessor().orElse(null) : transferee;
    if (target == null || !others.containsKey(target) || state.now() < takeOverAt) {
      return;
    }
    if (others.get(target).match() == state.log.last()) {
      takeOverAt = state.now() + state.settings.beatMillis();
      state.send(new TakeOver(state.self, target, state.term()));
    }
  }

  // ---- Sending ----

  /** Sends what this round's messages, proposals and time have made due. */
  void send() {
    boolean beat = state.now() >= beatAt;
    if (beat) {
      beatAt = state.now() + state.settings.beatMillis();
    }
    boolean asked = state.commit() >= firstOfTerm && reads.ask(state.commit());
    question = asked && state.settings.sharedBeats() ? reads.round() : 0;
    confirmReads(); // a group of one answers itself
    boolean news = state.now() >= commitNewsAt;
    if (news) {
      commitNewsAt = Long.MAX_VALUE;
    }
    boolean prompt = replicasArePrompt();
    for (Map.Entry<Peer, Progress> each : others.entrySet()) {
      boolean sent = replicate(each.getKey(), each.getValue(), prompt);
      boolean toldAll = each.getValue().toldCommit() >= state.commit();
      boolean due =
          state.settings.sharedBeats()
              ? beat && hasNews(each.getKey(), each.getValue())
              : beat || asked;
      if (!sent && (due || (news && !toldAll))) {
        beat(each.getKey(), each.getValue());
      }
    }
    handOn();
  }

  /** Sends the entries that a peer lacks, as far as its window allows; whether any were sent. */
  private boolean replicate(Peer to, Progress peer, boolean prompt) {
    boolean sent = false;
    while (peer.next() <= state.log.last() && peer.hasRoom(state.settings.windowBytesMax())) {
      if (peer.next() <= state.log.base()) {
        install(to, peer);
        return true;
      }
      if (!state.log.inMemory(peer.next())) {
        load(to, peer);
        break;
      }
      if (peer.mode() == Progress.Mode.STREAM && waitsForPace(to, peer, prompt)) {
        break;
      }
      append(to, peer, state.log.entries(peer.next(), state.settings.appendBytesMax()));
      sent = true;
    }
    return sent;
  }

  private boolean waitsForPace(Peer to, Progress peer, boolean prompt) {
    if (!prompt || state.configuration().roleOf(to).orElse(Role.REPLICA) != Role.WITNESS) {
      return false;
    }
    if (peer.paceAt() == 0) { // the first entry since all was sent: the wait begins
      peer.pace(state.now() + state.settings.witnessPaceMillis());
      return true;
    }
    return state.now() < peer.paceAt();
  }

  /** Whether every full replica that votes is being streamed to and has answered lately. */
  private boolean replicasArePrompt() {
    long since = state.now() - 2 * state.settings.beatMillis();
    for (Map.Entry<Peer, Progress> each : others.entrySet()) {
      boolean replica =
          state.configuration().roleOf(each.getKey()).orElse(Role.WITNESS) == Role.REPLICA;
      Progress peer = each.getValue();
      if (replica && (peer.mode() != Progress.Mode.STREAM || peer.heardAt() < since)) {
        return false;
      }
    }
    return !state.isWitness();
  }

  private void append(Peer to, Progress peer, List<Entry> entries) {
    long prevIndex = peer.next() - 1;
    state.send(
        new Append(
            state.self,
            to,
            state.term(),
            prevIndex,
            state.log.termAt(prevIndex),
            entries,
            state.commit(),
            reads.round(),
            keepFor(to)));
    long bytes = 0;
    for (Entry entry : entries) {
      bytes += entry.bytes();
    }
    peer.sent(entries.size(), bytes);
    peer.told(state.commit());
    peer.toldKeep(keepFor(to).from());
    if (peer.next() > state.log.last()) {
      peer.pace(0);
    }
  }

  /** Asks where a peer's log ends, or begins anew if the log no longer reaches back so far. */
  private void askWhatCame(Peer to, Progress peer) {
    if (peer.next() > state.log.base()) {
      append(to, peer, List.of());
    } else {
      peer.startOver();
    }
  }

  private void load(Peer to, Progress peer) {
    if (peer.mayLoad(state.now())) {
      peer.loading();
      wanted.add(new EntriesWanted(to, peer.next(), state.settings.appendBytesMax()));
    }
  }

  private void install(Peer to, Progress peer) {
    peer.install();
    SnapshotReference reference = state.log.referenceAt(state.log.base());
    state.send(new Install(state.self, to, state.term(), reference));
  }

  private void beat(Peer to, Progress peer) {
    long commit = Math.min(state.commit(), peer.match());
    Keep keep = keepFor(to);
    state.send(new Beat(state.self, to, state.term(), commit, reads.round(), keep));
    peer.told(commit);
    peer.toldKeep(keep.from());
  }

  /**
   * A witness keeps what any full replica, of either half or learning, has not flushed. A
   * configuration that is not committed may be lost, and whom it no longer names is back then.
   */
  private Keep keepFor(Peer to) {
    if (state.configuration().roleOf(to).orElse(Role.REPLICA) != Role.WITNESS
        || state.log.configurationIndex() > state.commit()) {
      return Keep.ALL;
    }
    long least = Long.MAX_VALUE;
    for (Peer replica : state.configuration().everyFullReplica()) {
      long flushed = replica.equals(state.self) ? state.flushed() : others.get(replica).flushed();
      least = Math.min(least, flushed);
    }
    return least == Long.MAX_VALUE ? Keep.ALL : new Keep(least + 1, state.log.configurationIndex());
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import dev.cairn.consensus.Batch.Envelope;
import dev.cairn.consensus.Batch.Led;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * The groups of a node that one loop owns, and their round: what came since the last one is taken,
 * each group that has something is stepped, one append is queued, one batch goes to each node, and
 * one question to each node confirms all reads that wait.
 *
 * <p>It has no thread, lock, clock or I/O. Whoever owns it gives it what came, and calls {@link
 * #round} after that and when the deadline that the last round gave has come.
 *
 * <p>A group in which nothing is under way sleeps: it is given no time. Its leader's node says once
 * for all groups what it leads ({@link Batch.Beat}), and any input wakes the group. So do silence
 * of the node that leads it, a list that no longer has it, and, at its leader, silence of a node
 * that has a member.
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>A replica that was placed here does nothing before its marker is on the disk.
 *   <li>A group's write is durable when the append that has it is.
 *   <li>A group that sleeps follows whom the last list of its leader's node names, in that term, or
 *       leads itself; before it takes anything else it is told when that was heard last. It answers
 *       nobody else's beat: whoever claims to lead it in another term wakes it.
 * </ol>
 */
public final class Shard {
  /** A group, and what the round knows of it. */
  private static final class Hosted {
    final long id;
    final Member self;
    final Replica replica;
    SnapshotReference founded;
    Group group;
    long deadline;
    boolean asleep;
    long asked;
    long askedBy;
    long ledTerm;
    Configuration ledWith;
    long toldTerm;
    Peer toldLeader;
    long appliedTo;

    Hosted(long id, Member self, Replica replica) {
      this.id = id;
      this.self = self;
      this.replica = replica;
    }
  }

  private record Queued(long append, Hosted hosted, long write) {}

  private final String node;
  private final long session;
  private final Settings settings;
  private final SharedLog log;
  private final Network network;
  private final RandomGenerator random;

  private final Map<Long, Hosted> hosted = new TreeMap<>();
  private final TreeSet<Long> awake = new TreeSet<>();
  private final TreeSet<Long> due = new TreeSet<>();
  private final Map<String, Beats> nodes = new TreeMap<>();
  private final Deque<Queued> queued = new ArrayDeque<>();
  private final List<SharedLog.Part> parts = new ArrayList<>();
  private final List<Queued> written = new ArrayList<>();
  private final Map<String, List<Envelope>> outgoing = new TreeMap<>();
  private final Map<String, Batch.BeatReply> replies = new HashMap<>();

  private long now;
  private long beatAt;
  private long question;

  /**
   * A shard without groups.
   *
   * @param node this node's id
   * @param session of this process, higher than that of any earlier one of the node
   * @param settings of all groups, with shared beats
   */
  public Shard(
      String node,
      long session,
      Settings settings,
      SharedLog log,
      Network network,
      RandomGenerator random,
      long nowMillis) {
    if (!settings.sharedBeats()) {
      throw new IllegalArgumentException("a shard beats for its groups");
    }
    this.node = node;
    this.session = session;
    this.settings = settings;
    this.log = log;
    this.network = network;
    this.random = random;
    this.now = nowMillis;
    this.beatAt = nowMillis;
  }

  // ---- Which groups there are ----

  /** Opens a replica whose marker the log has. */
  public void open(long group, Member self, Restored restored, Replica replica, long nowMillis) {
    advance(nowMillis);
    Hosted opened = host(group, self, replica);
    start(opened, restored);
  }

  /**
   * Places a replica on an empty disk. It takes part once its marker is durable.
   *
   * @param founded the first configuration, for a founder of the group; {@link Configuration#NONE}
   *     for who comes later
   */
  public void place(
      long group, Member self, Configuration founded, Replica replica, long nowMillis) {
    advance(nowMillis);
    Hosted placed = host(group, self, replica);
    placed.founded = new SnapshotReference(0, 0, founded, 0);
    Write first = new Write(0, null, placed.founded, 0, List.of());
    parts.add(new SharedLog.Part(group, self.peer(), first));
    written.add(new Queued(0, placed, 0));
  }

  private Hosted host(long group, Member self, Replica replica) {
    if (!self.peer().node().equals(node)) {
      throw new IllegalArgumentException(self.peer() + " belongs to another node than " + node);
    }
    Hosted added = new Hosted(group, self, replica);
    if (hosted.putIfAbsent(group, added) != null) {
      throw new IllegalArgumentException("group " + group + " has a replica here already");
    }
    return added;
  }

  private void start(Hosted opened, Restored restored) {
    opened.group = new Group(opened.self, settings, random, restored, now);
    opened.deadline = Long.MAX_VALUE;
    opened.appliedTo = restored.data().index();
    awake.add(opened.id);
    due.add(opened.id);
  }

  /** Ends a replica here. What it has on disk is its owner's to remove. */
  public void close(long group) {
    Hosted gone = hosted.remove(group);
    awake.remove(group);
    due.remove(group);
    parts.removeIf(part -> part.group() == group);
    written.removeIf(each -> each.hosted() == gone);
    if (gone != null) {
      nodes.values().forEach(each -> each.leads(group, null));
    }
  }

  // ---- What came ----

  /** A batch came from another node. */
  public void receive(Batch batch, long nowMillis) {
    advance(nowMillis);
    Beats from = nodeOf(batch.from());
    if (batch.session() < from.session() || !batch.to().equals(node)) {
      return; // of a process that is gone, or of no business here
    }
    if (batch.session() > from.session()) {
      boolean known = from.session() > 0;
      from.begin(batch.session());
      if (known) {
        tellGone(batch.from());
      }
    }
    if (batch.beat() != null) {
      hear(from, batch.beat());
    }
    if (batch.reply() != null && batch.reply().session() == session) {
      hearReply(from, batch.reply());
    }
    for (Envelope envelope : batch.messages()) {
      input(envelope.group(), group -> group.step(envelope.message(), now));
    }
  }

  /**
   * A node's process answers no more: its port refuses connections, or the connection ended.
   *
   * @param goneSession the session of that process as it is known; an earlier one changes nothing
   */
  public void gone(String other, long goneSession, long nowMillis) {
    advance(nowMillis);
    if (goneSession >= nodeOf(other).session()) {
      tellGone(other);
    }
  }

  /** The session of another node's process that was heard last; 0 for none. */
  public long sessionOf(String other) {
    return nodeOf(other).session();
  }

  private void tellGone(String other) {
    for (Hosted each : List.copyOf(hosted.values())) {
      if (each.group != null && concerns(each, other)) {
        input(each.id, group -> group.gone(other, now));
      }
    }
  }

  private static boolean concerns(Hosted each, String other) {
    Peer leader = each.group.leader();
    return each.group.leads()
        ? each.group.configuration().everybody().stream()
            .anyMatch(peer -> peer.node().equals(other))
        : leader != null && leader.node().equals(other);
  }

  /** All appends up to one are on disk. */
  public void durable(long append, long nowMillis) {
    advance(nowMillis);
    while (!queued.isEmpty() && queued.peekFirst().append() <= append) {
      Queued each = queued.pollFirst();
      if (hosted.get(each.hosted().id) != each.hosted()) {
        continue; // it ended meanwhile
      }
      if (each.hosted().group == null) {
        SnapshotReference founded = each.hosted().founded;
        start(each.hosted(), new Restored(new HardState(0, null), founded, List.of(), founded));
      } else {
        input(each.hosted().id, group -> group.durable(each.write(), now));
      }
    }
  }

  /** Entries came that {@link SharedLog#read} was asked for; none if that failed. */
  public void loaded(long group, Peer peer, List<Entry> entries, long nowMillis) {
    advance(nowMillis);
    input(group, each -> each.loaded(peer, entries, now));
  }

  /** The state machine of a group has applied entries up to an index. */
  public void applied(long group, long index, long nowMillis) {
    advance(nowMillis);
    Hosted at = hosted.get(group);
    if (at != null && at.group != null) {
      at.group.applied(index);
      if (!at.asleep) {
        due.add(group);
      }
    }
  }

  /** The data of a group up to an index is on disk without the log. */
  public void flushed(long group, long index, long nowMillis) {
    advance(nowMillis);
    input(group, each -> each.flushed(index));
  }

  /** A snapshot was fetched, its data is on disk and in place. */
  public void installed(long group, SnapshotReference snapshot, long nowMillis) {
    advance(nowMillis);
    input(group, each -> each.installed(snapshot, now));
  }

  /** A snapshot could not be fetched. */
  public void installFailed(long group, long nowMillis) {
    advance(nowMillis);
    input(group, each -> each.installFailed(now));
  }

  // ---- What is asked ----

  /** See {@link Group#propose}. */
  public Proposal propose(long group, List<byte[]> data, long nowMillis) {
    advance(nowMillis);
    return leads(group) ? woken(group).propose(data, now) : Proposal.refused(Refusal.NOT_LEADER);
  }

  /** See {@link Group#read}. */
  public Optional<Refusal> read(long group, long token, long nowMillis) {
    advance(nowMillis);
    return leads(group) ? woken(group).read(token, now) : Optional.of(Refusal.NOT_LEADER);
  }

  /** See {@link Group#reconfigure}. */
  public Optional<Refusal> reconfigure(
      long group, long expectedIndex, Configuration target, long nowMillis) {
    advance(nowMillis);
    return leads(group)
        ? woken(group).reconfigure(expectedIndex, target, now)
        : Optional.of(Refusal.NOT_LEADER);
  }

  /** See {@link Group#transferTo}. */
  public boolean transferTo(long group, Peer target, long nowMillis) {
    advance(nowMillis);
    return leads(group) && woken(group).transferTo(target, now);
  }

  /** See {@link Group#standAtOnce}. */
  public void standAtOnce(long group, long nowMillis) {
    advance(nowMillis);
    input(group, each -> each.standAtOnce(now));
  }

  /** See {@link Group#compact}; 0 while the replica has not begun. */
  public long compact(long group, long upTo, long nowMillis) {
    advance(nowMillis);
    Hosted at = hosted.get(group);
    return at == null || at.group == null ? 0 : woken(group).compact(upTo);
  }

  /** See {@link Group#cut}; 0 while the replica has not begun. */
  public long cut(long group, long upTo, long nowMillis) {
    advance(nowMillis);
    Hosted at = hosted.get(group);
    return at == null || at.group == null ? 0 : woken(group).cut(upTo);
  }

  /** Whether a replica of a group takes part here: its marker is durable. */
  public boolean isOpen(long group) {
    Hosted at = hosted.get(group);
    return at != null && at.group != null;
  }

  /** How the replica of a group stands; empty if there is none, or its marker is not durable. */
  public Optional<GroupStatus> status(long group) {
    return isOpen(group) ? Optional.of(hosted.get(group).group.status()) : Optional.empty();
  }

  /** The term of an entry that a group's log has; -1 for any other. */
  public long termAt(long group, long index) {
    return hosted.get(group).group.termAt(index);
  }

  /** How many groups sleep. */
  public int asleep() {
    return hosted.size() - awake.size();
  }

  /** Whether a replica of a group leads here. */
  public boolean leads(long group) {
    Hosted at = hosted.get(group);
    return at != null && at.group != null && at.group.leads();
  }

  // ---- Sleep ----

  private void input(long group, Consumer<Group> action) {
    Hosted at = hosted.get(group);
    if (at != null && at.group != null) {
      action.accept(woken(group));
    }
  }

  private Group woken(long group) {
    Hosted at = hosted.get(group);
    due.add(group);
    if (at.asleep) {
      at.asleep = false;
      awake.add(group);
      at.group.resume(nodeOf(at.group.leader().node()).heardAt(), now);
      if (at.group.leads()) {
        for (Peer peer : at.group.configuration().everybody()) {
          at.group.followed(peer, 0, nodeOf(peer.node()).answeredAt(), now);
        }
      }
    }
    return at.group;
  }

  private void sleepIfQuiet(Hosted at) {
    if (at.group.isQuiet() && isCovered(at, settings.electionMillis() / 2)) {
      at.asleep = true;
      awake.remove(at.id);
    }
  }

  /**
   * Whether others watch over a quiet group: all nodes of a leader's members answered lately, or
   * the leader's node said lately that it leads.
   */
  private boolean isCovered(Hosted at, long withinMillis) {
    if (at.group.leads()) {
      return at.group.configuration().everybody().stream()
          .map(Peer::node)
          .allMatch(other -> other.equals(node) || nodeOf(other).answeredAt() > now - withinMillis);
    }
    Peer leader = at.group.leader();
    Beats there = nodeOf(leader.node());
    return new Led(at.id, leader, at.self.peer(), at.group.term()).equals(there.list().get(at.id))
        && there.heardAt() > now - withinMillis;
  }

  /** A list of another node changed, or a node fell silent: who relied on it wakes. */
  private void wakeWhoIsNotCovered() {
    for (Hosted at : hosted.values()) {
      if (at.asleep && !isCovered(at, settings.electionMillis())) {
        woken(at.id);
      }
    }
  }

  private void watchSilence() {
    boolean anew = false;
    for (Beats each : nodes.values()) {
      anew |= each.fellSilent(now - settings.electionMillis());
    }
    if (anew) {
      wakeWhoIsNotCovered();
    }
  }

  // ---- Beats ----

  private void hear(Beats from, Batch.Beat beat) {
    if (from.heard(beat, now)) {
      wakeWhoIsNotCovered();
    }
    List<Long> silent = new ArrayList<>();
    for (Led led : from.list().values()) {
      Hosted at = hosted.get(led.group());
      if (at == null || at.group == null || !at.self.peer().equals(led.member())) {
        silent.add(led.group());
      } else if (!at.asleep || !at.group.follows(led.leader(), led.term())) {
        if (!woken(at.id).hear(led.leader(), led.term(), now)) {
          silent.add(led.group());
        }
      }
    }
    Batch.BeatReply before = replies.get(from.node());
    long answers = before == null ? 0 : before.question();
    replies.put(
        from.node(),
        new Batch.BeatReply(
            from.session(), from.listVersion(), Math.max(answers, beat.question()), silent));
  }

  private void hearReply(Beats from, Batch.BeatReply reply) {
    for (Led led : from.replied(reply, now)) {
      Hosted at = hosted.get(led.group());
      if (!at.asleep && at.group.term() == led.term()) {
        due.add(at.id);
        boolean answers = at.asked > 0 && reply.question() >= at.askedBy;
        at.group.followed(led.member(), answers ? at.asked : 0, now, now);
      }
    }
    for (long silent : reply.silent()) {
      input(silent, group -> {});
    }
  }

  // ---- The round ----

  /**
   * Ends a round: carries out what all groups have.
   *
   * @return when the next one is due at the latest, in monotonic milliseconds
   */
  public long round(long nowMillis) {
    advance(nowMillis);
    watchSilence();
    for (long id : awake) {
      if (hosted.get(id).deadline <= now) {
        due.add(id);
      }
    }
    List<Long> stepped = List.copyOf(due);
    due.clear();
    boolean asks = false;
    for (long id : stepped) {
      Hosted at = hosted.get(id);
      if (at.deadline <= now) {
        at.group.tick(now);
      }
      Output output = at.group.take(now);
      asks |= output.question() > 0;
      carryOut(at, output);
    }
    queueAppend();
    send(asks);
    return deadline();
  }

  private void carryOut(Hosted at, Output output) {
    at.deadline = output.deadlineMillis();
    followLeadership(at);
    tellHowItStands(at);
    if (output.question() > 0) {
      at.asked = output.question();
      at.askedBy = question + 1; // the one that goes out at the end of this round
    }
    if (output.write() != null) {
      parts.add(new SharedLog.Part(at.id, null, output.write()));
      written.add(new Queued(0, at, output.write().sequence()));
    }
    for (Message message : output.messages()) {
      String other = nodeOf(message.to().node()).node();
      outgoing.computeIfAbsent(other, each -> new ArrayList<>()).add(new Envelope(at.id, message));
    }
    outgoing.remove(node); // an earlier incarnation was here, and is no more
    output.wanted().forEach(wanted -> log.read(at.id, wanted));
    output.refusedReads().forEach(at.replica::refuse);
    output.grants().forEach(at.replica::answer);
    if (output.applicable() > at.appliedTo) {
      at.appliedTo = output.applicable();
      at.replica.apply(output.applicable());
    }
    if (output.offer() != null) {
      at.replica.fetch(output.offer());
    }
    if (!due.contains(at.id)) {
      sleepIfQuiet(at);
    }
  }

  private static void tellHowItStands(Hosted at) {
    long term = at.group.term();
    Peer leader = at.group.leader();
    if (at.toldTerm != term || !Objects.equals(at.toldLeader, leader)) {
      at.toldTerm = term;
      at.toldLeader = leader;
      at.replica.stands(term, leader, at.group.leads());
    }
  }

  /** What is led here, in which term and with whom, stands in the lists for the others. */
  private void followLeadership(Hosted at) {
    long term = at.group.leads() ? at.group.term() : 0;
    Configuration configuration = at.group.configuration();
    if (at.ledTerm == term && (term == 0 || configuration.equals(at.ledWith))) {
      return;
    }
    if (at.ledTerm != term) {
      at.asked = 0; // questions are counted anew in each term
    }
    at.ledTerm = term;
    at.ledWith = configuration;
    Map<String, Led> members = new TreeMap<>();
    if (term > 0) {
      for (Peer peer : configuration.everybody()) {
        members.put(peer.node(), new Led(at.id, at.self.peer(), peer, term));
        nodeOf(peer.node());
      }
    }
    members.remove(node);
    nodes.values().forEach(each -> each.leads(at.id, members.get(each.node())));
  }

  private void queueAppend() {
    if (parts.isEmpty()) {
      return;
    }
    long append = log.append(List.copyOf(parts));
    written.forEach(each -> queued.addLast(new Queued(append, each.hosted(), each.write())));
    parts.clear();
    written.clear();
  }

  private void send(boolean asks) {
    if (asks) {
      question++;
    }
    boolean beats = asks || now >= beatAt;
    if (now >= beatAt) {
      beatAt = now + settings.beatMillis();
    }
    for (Beats each : nodes.values()) {
      String other = each.node();
      Batch.Beat beat =
          beats && each.isDue(now - settings.electionMillis()) ? each.beat(question) : null;
      Batch.BeatReply reply = replies.remove(other);
      List<Envelope> messages = outgoing.remove(other);
      if (beat != null || reply != null || messages != null) {
        network.send(
            new Batch(node, other, session, beat, reply, messages == null ? List.of() : messages));
      }
    }
  }

  private long deadline() {
    if (!due.isEmpty()) {
      return now;
    }
    long next = Long.MAX_VALUE;
    for (long id : awake) {
      next = Math.min(next, hosted.get(id).deadline);
    }
    for (Beats each : nodes.values()) {
      if (each.isDue(now - settings.electionMillis())) {
        next = Math.min(next, beatAt);
      }
      next = Math.min(next, each.silentAt(settings.electionMillis()));
    }
    return next;
  }

  private void advance(long nowMillis) {
    now = Math.max(now, nowMillis);
  }

  private Beats nodeOf(String other) {
    return nodes.computeIfAbsent(other, name -> new Beats(name, now));
  }
}

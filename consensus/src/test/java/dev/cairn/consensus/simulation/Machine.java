// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus.simulation;

import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.Entry;
import dev.cairn.consensus.GroupStatus;
import dev.cairn.consensus.Member;
import dev.cairn.consensus.Message;
import dev.cairn.consensus.Peer;
import dev.cairn.consensus.Proposal;
import dev.cairn.consensus.ReadGrant;
import dev.cairn.consensus.Refusal;
import dev.cairn.consensus.Replica;
import dev.cairn.consensus.Restored;
import dev.cairn.consensus.Role;
import dev.cairn.consensus.Shard;
import dev.cairn.consensus.SharedLog;
import dev.cairn.consensus.SnapshotOffer;
import dev.cairn.consensus.SnapshotReference;
import dev.cairn.consensus.Write;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * One simulated replica or witness: the state machine around a group, its clients, and what its
 * disk has of it.
 */
final class Machine implements Replica {
  private static final int READ_BYTES = 2000;

  private final Simulation world;
  private final SimulatedGroup group;
  final Node node;
  final Peer peer;
  final boolean witness;
  private final Configuration founded;
  private final Disk disk;
  private final SimulatedState state; // null for a witness
  private final SplittableRandom random;
  private boolean destroyed;
  private long cutTo;

  // Of the process.
  private boolean applying;
  private boolean installing;
  private boolean toldMeanwhile; // that entries may be applied
  private long commitNotCounted;
  private boolean wasJoint; // after the last round
  private long promised;
  private long promisedTerm;
  private final Map<Long, Long> proposed = new HashMap<>();
  private final Map<Long, Long> reading = new HashMap<>();

  Machine(SimulatedGroup group, Node node, Member self, Configuration founded) {
    this.world = group.world();
    this.group = group;
    this.node = node;
    this.peer = self.peer();
    this.witness = self.role() == Role.WITNESS;
    this.founded = founded;
    this.disk = new Disk(founded);
    this.state = witness ? null : group.newState(new SnapshotReference(0, 0, founded, 0));
    this.random = world.random().split();
  }

  boolean isUp() {
    return !destroyed && node.isUp() && node.shard().isOpen(group.id);
  }

  boolean leads() {
    return isUp() && node.shard().leads(group.id);
  }

  boolean isDestroyed() {
    return destroyed;
  }

  GroupStatus status() {
    return node.shard().status(group.id).orElseThrow();
  }

  long appliedIndex() {
    return witness ? disk.base() : state.applied().index();
  }

  Disk disk() {
    return disk;
  }

  // ---- The process ----

  /** The process begins, or the replica was placed. */
  void open(Shard shard) {
    if (!witness) {
      state.start();
    }
    applying = false;
    installing = false;
    toldMeanwhile = false;
    wasJoint = false;
    promised = 0;
    promisedTerm = 0;
    proposed.clear();
    reading.clear();
    Member self = new Member(peer, witness ? Role.WITNESS : Role.REPLICA);
    Restored restored = node.log().restored(group.id, peer, flushed());
    if (restored != null) {
      shard.open(group.id, self, restored, this, world.now());
    } else {
      shard.place(group.id, self, founded, this, world.now());
    }
  }

  /** What the state machine has on disk; null for a witness. */
  private SnapshotReference flushed() {
    return witness ? null : state.durable();
  }

  /** Up to where a replica's data is on disk. */
  long flushedIndex() {
    return state.durable().index();
  }

  /** Of its data on disk. */
  long hash() {
    return witness ? 0 : state.hash();
  }

  /** The process is gone. */
  void crash() {
    if (!witness) {
      state.crash();
    }
  }

  /** How the log differs from what must be on the disk; null if it does not. */
  String differenceOfLog() {
    String difference = disk.differenceFrom(node.log().restored(group.id, peer, flushed()));
    return difference == null ? null : peer + ": " + difference;
  }

  /** Whether its group survives that its disk is lost. */
  boolean mayBeDestroyed() {
    return group.survivesLossOf(peer);
  }

  /** What it has is lost for ever. */
  void destroy() {
    if (!destroyed) {
      destroyed = true;
      node.remove(group.id);
    }
  }

  /** Runs something in the process if this replica is still there then. */
  private void later(long millis, Runnable action) {
    node.later(
        millis,
        () -> {
          if (isUp()) {
            action.run();
            node.roundSoon();
          }
        });
  }

  /** After a round: holds the rules that one member alone can show. */
  void observe() {
    if (!isUp()) {
      return;
    }
    GroupStatus status = status();
    Oracle oracle = group.oracle();
    wasJoint = status.configuration().isJoint();
    if (status.leads()) {
      if (status.commit() >= status.configurationIndex()) {
        oracle.committed(status.configurationIndex(), status.configuration());
      }
      if (oracle.leads(peer, status, index -> node.shard().termAt(group.id, index))) {
        group.isUpToDate(this);
        commitNotCounted = status.commit();
        world.count(witness ? "witnesses that led" : "replicas that led");
        if (status.configuration().isJoint()) {
          world.count("joint configurations inherited");
        }
        if (!status.configuration().everybody().contains(peer)) {
          world.count("leaders that their configuration does not name");
        }
      }
      Oracle.check(
          status.commit() == commitNotCounted
              || node.shard().termAt(group.id, status.commit()) == status.term(),
          () -> peer + " commits by counting an entry of an earlier term: " + status);
      if (!reading.isEmpty()) {
        world.asks(this);
      }
    }
    if (!disk.hasUnsynced()) {
      hasItsLogsConfiguration(status);
    }
  }

  /** A configuration counts from its append, and truncation brings the former one back. */
  private void hasItsLogsConfiguration(GroupStatus status) {
    Oracle.check(
        status.configurationIndex() == disk.configurationIndex(),
        () ->
            peer
                + " goes by the configuration of "
                + status.configurationIndex()
                + ", its log's last is at "
                + disk.configurationIndex());
  }

  /** Remembers what this process acknowledged in its term. */
  void promise(Message message) {
    if (message instanceof Message.AppendReply reply && reply.accepted()) {
      promised = reply.term() == promisedTerm ? Math.max(promised, reply.index()) : reply.index();
      promisedTerm = reply.term();
    }
  }

  // ---- Disk ----

  void write(SharedLog.Part part) {
    Write write = part.write();
    disk.write(write);
    if (part.marker() != null) {
      return;
    }
    keepsPromise(write);
    Oracle oracle = group.oracle();
    long previous =
        write.entries().isEmpty()
            ? 0
            : node.shard().termAt(group.id, write.entries().get(0).index() - 1);
    for (Entry entry : write.entries()) {
      if (entry.configuration() != null && status().leads() && wasJoint) {
        group.leavesNobodyBehind(entry.configuration());
      }
      oracle.wrote(peer, entry, previous);
      previous = entry.term();
    }
  }

  /** In one term nothing goes that was acknowledged in it. */
  private void keepsPromise(Write write) {
    long end =
        write.reset() != null
            ? write.reset().index()
            : write.entries().isEmpty() ? Long.MAX_VALUE : write.entries().get(0).index() - 1;
    Oracle.check(
        status().term() != promisedTerm || end >= promised,
        () -> peer + " acknowledged " + promised + " in its term, and now its log ends at " + end);
  }

  /** The oldest write, which begins with the marker, is on the disk. */
  void sync() {
    disk.sync();
    world.count("configurations truncated", disk.takeConfigurationsLost());
  }

  void loseUnsynced() {
    disk.lose();
  }

  /** Whether its log ends at an entry or before. */
  boolean endsBy(long term, long index) {
    long last = isUp() ? status().last() : disk.last();
    long lastTerm = isUp() ? node.shard().termAt(group.id, last) : disk.termAt(last);
    return lastTerm < term || (lastTerm == term && last <= index);
  }

  // ---- State machine ----

  @Override
  public void stands(long term, Peer leader, boolean leads) {
    Oracle.check(
        leads == peer.equals(leader) && term == status().term() && leads == status().leads(),
        () -> peer + " is told that " + leader + " leads in term " + term);
  }

  @Override
  public void apply(long upTo) {
    if (witness) {
      later(0, () -> node.shard().applied(group.id, upTo, world.now()));
      return;
    }
    toldMeanwhile |= installing;
    if (applying || installing || state.applied().index() >= upTo) {
      return;
    }
    applying = true;
    later(
        random.nextInt(2),
        () -> {
          applying = false;
          long until = Math.min(upTo, state.applied().index() + 1 + random.nextInt(64));
          while (state.applied().index() < until) {
            applyUpTo(until);
          }
          node.shard().applied(group.id, state.applied().index(), world.now());
          apply(Math.min(status().commit(), status().durable()));
        });
  }

  /** Applies what one read of the log brings, at least one entry. */
  private void applyUpTo(long until) {
    long before = state.applied().index();
    for (Entry entry : node.log().entries(group.id, before + 1, READ_BYTES)) {
      if (state.applied().index() < until) {
        apply(entry);
      }
    }
    Oracle.check(
        state.applied().index() > before, () -> peer + " cannot read entry " + (before + 1));
  }

  private void apply(Entry entry) {
    Oracle.check(
        entry.index() == state.applied().index() + 1,
        () -> peer + " read " + entry + " behind " + state.applied().index());
    group.oracle().read(peer, entry);
    group.oracle().applied(peer, entry, status().term());
    state.apply(entry);
    Long term = proposed.remove(entry.index());
    if (term != null && term == entry.term()) {
      group.oracle().acknowledged(entry.index());
    }
  }

  /** A copy of the data as it is now: what others fetch is flushed when they ask for it. */
  SimulatedState.Copy copy() {
    SimulatedState.Copy copy = state.copy();
    node.input(0, shard -> shard.flushed(group.id, flushedIndex(), world.now()));
    return copy;
  }

  /** Flushes the data, and lets go of the log but for some entries. */
  void flushAndCompact(int keep) {
    if (!isUp()) {
      return;
    }
    if (!witness) {
      SimulatedState.Step flush = state.beginFlush();
      if (flush != null) {
        later(random.nextInt(20), () -> flush(flush));
      }
    }
    boolean cuts = witness && world.cutsWitness();
    later(
        random.nextInt(40),
        () -> {
          if (cuts) {
            cut();
          } else if (!witness || group.mayCompact(peer)) {
            long before = status().base();
            long base = node.shard().compact(group.id, status().applied() - keep, world.now());
            if (witness && base > before) {
              group.witnessDropped(peer, base);
            }
          }
        });
  }

  /** The log of this witness has reached its bound: all that is committed goes. */
  private void cut() {
    GroupStatus before = status();
    if (!group.keepsWhatGoes(this, Math.min(before.commit(), before.durable()))) {
      return;
    }
    long base = node.shard().cut(group.id, before.last(), world.now());
    Oracle.check(
        base <= Math.max(before.base(), Math.min(before.commit(), before.durable())),
        () -> peer + " let go of entries up to " + base + " of " + before);
    if (base > before.base()) {
      cutTo = base;
      group.witnessCut(base);
    }
  }

  /** Up to where its log was cut though others may need it; 0 if that was never done. */
  long cutTo() {
    return cutTo;
  }

  /** Where its log begins at most, whether or not that is on the disk yet. */
  long base() {
    return isUp() ? Math.max(status().base(), disk.base()) : disk.base();
  }

  /** Whether an entry that was committed is in its log or its data, on disk. */
  boolean holds(long index, long term) {
    return flushedIndex() >= index || disk.termAt(index) == term;
  }

  private void flush(SimulatedState.Step flush) {
    long before = flushedIndex();
    if (!flush.isLast()) {
      later(random.nextInt(5), () -> flush(flush));
    } else if (flushedIndex() > before) {
      node.shard().flushed(group.id, flushedIndex(), world.now());
    }
  }

  // ---- Clients ----

  void write(long token) {
    if (!isUp() || node.isFrozen() || !node.log().takesProposals()) {
      return;
    }
    List<byte[]> values = new ArrayList<>();
    for (int i = random.nextInt(3); i >= 0; i--) {
      values.add(group.request(token));
    }
    Proposal proposal = node.shard().propose(group.id, values, world.now());
    if (proposal.isAccepted()) {
      for (int i = 0; i < values.size(); i++) {
        proposed.put(proposal.index() + i, proposal.term());
      }
      node.roundSoon();
    }
  }

  /** A client asks to read; what was acknowledged before then, the answer must have. */
  void read(long token) {
    long acknowledgedBefore = group.oracle().acknowledged();
    later(
        0,
        () -> {
          if (node.shard().read(group.id, token, world.now()).isEmpty()) {
            reading.put(token, acknowledgedBefore);
          }
        });
  }

  @Override
  public void answer(ReadGrant grant) {
    Long acknowledgedBefore = reading.remove(grant.token());
    if (acknowledgedBefore != null) {
      group.oracle().read(peer, acknowledgedBefore, appliedIndex());
      if (!witness) {
        state.read();
      }
      world.count("reads answered");
    }
  }

  @Override
  public void refuse(long token) {
    reading.remove(token);
  }

  boolean transferTo(Peer target) {
    boolean began = isUp() && node.shard().transferTo(group.id, target, world.now());
    if (began) {
      node.roundSoon();
    }
    return began;
  }

  /** Begins a change of members; empty if it began. */
  Optional<Refusal> reconfigure(long expectedIndex, Configuration target) {
    Optional<Refusal> refusal =
        node.shard().reconfigure(group.id, expectedIndex, target, world.now());
    node.roundSoon();
    return refusal;
  }

  // ---- Snapshots ----

  @Override
  public void fetch(SnapshotOffer offer) {
    if (witness) {
      later(0, () -> node.shard().installed(group.id, offer.reference(), world.now()));
      return;
    }
    Oracle.check(
        status().configuration().roleOf(offer.from()).orElse(Role.REPLICA) == Role.REPLICA,
        () -> peer + " fetches a snapshot of the witness " + offer.from());
    later(
        10 + random.nextInt(50),
        () -> {
          SimulatedState.Copy copy = group.copyOf(offer.from(), peer.node());
          later(random.nextInt(random.nextInt(3) == 0 ? 60 : 500), () -> put(copy, offer));
        });
  }

  /** Puts a copy that was fetched in the place of the data, or gives it up. */
  private void put(SimulatedState.Copy copy, SnapshotOffer offer) {
    if (installing) {
      return; // what comes of the other one is the answer
    }
    boolean useful =
        copy != null
            && copy.reference().index() >= offer.reference().index()
            && copy.reference().index() > state.applied().index()
            && !applying;
    if (useful) {
      installing = true;
      install(state.beginInstall(copy), copy.reference());
    } else {
      node.shard().installFailed(group.id, world.now());
    }
  }

  private void install(SimulatedState.Step install, SnapshotReference copy) {
    if (!install.isLast()) {
      later(random.nextInt(10), () -> install(install, copy));
      return;
    }
    installing = false;
    if (copy.index() > status().commit() && status().last() > copy.index()) {
      world.count("snapshots behind the log's end");
    }
    node.shard().installed(group.id, copy, world.now());
    world.count("snapshots installed");
    if (status().leads() && status().commit() == copy.index()) {
      commitNotCounted = copy.index(); // what a copy has is committed, whoever leads by now
    }
    if (toldMeanwhile) {
      toldMeanwhile = false;
      apply(Math.min(status().commit(), status().durable()));
    }
  }
}

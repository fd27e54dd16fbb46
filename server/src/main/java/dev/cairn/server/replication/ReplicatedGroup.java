// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import dev.cairn.consensus.Entry;
import dev.cairn.consensus.GroupStatus;
import dev.cairn.consensus.Member;
import dev.cairn.consensus.ReadGrant;
import dev.cairn.consensus.Refusal;
import dev.cairn.consensus.Replica;
import dev.cairn.consensus.Shard;
import dev.cairn.consensus.SnapshotOffer;
import dev.cairn.consensus.SnapshotReference;
import dev.cairn.consensus.Write;
import dev.cairn.server.peer.CurrentLoop;
import dev.cairn.server.raft.GroupListener;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.raft.Proposal;
import dev.cairn.server.raft.RaftGroup;
import dev.cairn.server.raft.SnapshotHost;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.ObjLongConsumer;

/**
 * One group between the loop that decides and the {@link Machine} that applies.
 *
 * <p>Threads: what a {@link RaftGroup} has may be called by any, and what it does happens on the
 * loop; what a {@link Replica} has is the loop's. Invariants:
 *
 * <ol>
 *   <li>The machine is given each committed entry once and in order, none before it is on disk
 *       here.
 *   <li>A proposal completes once: by the machine, which gets it with its entry; refused, where
 *       another entry was committed in its place or nothing was logged; or unknown, when this
 *       member leads no more.
 *   <li>The machine is told that this member leads once it has applied all of earlier terms.
 *   <li>A read is confirmed only in the term that it names.
 *   <li>Once it has left, by its end, a fault or that of the shard, all that waits is answered, and
 *       nothing that comes late reaches the shard, where another may have its number.
 * </ol>
 */
final class ReplicatedGroup implements RaftGroup, Replica {
  private static final int RUN_BYTES_MAX = 1 << 20;
  private static final String CLOSED = "the group is closed";

  private final String name;
  private final long number;
  private final boolean witness;
  private final ShardLoop loop;
  private final Machine machine;
  private final GroupSnapshots snapshots;
  private final AtomicBoolean closed = new AtomicBoolean();

  // The loop's.
  private final UnappliedEntries unapplied = new UnappliedEntries();
  private final Proposals proposals = new Proposals();
  private final Confirmations reads = new Confirmations();
  private long given; // up to here the machine has been given entries
  private long applicable;
  private boolean applying;
  private boolean leads;
  private long startsIn; // the term in which the machine is to be told that this leads; 0 for none
  private boolean toldToLead;
  private boolean follows;
  private boolean left;
  private final List<VoterChange> changes = new ArrayList<>();

  private volatile long term;
  private volatile dev.cairn.consensus.Peer leader;
  private volatile Set<Peer> witnesses;

  /**
   * A group that takes part from when the loop opens it.
   *
   * @param witness whether this member holds no data
   * @param witnesses which members hold none
   * @param host the data; empty for a group that keeps its whole log
   * @param applied where the data stands
   */
  ReplicatedGroup(
      String name,
      boolean witness,
      Set<Peer> witnesses,
      ShardLoop loop,
      GroupListener listener,
      Optional<SnapshotHost> host,
      GroupSnapshots.Copies copies,
      SnapshotReference applied) {
    this.name = name;
    this.number = GroupNumbers.of(name);
    this.witness = witness;
    this.witnesses = witnesses;
    this.loop = loop;
    this.given = applied.index();
    this.machine =
        new Machine(
            name,
            loop.worker(number),
            listener,
            witness ? Optional.empty() : host,
            applied,
            () -> loop.run(this::leaveNow));
    this.snapshots =
        new GroupSnapshots(
            name,
            witness,
            machine,
            copies,
            loop.written(),
            this::withShard,
            index -> given = Math.max(given, index));
  }

  long number() {
    return number;
  }

  // ---- What the shard tells ----

  /** Something goes into the log. */
  void written(Write write) {
    for (Entry entry : write.entries()) {
      loop.written().count(number, UnappliedEntries.bytesOf(entry));
    }
    if (!witness) {
      unapplied.written(write);
    }
  }

  @Override
  public void apply(long upTo) {
    applicable = upTo;
    applyNext();
  }

  private void applyNext() {
    if (applying || given >= applicable || left) {
      return;
    }
    applying = true;
    if (witness) {
      long upTo = applicable;
      given = upTo;
      machine.pass(upTo, () -> loop.run(() -> applied(upTo)));
      return;
    }
    List<Entry> run = unapplied.take(given + 1, applicable, RUN_BYTES_MAX);
    if (run.isEmpty()) {
      readFromLog(given + 1, applicable);
    } else {
      give(run);
    }
  }

  private void readFromLog(long from, long upTo) {
    loop.readers()
        .execute(
            () -> {
              List<Entry> run =
                  loop.entries(number, from, RUN_BYTES_MAX).stream()
                      .filter(entry -> entry.index() <= upTo)
                      .toList();
              loop.run(() -> read(from, run));
            });
  }

  private void read(long from, List<Entry> run) {
    if (left) {
      return;
    }
    if (given + 1 != from) {
      applying = false; // a copy was installed meanwhile
      applyNext();
    } else if (run.isEmpty()) {
      machine.fail(new IOException("group " + name + ": entry " + from + " cannot be read"));
    } else {
      give(run);
    }
  }

  private void give(List<Entry> run) {
    List<Optional<Proposal>> proposed = proposals.take(run);
    Entry last = run.get(run.size() - 1);
    given = last.index();
    machine.apply(run, proposed, () -> loop.run(() -> applied(last.index())));
    if (startsIn > 0 && last.term() == startsIn) {
      tellToLead();
    }
  }

  private void tellToLead() {
    toldToLead = true;
    machine.leads(startsIn);
    startsIn = 0;
  }

  private void applied(long upTo) {
    if (left) {
      return;
    }
    applying = false;
    loop.shard().applied(number, upTo, ShardLoop.nowMillis());
    applyNext();
  }

  @Override
  public void stands(long newTerm, dev.cairn.consensus.Peer newLeader, boolean nowLeads) {
    if (leads && !(nowLeads && newTerm == term)) {
      leadNoMore();
    }
    term = newTerm;
    leader = newLeader;
    leads = nowLeads;
    if (follows) {
      follows = false;
      machine.followsNobody();
    }
    if (nowLeads) {
      startsIn = newTerm;
      if (witness) {
        tellToLead(); // it has nothing to apply before
      }
    } else if (newLeader != null) {
      follows = true;
      machine.follows(Members.ofNode(newLeader), newTerm);
    }
  }

  private void leadNoMore() {
    startsIn = 0;
    if (toldToLead) {
      toldToLead = false;
      machine.leadsNoMore();
    }
    List<Proposal> unknown = proposals.takeAll();
    if (!unknown.isEmpty()) {
      machine.execute(() -> unknown.forEach(each -> each.unknown("this node leads no more")));
    }
  }

  @Override
  public void answer(ReadGrant grant) {
    reads.confirm(grant.token());
  }

  @Override
  public void refuse(long token) {
    reads.refuse(token, "this node leads no more");
  }

  @Override
  public void fetch(SnapshotOffer offer) {
    snapshots.fetch(offer);
  }

  /** Something on the loop, unless this has left. */
  private void withShard(ObjLongConsumer<Shard> action) {
    loop.run(
        () -> {
          if (!left) {
            action.accept(loop.shard(), ShardLoop.nowMillis());
          }
        });
  }

  // ---- What the rest of the node asks ----

  @Override
  public String name() {
    return name;
  }

  @Override
  public void propose(byte[] data, long inTerm, Proposal proposal) {
    proposals.arrive(() -> proposeNow(data, inTerm, proposal));
    loop.run(proposals::takeArrived);
  }

  private void proposeNow(byte[] data, long inTerm, Proposal proposal) {
    if (!leads || term != inTerm || left || loop.holdsBack()) {
      Callback.tell(
          () -> proposal.refused("this node does not lead in term " + inTerm + ", or cannot log"));
      return;
    }
    dev.cairn.consensus.Proposal logged =
        loop.shard().propose(number, List.of(data), ShardLoop.nowMillis());
    if (logged.isAccepted()) {
      proposals.add(logged.index(), logged.term(), proposal);
    } else {
      Callback.tell(() -> proposal.refused("not now: " + logged.refusal()));
    }
  }

  @Override
  public void confirmLeadership(long inTerm, Consumer<Optional<String>> done) {
    loop.run(() -> confirmNow(inTerm, done));
  }

  private void confirmNow(long inTerm, Consumer<Optional<String>> done) {
    if (!leads || term != inTerm || left) {
      Callback.tell(() -> done.accept(Optional.of("this node does not lead in term " + inTerm)));
      return;
    }
    long token = reads.add(done);
    Optional<Refusal> refusal = loop.shard().read(number, token, ShardLoop.nowMillis());
    refusal.ifPresent(why -> reads.refuse(token, "not now: " + why));
  }

  @Override
  public void witnesses(Set<Peer> peers) {
    witnesses = peers;
  }

  @Override
  public Optional<Peer> followed() {
    return machine.followed();
  }

  @Override
  public boolean heardOfLeader() {
    return machine.heardOfLeader();
  }

  @Override
  public Optional<Peer> leader() {
    return Optional.ofNullable(leader).map(Members::ofNode);
  }

  @Override
  public long term() {
    return term;
  }

  @Override
  public long appliedIndex() {
    return closed.get() ? 0 : machine.appliedIndex();
  }

  @Override
  public Optional<Set<Peer>> voters() {
    if (closed.get()) {
      return Optional.empty();
    }
    return loop.ask(shard -> left ? Optional.<GroupStatus>empty() : shard.status(number))
        .flatMap(status -> status)
        .filter(GroupStatus::leads)
        .map(now -> Set.copyOf(Members.voters(now.configuration())));
  }

  @Override
  public void changeVoters(
      Collection<Peer> voters, Collection<Peer> learners, Consumer<Optional<String>> done) {
    List<Member> wanted = voters.stream().map(peer -> Members.voter(peer, witnesses)).toList();
    List<dev.cairn.consensus.Peer> follow = learners.stream().map(Members::ofGroup).toList();
    VoterChange change = new VoterChange(loop, number, wanted, follow, done);
    loop.run(() -> begin(change));
  }

  private void begin(VoterChange change) {
    changes.removeIf(VoterChange::isOver);
    if (left) {
      change.end(CLOSED);
    } else {
      changes.add(change);
      change.begin();
    }
  }

  @Override
  public void transferLeadership(Peer target) {
    withShard((shard, now) -> shard.transferTo(number, Members.ofGroup(target), now));
  }

  @Override
  public void campaignInFirstTerm() {
    withShard((shard, now) -> shard.standAtOnce(number, now));
  }

  @Override
  public void snapshot(Consumer<Optional<String>> done) {
    snapshots.save(done);
  }

  @Override
  public void cutLog(long upTo) {
    snapshots.cut(upTo);
  }

  GroupSnapshots snapshots() {
    return snapshots;
  }

  Machine machine() {
    return machine;
  }

  // ---- The end ----

  /** Takes part no more; what it was asked is answered. On the loop. */
  void leaveNow() {
    if (left) {
      return;
    }
    left = true;
    leads = false;
    leadNoMore();
    reads.refuseAll(CLOSED);
    changes.forEach(change -> change.end(CLOSED));
    changes.clear();
    loop.remove(number, this);
  }

  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    CurrentLoop.willWait();
    CountDownLatch ended = new CountDownLatch(1);
    loop.run(
        () -> {
          leaveNow();
          machine.close(ended::countDown);
        });
    try {
      ended.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

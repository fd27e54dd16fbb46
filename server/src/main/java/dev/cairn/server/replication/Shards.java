// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import dev.cairn.consensus.Batch;
import dev.cairn.consensus.Batch.Envelope;
import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.Member;
import dev.cairn.consensus.Message;
import dev.cairn.consensus.Network;
import dev.cairn.consensus.Restored;
import dev.cairn.consensus.Role;
import dev.cairn.consensus.Shard;
import dev.cairn.consensus.SnapshotReference;
import dev.cairn.log.Group;
import dev.cairn.replication.BatchCodec;
import dev.cairn.replication.Codec;
import dev.cairn.server.peer.AcceptedConnection;
import dev.cairn.server.peer.PeerRun;
import dev.cairn.server.peer.PeerTransport;
import dev.cairn.server.peer.Traffic;
import dev.cairn.server.raft.Founders;
import dev.cairn.server.raft.GroupListener;
import dev.cairn.server.raft.NodeLog;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.raft.RaftEngine;
import dev.cairn.server.raft.RaftGroup;
import dev.cairn.server.raft.SnapshotHost;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Raft engine of a node: the groups of the node as one shard on the loop of its connections to
 * other nodes. What a peer sends is dealt with where it arrives, and what a round has for a peer
 * leaves from there.
 *
 * <p>Threads: any.
 */
public final class Shards implements RaftEngine {
  private static final Logger LOG = LoggerFactory.getLogger(Shards.class);

  /** The kind of message; {@code PeerMessageKind} has all of them. */
  private static final byte ROUND = 16;

  private static final int READERS = 2;
  private static final long LOOK_AT_DATA_MILLIS = 500;
  private static final int LOOKS_AFTER_AN_END = 20;
  private static final long LOOK_AFTER_AN_END_MILLIS = 5;

  private final PeerTransport transport;
  private final WrittenLog log;
  private final ShardLoop shard;
  private final ExecutorService readers =
      Executors.newFixedThreadPool(READERS, task -> daemon(task, "log-reader"));
  private final GroupCopies copies;
  private CopySender sender;
  private volatile boolean closed;

  private Shards(PeerTransport transport, WrittenLog log) {
    this.transport = transport;
    this.log = log;
    PeerRun self = transport.self();
    this.shard =
        new ShardLoop(
            transport.loop(),
            self.nodeId(),
            self.start(),
            log,
            readers,
            group -> transport.workerOf((int) group),
            new PeerNetwork());
    this.copies =
        new GroupCopies(
            transport, readers, group -> shard.group(group).map(ReplicatedGroup::machine));
  }

  /**
   * Serves the messages of groups.
   *
   * @param transport the connections to other nodes; this closes them
   * @param log the node's log; stays the caller's to close
   */
  public static Shards start(PeerTransport transport, WrittenLog log) {
    Shards shards = new Shards(transport, log);
    transport.handleOnLoop(ROUND, (from, body, answer) -> shards.received(from, body));
    transport.onEnd(shards::ended);
    shards.sender = new CopySender(transport, shards.copies);
    shards.lookAtData();
    return shards;
  }

  private static Thread daemon(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }

  // ---- Other nodes ----

  private void received(AcceptedConnection from, byte[] body) {
    Batch batch;
    try {
      batch = BatchCodec.decode(body);
    } catch (RuntimeException e) {
      LOG.warn("peer={} sent a round that cannot be read: {}", from.remoteAddress(), e.toString());
      return;
    }
    PeerRun peer = from.peer();
    if (batch.from().equals(peer.nodeId()) && batch.session() == peer.start()) {
      shard.receive(batch);
    }
  }

  /** A connection that a node had opened has ended; if that is true of all, its process is gone. */
  private void ended(PeerRun run) {
    look(run, LOOKS_AFTER_AN_END);
  }

  private void look(PeerRun run, int looks) {
    if (closed || looks == 0) {
      return;
    }
    if (transport.isCutOff(run)) {
      shard.run(() -> shard.shard().gone(run.nodeId(), run.start(), ShardLoop.nowMillis()));
    } else {
      transport.after(
          TimeUnit.MILLISECONDS.toNanos(LOOK_AFTER_AN_END_MILLIS), () -> look(run, looks - 1));
    }
  }

  /**
   * What carries entries goes beside what does not: a large value must not cost an election. A
   * batch that has no bytes shows that a group is broken in memory, and nothing may be built on
   * that: it ends the round, and so the node ({@link RoundFailedException}).
   */
  private final class PeerNetwork implements Network {
    @Override
    public void send(Batch batch) {
      List<Envelope> entries = new ArrayList<>();
      List<Envelope> others = new ArrayList<>();
      for (Envelope envelope : batch.messages()) {
        boolean carries =
            envelope.message() instanceof Message.Append append && !append.entries().isEmpty();
        (carries ? entries : others).add(envelope);
      }
      if (!entries.isEmpty()) {
        tell(Traffic.DATA, batch, null, null, entries);
      }
      if (batch.beat() != null || batch.reply() != null || !others.isEmpty()) {
        tell(Traffic.CONTROL, batch, batch.beat(), batch.reply(), others);
      }
    }

    private void tell(
        Traffic traffic,
        Batch of,
        Batch.Beat beat,
        Batch.BeatReply reply,
        List<Envelope> messages) {
      Batch part = new Batch(of.from(), of.to(), of.session(), beat, reply, messages);
      transport.tell(traffic, of.to(), ROUND, BatchCodec.encode(part));
    }
  }

  // ---- Groups ----

  @Override
  public PeerTransport transport() {
    return transport;
  }

  @Override
  public NodeLog log() {
    return log;
  }

  @Override
  public RaftGroup open(
      String group,
      int incarnation,
      Founders founders,
      boolean witness,
      Optional<SnapshotHost> snapshots,
      GroupListener listener)
      throws IOException {
    long number = GroupNumbers.of(group);
    Peer self = new Peer(transport.self().nodeId(), incarnation);
    log.requireIncarnation(group, incarnation);
    if (kept(number).base().configuration().length == 0) {
      log.found(number, founders.voters().isEmpty() ? Configuration.NONE : founded(founders));
    }
    Group kept = kept(number);
    SnapshotReference data = data(group, kept, witness ? Optional.empty() : snapshots);
    ReplicatedGroup opened =
        new ReplicatedGroup(
            group,
            witness,
            Set.copyOf(founders.witnesses()),
            shard,
            listener,
            snapshots,
            (node, of, least, done) -> copies.fetch(node, of, least, snapshots, done),
            data);
    Member member = new Member(Members.ofGroup(self), witness ? Role.WITNESS : Role.REPLICA);
    log.opened(group);
    try {
      Optional<Boolean> begun =
          shard.ask(
              core -> {
                begin(core, number, member, witness ? null : data, opened);
                return true;
              });
      if (begun.isEmpty()) {
        throw new IOException("group " + group + ": this node is stopping");
      }
    } catch (IllegalStateException e) {
      throw new IOException("group " + group + " cannot be opened: " + e.getMessage(), e);
    }
    shard.run(() -> {});
    return opened;
  }

  /** Nothing is left of a group that cannot begin; one that is open already stays as it is. */
  private void begin(
      Shard core, long number, Member self, SnapshotReference data, ReplicatedGroup group) {
    if (shard.group(number).isPresent()) {
      throw new IllegalStateException("it is open already");
    }
    Restored restored = shard.log().restored(number, self.peer(), data).orElseThrow();
    try {
      core.open(number, self, restored, group, ShardLoop.nowMillis());
    } catch (RuntimeException e) {
      core.close(number);
      throw e;
    }
    shard.add(number, group);
  }

  private Group kept(long number) {
    return log.log().group(number).orElseThrow();
  }

  private static Configuration founded(Founders founders) {
    return Configuration.stable(
        0,
        founders.voters().stream().map(peer -> Members.voter(peer, founders.witnesses())).toList(),
        founders.learners().stream().map(Members::ofGroup).toList());
  }

  /**
   * What the data covers. Where it went past the log, as a copy that was put in place before the
   * log knew, the copy's own word counts: it names the configuration.
   */
  private static SnapshotReference data(String group, Group kept, Optional<SnapshotHost> snapshots)
      throws IOException {
    long base = kept.base().index();
    if (snapshots.isEmpty()) {
      SnapshotReference at = WrittenLog.configuration(kept, base);
      return new SnapshotReference(
          base, kept.base().term(), at.configuration(), at.configurationIndex());
    }
    SnapshotHost.Row row = snapshots.get().row();
    Optional<SnapshotReference> copy = snapshots.get().durableMeta().map(Codec::reference);
    if (row.index() > kept.last() && copy.isPresent()) {
      return copy.get();
    }
    if (copy.isPresent() && copy.get().index() > row.index()) {
      return copy.get(); // entries without data moved the index and not the row
    }
    if (row.index() < base || row.index() > kept.last()) {
      throw new IOException(
          "group "
              + group
              + ": the log begins behind index "
              + base
              + " and ends at "
              + kept.last()
              + ", the data is at "
              + row.index()
              + "; entries between are missing, and this replica must be rebuilt");
    }
    SnapshotReference at = WrittenLog.configuration(kept, row.index());
    long term = row.index() == base ? kept.base().term() : row.term();
    return new SnapshotReference(row.index(), term, at.configuration(), at.configurationIndex());
  }

  // ---- Care ----

  private void lookAtData() {
    if (closed) {
      return;
    }
    readers.execute(() -> shard.groups().forEach(group -> group.snapshots().tellFlushed()));
    transport.after(TimeUnit.MILLISECONDS.toNanos(LOOK_AT_DATA_MILLIS), this::lookAtData);
  }

  @Override
  public void close() {
    closed = true;
    sender.close();
    shard.groups().forEach(ReplicatedGroup::close);
    shard.end();
    transport.close();
    readers.shutdown();
  }
}

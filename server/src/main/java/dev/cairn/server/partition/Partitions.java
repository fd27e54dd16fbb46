// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.cluster.Membership;
import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.cluster.PeerMessageKind;
import dev.cairn.server.cluster.Placement;
import dev.cairn.server.cluster.Replica;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.raft.PeerTransport;
import dev.cairn.server.raft.RaftEngine;
import dev.cairn.server.raft.RaftGroup;
import dev.cairn.server.raft.SharedLog;
import dev.cairn.server.storage.PartitionFolder;
import dev.cairn.server.storage.PartitionIdentity;
import dev.cairn.server.storage.StorageEngine;
import dev.cairn.server.storage.WitnessFolder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All replicas and witnesses of this node: opens what the placement gives it, and looks after them.
 *
 * <p>Opening follows the rule of {@link Replica}: a marker is written only while the replica is not
 * logged as created, and the group is opened only when it is and the marker is there. A replica
 * whose marker is missing is reported as lost and stays closed.
 *
 * <p>Threads: one opens and closes, in the order of the cluster's states; the scheduler's looks
 * after what is open; the rest may be called by any.
 */
public final class Partitions implements AutoCloseable {
  /** How much longer a write may take for each of its bytes, nanoseconds: a second for 4 MiB. */
  public static final long TIMEOUT_NANOS_PER_BYTE = PartitionGroup.TIMEOUT_NANOS_PER_BYTE;

  private static final Logger log = LoggerFactory.getLogger(Partitions.class);
  private static final int FORMAT = 1;
  private static final long LOOK_EVERY_MILLIS = 100;
  private static final long SNAPSHOT_EVERY_NANOS = TimeUnit.MINUTES.toNanos(10);
  private static final long TEND_EVERY_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long LEAD_BEFORE_HAND_OVER_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long PREFERRED_UP_MILLIS = 2_000;
  private static final long PREFERRED_LAG_MAX_ENTRIES = 64;
  private static final long FIRST_ELECTION_AFTER_MILLIS = 50;
  private static final long AWAIT_LOOK_EVERY_MILLIS = 2;
  private static final int READERS = 2;

  private final String selfId;
  private final RaftEngine engine;
  private final StorageEngine storage;
  private final Path folder;
  private final Membership membership;
  private final ScheduledExecutorService scheduler;
  private final LongSupplier nanoTime;
  private final long proposalTimeoutMillis;
  private final LogLimits limits;
  private final ExecutorService opener = Executors.newSingleThreadExecutor(daemon("partitions"));
  private final ExecutorService readers = Executors.newFixedThreadPool(READERS, daemon("reader"));
  private final Map<Integer, Held> held = new ConcurrentHashMap<>();
  private volatile ClusterState state;
  private volatile boolean stopping;

  /** A replica or witness of this node. Fields without final are the scheduler's. */
  private static final class Held {
    private final Replica replica;
    private final boolean witness;
    private volatile NodeReport.Status status = NodeReport.Status.CREATED;
    private volatile PartitionGroup group; // of a full replica that is open
    private volatile WitnessReplica witnessReplica; // of a witness that is open
    private volatile LogRetention retention;
    private volatile long leadsSinceNanos;
    private long tendedNanos;
    private volatile long snapshotNanos;
    private volatile long snapshotIndex;

    Held(Replica replica, boolean witness) {
      this.replica = replica;
      this.witness = witness;
    }

    RaftGroup raft() {
      return group != null ? group.raft() : witnessReplica != null ? witnessReplica.raft() : null;
    }
  }

  /**
   * Creates the table of a node that holds nothing yet.
   *
   * @param folder where the partitions' folders are
   * @param proposalTimeoutMillis when to give up on a proposal
   */
  public Partitions(
      String selfId,
      RaftEngine engine,
      StorageEngine storage,
      Path folder,
      Membership membership,
      ScheduledExecutorService scheduler,
      LongSupplier nanoTime,
      long proposalTimeoutMillis,
      LogLimits limits) {
    this.selfId = selfId;
    this.engine = engine;
    this.storage = storage;
    this.folder = folder;
    this.membership = membership;
    this.scheduler = scheduler;
    this.nanoTime = nanoTime;
    this.proposalTimeoutMillis = proposalTimeoutMillis;
    this.limits = limits;
    engine.transport().handle(PeerMessageKind.AWAIT_LOG, this::answerAwaitLog);
    scheduler.scheduleWithFixedDelay(
        this::lookAfter, LOOK_EVERY_MILLIS, LOOK_EVERY_MILLIS, TimeUnit.MILLISECONDS);
  }

  /**
   * Takes on a new state of the cluster. Returns at once; calls must come in the order of epochs.
   */
  public void follow(ClusterState next) {
    try {
      opener.execute(
          () -> {
            state = next;
            next.partitions().forEach(this::follow);
          });
    } catch (RejectedExecutionException stopping) {
      log.debug("epoch={} not followed: the node is stopping", next.epoch());
    }
  }

  private void follow(Placement placement) {
    Optional<Replica> own = placement.voterOn(selfId);
    if (own.isEmpty()) {
      return;
    }
    int index = placement.index();
    Replica replica = own.get();
    String group = state.groupOf(index);
    Held before = held.get(index);
    if (before != null && before.replica.incarnation() != replica.incarnation()) {
      closeHeld(before);
      held.remove(index);
    }
    Held entry = held.computeIfAbsent(index, i -> new Held(replica, placement.witnessOn(selfId)));
    long marker = engine.sharedLog().incarnation(group);
    if (!replica.created()) {
      if (marker != replica.incarnation()) {
        engine.sharedLog().writeIncarnation(group, replica.incarnation());
        membership.announce();
      }
    } else if (marker != replica.incarnation()) {
      entry.status = NodeReport.Status.LOST;
      log.error(
          "partition={} the disk does not hold incarnation {} of this replica (it holds {}); it does not vote",
          index,
          replica.incarnation(),
          marker);
    } else if (entry.status == NodeReport.Status.CREATED) {
      open(placement, entry, group);
    }
  }

  private void open(Placement placement, Held entry, String group) {
    int index = placement.index();
    PartitionIdentity identity =
        new PartitionIdentity(state.clusterId(), index, entry.replica.incarnation());
    Path partitionFolder = folder.resolve("p-%05d".formatted(index));
    Consumer<Throwable> failed = cause -> entry.status = NodeReport.Status.FAILED;
    boolean fresh = engine.sharedLog().lastIndex(group) == 0;
    entry.retention =
        new LogRetention(
            entry.witness,
            limits,
            selfId,
            () -> state.partitions().get(index),
            replica -> membership.report(replica, index),
            p -> engine.sharedLog().entryBytes(group),
            nanoTime);
    entry.status =
        NodeReport.Status.FOLLOWS; // first: a fault while it opens must have the last word
    try {
      RaftGroup raft;
      if (entry.witness) {
        WitnessReplica witness =
            new WitnessReplica(
                index,
                WitnessFolder.open(storage, partitionFolder, identity),
                entry.retention,
                scheduler,
                failed);
        raft =
            engine.open(
                group,
                entry.replica.incarnation(),
                firstVoters(placement, entry),
                List.of(),
                true,
                Optional.of(witness),
                witness);
        witness.opened(raft);
        entry.witnessReplica = witness;
      } else {
        PartitionFolder data = PartitionFolder.open(storage, partitionFolder, identity);
        PartitionGroup partition =
            new PartitionGroup(
                index,
                data,
                new PartitionClock(nanoTime, () -> medianWallMillis(index)),
                nanoTime,
                proposalTimeoutMillis,
                readers,
                () -> engine.sharedLog().votersInTransition(group));
        FullReplica replica =
            new FullReplica(
                index, data, partition, entry.retention, () -> leadershipChanged(entry), failed);
        raft =
            engine.open(
                group,
                entry.replica.incarnation(),
                firstVoters(placement, entry),
                List.of(),
                false,
                Optional.of(replica),
                replica);
        partition.opened(raft);
        entry.group = partition;
        if (fresh && placement.replicas().get(0).nodeId().equals(selfId)) {
          // A partition that has never had a leader: its preferred one need not wait for a timeout.
          scheduler.schedule(
              raft::campaignInFirstTerm, FIRST_ELECTION_AFTER_MILLIS, TimeUnit.MILLISECONDS);
        }
      }
    } catch (IOException | RuntimeException e) {
      entry.status = NodeReport.Status.FAILED;
      log.error("partition={} cannot be opened; it stays closed on this node", index, e);
    }
  }

  private void leadershipChanged(Held entry) {
    entry.leadsSinceNanos = nanoTime.getAsLong();
    scheduler.execute(membership::announce);
  }

  private OptionalLong medianWallMillis(int index) {
    return membership.medianWallMillis(
        state.partitions().get(index).voters().stream().map(Replica::nodeId).toList());
  }

  /**
   * A replica that came later is told the voters by the leader; one that made them up could elect
   * itself.
   */
  private List<Peer> firstVoters(Placement placement, Held entry) {
    return entry.replica.incarnation() == 1 ? peers(placement.voters()) : List.of();
  }

  private List<Peer> peers(List<Replica> replicas) {
    return replicas.stream().map(this::peer).toList();
  }

  private Peer peer(Replica replica) {
    Member member = state.member(replica.nodeId()).orElseThrow();
    return new Peer(member.peerHost(), member.peerPort(), replica.incarnation());
  }

  /** Whether this node leads a partition and takes its requests. */
  public boolean leads(int partition) {
    Held entry = held.get(partition);
    return entry != null && entry.group != null && entry.group.leads();
  }

  /** The node that leads a partition, as far as is known here. Never a witness. */
  public Optional<String> leaderId(int partition) {
    ClusterState known = state;
    if (known == null || partition >= known.partitions().size()) {
      return Optional.empty();
    }
    Placement placement = known.partitions().get(partition);
    Held entry = held.get(partition);
    RaftGroup raft = entry == null ? null : entry.raft();
    if (raft == null) {
      return membership.leader(placement);
    }
    if (entry.group != null && entry.group.leads()) {
      return Optional.of(selfId);
    }
    return raft.leader()
        .flatMap(peer -> nodeAt(known, peer))
        .filter(id -> !id.equals(selfId) && !placement.witnessOn(id));
  }

  private static Optional<String> nodeAt(ClusterState known, Peer peer) {
    return known.members().stream()
        .filter(member -> member.peerPort() == peer.port() && member.peerHost().equals(peer.host()))
        .map(Member::id)
        .findFirst();
  }

  /**
   * Applies requests at this node, if it leads the partition.
   *
   * @param deadlineNanos until when they may wait, by the monotonic clock
   * @param done called exactly once, by any thread
   */
  public void write(
      int partition,
      List<List<Operation>> requests,
      long deadlineNanos,
      Consumer<BatchReply> done) {
    PartitionGroup group = group(partition);
    if (group == null) {
      done.accept(notLeader(partition));
    } else {
      group.write(requests, deadlineNanos, done);
    }
  }

  /**
   * Answers queries at this node, linearizably, if it leads the partition; otherwise as {@link
   * #write}.
   */
  public void read(
      int partition, List<List<Query>> requests, long deadlineNanos, Consumer<BatchReply> done) {
    PartitionGroup group = group(partition);
    if (group == null) {
      done.accept(notLeader(partition));
    } else {
      group.read(requests, deadlineNanos, done);
    }
  }

  private PartitionGroup group(int partition) {
    Held entry = held.get(partition);
    return entry == null ? null : entry.group;
  }

  private BatchReply notLeader(int partition) {
    return new BatchReply.Refused(BatchReply.Reason.NOT_LEADER, leaderId(partition));
  }

  /** What this node's replicas and witnesses say of themselves. */
  public List<NodeReport.PartitionReport> reports() {
    ClusterState known = state;
    List<NodeReport.PartitionReport> reports = new ArrayList<>();
    if (known == null) {
      return reports;
    }
    SharedLog sharedLog = engine.sharedLog();
    held.forEach(
        (index, entry) -> {
          String group = known.groupOf(index);
          int marker = (int) sharedLog.incarnation(group);
          long lastLogIndex = sharedLog.lastIndex(group);
          long logBytes = sharedLog.entryBytes(group);
          boolean open = entry.status == NodeReport.Status.FOLLOWS && entry.raft() != null;
          if (open && entry.group != null) {
            reports.add(entry.group.report(marker, lastLogIndex, logBytes));
          } else if (open) {
            reports.add(entry.witnessReplica.report(marker, lastLogIndex, logBytes));
          } else {
            reports.add(
                new NodeReport.PartitionReport(
                    index, marker, entry.status, 0, 0, 0, lastLogIndex, logBytes));
          }
        });
    return reports;
  }

  private void lookAfter() {
    long now = nanoTime.getAsLong();
    held.forEach(
        (index, entry) -> {
          try {
            if (entry.retention != null) {
              entry.retention.check();
            }
            if (entry.group != null) {
              entry.group.expire();
            }
            if (entry.raft() != null && now - entry.tendedNanos >= TEND_EVERY_NANOS) {
              entry.tendedNanos = now;
              tend(index, entry, now);
            }
          } catch (RuntimeException e) {
            log.error("partition={} looking after it failed; trying again", index, e);
          }
        });
  }

  private void tend(int index, Held entry, long now) {
    long logBytes = engine.sharedLog().entryBytes(state.groupOf(index));
    boolean large = logBytes > limits.snapshotBytes();
    boolean old = now - entry.snapshotNanos > SNAPSHOT_EVERY_NANOS && entry.snapshotNanos != 0;
    if (entry.snapshotNanos == 0) {
      entry.snapshotNanos = now;
    }
    if (large || old) {
      snapshot(index, entry);
    }
    if (entry.group != null) {
      reconcileVoters(index, entry);
      flushForWitness(index, entry);
      handBack(index, entry, now);
    }
  }

  private void snapshot(int index, Held entry) {
    long applied = entry.raft().appliedIndex();
    if (applied <= entry.snapshotIndex) {
      return; // nothing was applied since: the engine would drop log without asking
    }
    entry.snapshotNanos = nanoTime.getAsLong();
    entry
        .raft()
        .snapshot(
            failure -> {
              if (failure.isEmpty()) {
                entry.snapshotIndex = applied;
              } else {
                log.debug("partition={} keeps its log: {}", index, failure.get());
              }
            });
  }

  /** Asks every replica and witness of this node for a snapshot now, as if its log had grown. */
  public void snapshotAll() {
    held.forEach(
        (index, entry) -> {
          if (entry.raft() != null) {
            scheduler.execute(() -> snapshot(index, entry));
          }
        });
  }

  /** The first index that is still in this node's log of a partition. */
  public long firstLogIndex(int partition) {
    return engine.sharedLog().firstIndex(state.groupOf(partition));
  }

  /**
   * As the partition's leader, makes its voters those of the placement, once all of them have their
   * marker on disk.
   *
   * <p>A new witness knows the log from the leader's first index on, and nothing before it. So it
   * is let in only when every full replica that was placed earlier is durable past that: otherwise
   * the old witness, or nobody, could bring that replica up to date if the leader were lost.
   */
  private void reconcileVoters(int index, Held entry) {
    Placement placement = state.partitions().get(index);
    if (!entry.group.leads() || !placement.voters().stream().allMatch(Replica::created)) {
      return;
    }
    Set<Peer> wanted = Set.copyOf(peers(placement.voters()));
    Replica witness = placement.witness();
    boolean newWitness =
        witness != null
            && entry.raft().voters().filter(now -> now.contains(peer(witness))).isEmpty();
    long firstIndex = engine.sharedLog().firstIndex(state.groupOf(index));
    boolean durable =
        placement.replicas().stream()
            .allMatch(
                replica ->
                    membership
                        .report(replica, index)
                        .filter(report -> report.durableIndex() >= firstIndex - 1)
                        .isPresent());
    if (!newWitness || durable) {
      entry.group.reconcileVoters(wanted);
    }
  }

  /** A witness whose log has grown waits for this replica to be durable. */
  private void flushForWitness(int index, Held entry) {
    Replica witness = state.partitions().get(index).witness();
    if (witness != null
        && membership
            .report(witness, index)
            .filter(report -> report.logBytes() > limits.snapshotBytes())
            .isPresent()) {
      readers.execute(() -> entry.group.flush());
    }
  }

  /** Gives leadership back to the replica that the ring prefers, once that is up and close. */
  private void handBack(int index, Held entry, long now) {
    Replica preferred = state.partitions().get(index).replicas().get(0);
    if (stopping
        || !entry.group.leads()
        || preferred.nodeId().equals(selfId)
        || now - entry.leadsSinceNanos < LEAD_BEFORE_HAND_OVER_NANOS
        || membership.upForMillis(preferred.nodeId()) < PREFERRED_UP_MILLIS) {
      return;
    }
    long lastLogIndex = engine.sharedLog().lastIndex(state.groupOf(index));
    boolean close =
        membership
            .report(preferred, index)
            .filter(report -> report.status() == NodeReport.Status.FOLLOWS)
            .filter(report -> report.lastLogIndex() + PREFERRED_LAG_MAX_ENTRIES >= lastLogIndex)
            .isPresent();
    if (close) {
      entry.group.handOver(peer(preferred));
    }
  }

  /**
   * Waits until a node has a log entry of a partition on disk.
   *
   * @param done called once: whether it had, in time
   */
  public void awaitLog(
      String nodeId,
      int partition,
      long index,
      long term,
      long timeoutMillis,
      Consumer<Boolean> done) {
    if (nodeId.equals(selfId)) {
      awaitOwnLog(partition, index, term, nanoTime.getAsLong() + timeoutMillis * 1_000_000, done);
      return;
    }
    Optional<Member> member = state == null ? Optional.empty() : state.member(nodeId);
    if (member.isEmpty()) {
      done.accept(false);
      return;
    }
    ByteBuffer message = ByteBuffer.allocate(1 + 4 + 8 + 8 + 8);
    message
        .put((byte) FORMAT)
        .putInt(partition)
        .putLong(index)
        .putLong(term)
        .putLong(timeoutMillis);
    engine
        .transport()
        .send(
            member.get().peerHost(),
            member.get().peerPort(),
            PeerMessageKind.AWAIT_LOG,
            message.array(),
            timeoutMillis,
            answer ->
                done.accept(
                    answer instanceof PeerTransport.Answer.Received received
                        && received.body().length == 1
                        && received.body()[0] == 1));
  }

  private void answerAwaitLog(byte[] body, Consumer<byte[]> answer) {
    ByteBuffer message = ByteBuffer.wrap(body);
    if (message.get() != FORMAT) {
      throw new IllegalArgumentException("await-log message of an unknown format");
    }
    awaitOwnLog(
        message.getInt(),
        message.getLong(),
        message.getLong(),
        nanoTime.getAsLong() + message.getLong() * 1_000_000,
        durable -> answer.accept(new byte[] {(byte) (durable ? 1 : 0)}));
  }

  private void awaitOwnLog(
      int partition, long index, long term, long deadlineNanos, Consumer<Boolean> done) {
    String group = state == null ? "" : state.groupOf(partition);
    SharedLog sharedLog = engine.sharedLog();
    boolean reached = sharedLog.lastIndex(group) >= index;
    if (reached
        && (index < sharedLog.firstIndex(group)
            || sharedLog.termAt(group, index).orElse(-1) == term)) {
      done.accept(true);
    } else if (nanoTime.getAsLong() - deadlineNanos >= 0) {
      done.accept(false);
    } else {
      scheduler.schedule(
          () -> awaitOwnLog(partition, index, term, deadlineNanos, done),
          AWAIT_LOOK_EVERY_MILLIS,
          TimeUnit.MILLISECONDS);
    }
  }

  /**
   * Hands over what this node leads, so that the others need no election when it stops.
   *
   * @param timeoutMillis the longest wait; what cannot be handed over by then is left to an
   *     election
   */
  public void handOverAll(long timeoutMillis) {
    long deadline = nanoTime.getAsLong() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    stopping = true;
    boolean leading = true;
    while (leading && nanoTime.getAsLong() - deadline < 0) {
      leading = false;
      for (Map.Entry<Integer, Held> entry : held.entrySet()) {
        PartitionGroup group = entry.getValue().group;
        if (group != null && group.leads()) {
          Optional<Replica> other = otherReplica(entry.getKey());
          other.ifPresent(replica -> group.handOver(peer(replica)));
          leading |= other.isPresent();
        }
      }
      if (leading) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
      }
    }
  }

  private Optional<Replica> otherReplica(int index) {
    return state.partitions().get(index).replicas().stream()
        .filter(replica -> !replica.nodeId().equals(selfId) && membership.isUp(replica.nodeId()))
        .filter(
            replica ->
                membership
                    .report(replica, index)
                    .filter(report -> report.status() == NodeReport.Status.FOLLOWS)
                    .isPresent())
        .findFirst();
  }

  @Override
  public void close() {
    opener.shutdown();
    try {
      opener.awaitTermination(30, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    held.values().parallelStream().forEach(Partitions::closeHeld);
    readers.shutdown();
  }

  private static void closeHeld(Held entry) {
    if (entry.retention != null) {
      entry.retention.close(); // else the group waits for the snapshot that is held
    }
    if (entry.group != null) {
      entry.group.close();
    }
    if (entry.witnessReplica != null) {
      entry.witnessReplica.close();
    }
  }

  private static java.util.concurrent.ThreadFactory daemon(String name) {
    return task -> {
      Thread thread = new Thread(task, name);
      thread.setDaemon(true);
      return thread;
    };
  }
}

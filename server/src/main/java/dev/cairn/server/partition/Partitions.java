// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Membership;
import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.cluster.Placement;
import dev.cairn.server.cluster.Replica;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Request;
import dev.cairn.server.raft.NodeLog;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.raft.RaftEngine;
import dev.cairn.server.raft.RaftGroup;
import dev.cairn.server.storage.StorageEngine;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
 * All replicas and witnesses of this node, and the way to them: {@link ReplicaOpener} opens what
 * the placement gives it, {@link ReplicaCare} looks after them, {@link ReplicaWatch} waits for
 * their logs.
 *
 * <p>Threads: one opens and closes, in the order of the cluster's states; the scheduler's looks
 * after what is open; the rest may be called by any.
 */
public final class Partitions implements AutoCloseable {
  /** How much longer a write may take for each of its bytes, nanoseconds: a second for 4 MiB. */
  public static final long TIMEOUT_NANOS_PER_BYTE = WriteQueue.TIMEOUT_NANOS_PER_BYTE;

  private static final Logger log = LoggerFactory.getLogger(Partitions.class);
  private static final long LOOK_EVERY_MILLIS = 100;
  private static final int READERS = 2;

  private final String selfId;
  private final RaftEngine engine;
  private final Membership membership;
  private final ScheduledExecutorService scheduler;
  private final LongSupplier nanoTime;
  private final ExecutorService opening = Executors.newSingleThreadExecutor(daemon("partitions"));
  private final ExecutorService readers = Executors.newFixedThreadPool(READERS, daemon("reader"));
  private final ExecutorService flushing = Executors.newSingleThreadExecutor(daemon("flush"));
  private final Map<Integer, HeldReplica> held = new ConcurrentHashMap<>();
  private final ReplicaOpener opener;
  private final ReplicaCare care;
  private final ReplicaWatch watch;
  private volatile ClusterState state;
  private volatile boolean stopping;

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
      LogLimits limits,
      Metrics metrics) {
    this.selfId = selfId;
    this.engine = engine;
    this.membership = membership;
    this.scheduler = scheduler;
    this.nanoTime = nanoTime;
    this.opener =
        new ReplicaOpener(
            selfId,
            engine,
            storage,
            folder,
            membership,
            scheduler,
            nanoTime,
            proposalTimeoutMillis,
            limits,
            new ReplicaOpener.Workers(readers, opening, flushing),
            held,
            metrics,
            () -> state);
    this.care =
        new ReplicaCare(
            selfId,
            engine,
            membership,
            nanoTime,
            limits,
            readers,
            held,
            () -> state,
            () -> stopping);
    this.watch = new ReplicaWatch(selfId, engine, scheduler, nanoTime, held, () -> state);
    scheduler.scheduleWithFixedDelay(
        care::lookAfter, LOOK_EVERY_MILLIS, LOOK_EVERY_MILLIS, TimeUnit.MILLISECONDS);
  }

  /**
   * Takes on a new state of the cluster. Returns at once; calls must come in the order of epochs.
   */
  public void follow(ClusterState next) {
    try {
      opening.execute(
          () -> {
            state = next;
            opener.follow(next);
            membership.announce();
          });
    } catch (RejectedExecutionException stopping) {
      log.debug("epoch={} not followed: the node is stopping", next.epoch());
    }
  }

  /** Whether this node leads a partition and takes its requests. */
  public boolean leads(int partition) {
    HeldReplica entry = held.get(partition);
    return entry != null && entry.group != null && entry.group.leads();
  }

  /** The node that leads a partition, as far as is known here. Never a witness. */
  public Optional<String> leaderId(int partition) {
    ClusterState known = state;
    if (known == null || partition >= known.partitions().size()) {
      return Optional.empty();
    }
    Placement placement = known.partitions().get(partition);
    HeldReplica entry = held.get(partition);
    RaftGroup raft = entry == null ? null : entry.raft();
    if (raft == null || !raft.heardOfLeader()) {
      return membership.leader(placement); // no leader has told this replica that it belongs
    }
    if (entry.group != null && entry.group.leads()) {
      return Optional.of(selfId);
    }
    return raft.followed()
        .map(Peer::nodeId)
        .filter(id -> !id.equals(selfId) && !placement.witnessOn(id));
  }

  /**
   * Applies requests at this node, if it leads the partition.
   *
   * @param deadlineNanos until when they may wait, by the monotonic clock
   * @param done called exactly once, by any thread
   */
  public void write(
      int partition, List<Request> requests, long deadlineNanos, Consumer<BatchReply> done) {
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

  /** Whether this node holds a full replica of a partition that may answer for itself. */
  public boolean servesOwn(int partition) {
    HeldReplica entry = held.get(partition);
    ClusterState known = state;
    return entry != null
        && entry.group != null
        && entry.status == NodeReport.Status.FOLLOWS
        && entry.group.ownReads().serves()
        && known
            .partitions()
            .get(partition)
            .voterOn(selfId)
            .filter(replica -> replica.incarnation() == entry.replica.incarnation())
            .isPresent();
  }

  /**
   * Answers queries from this node's own replica, whoever leads: perhaps out of date. Refuses where
   * it holds none, or one that was removed, has stopped, or is still being brought up to date.
   */
  public void readOwn(int partition, List<List<Query>> requests, Consumer<BatchReply> done) {
    if (servesOwn(partition)) {
      group(partition).ownReads().read(requests, done);
    } else {
      done.accept(notLeader(partition));
    }
  }

  private PartitionGroup group(int partition) {
    HeldReplica entry = held.get(partition);
    return entry == null ? null : entry.group;
  }

  private BatchReply notLeader(int partition) {
    return new BatchReply.Refused(BatchReply.Reason.NOT_LEADER, leaderId(partition));
  }

  /** The epoch of the cluster's state that this node has taken on; 0 before the first. */
  public long epoch() {
    ClusterState known = state;
    return known == null ? 0 : known.epoch();
  }

  /** What this node's replicas and witnesses say of themselves. */
  public List<NodeReport.PartitionReport> reports() {
    ClusterState known = state;
    List<NodeReport.PartitionReport> reports = new ArrayList<>();
    if (known == null) {
      return reports;
    }
    NodeLog nodeLog = engine.log();
    held.forEach(
        (index, entry) -> {
          String group = known.groupOf(index);
          int marker = (int) nodeLog.incarnation(group);
          long lastLogIndex = nodeLog.lastIndex(group);
          long logBytes = nodeLog.entryBytes(group);
          boolean open = entry.status == NodeReport.Status.FOLLOWS && entry.raft() != null;
          if (open && entry.group != null) {
            boolean votersChange = entry.group.leads() && votersChange(known, index);
            reports.add(entry.group.report(marker, lastLogIndex, logBytes, votersChange));
          } else if (open) {
            reports.add(entry.witnessReplica.report(marker, lastLogIndex, logBytes));
          } else {
            reports.add(
                new NodeReport.PartitionReport(
                    index, marker, entry.status, 0, 0, 0, lastLogIndex, logBytes, false));
          }
        });
    return reports;
  }

  /** What this node's replicas and witnesses hold and have yet to do. */
  public List<PartitionFigures> figures() {
    ClusterState known = state;
    List<PartitionFigures> figures = new ArrayList<>();
    if (known == null) {
      return figures;
    }
    NodeLog nodeLog = engine.log();
    held.forEach(
        (index, entry) -> {
          String group = known.groupOf(index);
          long logBytes = nodeLog.entryBytes(group);
          PartitionGroup open = entry.group;
          boolean stopped =
              entry.status == NodeReport.Status.FAILED
                  || entry.status == NodeReport.Status.LOST
                  || entry.status == NodeReport.Status.DAMAGED;
          try {
            figures.add(
                open == null || stopped
                    ? PartitionFigures.logOnly(index, stopped, logBytes)
                    : open.figures(nodeLog.lastIndex(group), logBytes));
          } catch (RuntimeException closing) {
            log.debug("partition={} has no figures just now", index, closing);
          }
        });
    return figures;
  }

  /** Whether this leader's voters are others than the placement's, or about to be. */
  private boolean votersChange(ClusterState known, int index) {
    return voters(index)
        .filter(Set.copyOf(ReplicaOpener.peers(known.partitions().get(index).voters()))::equals)
        .isEmpty();
  }

  /** Asks every replica and witness of this node for a snapshot now, as if its log had grown. */
  public void snapshotAll() {
    held.forEach(
        (index, entry) -> {
          if (entry.raft() != null) {
            scheduler.execute(() -> care.snapshot(index, entry));
          }
        });
  }

  /**
   * Who votes in a partition, as its leader has it; empty where this node does not lead, and while
   * the voters change.
   */
  public Optional<Set<Peer>> voters(int partition) {
    PartitionGroup group = group(partition);
    return group == null
            || !group.leads()
            || engine.log().votersInTransition(state.groupOf(partition))
        ? Optional.empty()
        : group.raft().voters();
  }

  /** The first index that is still in this node's log of a partition. */
  public long firstLogIndex(int partition) {
    return engine.log().firstIndex(state.groupOf(partition));
  }

  /**
   * Waits until a node has a log entry of a partition on disk.
   *
   * @param deadlineNanos until when, by the monotonic clock
   * @param done called once: whether it had, in time
   */
  public void awaitLog(
      String nodeId,
      int partition,
      long index,
      long term,
      long deadlineNanos,
      Consumer<Boolean> done) {
    watch.await(nodeId, new ReplicaWatch.Wanted(partition, index, term), deadlineNanos, done);
  }

  /** Waits until a node's replica has applied an entry, as {@link #awaitLog}. */
  public void awaitApplied(
      String nodeId, int partition, long index, long deadlineNanos, Consumer<Boolean> done) {
    watch.await(nodeId, new ReplicaWatch.Wanted(partition, index, 0), deadlineNanos, done);
  }

  /** Wants no leadership any more; what it has is handed over by {@link #handOverAll}. */
  public void stopLeading() {
    stopping = true;
  }

  /** Whether this node is giving away what it leads. */
  public boolean stopping() {
    return stopping;
  }

  /**
   * Hands over what this node leads, so that the others need no election when it stops.
   *
   * @param timeoutMillis the longest wait; what cannot be handed over by then is left to an
   *     election
   */
  public void handOverAll(long timeoutMillis) {
    long deadline = nanoTime.getAsLong() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    stopLeading();
    boolean leading = true;
    while (leading && nanoTime.getAsLong() - deadline < 0) {
      leading = false;
      for (Map.Entry<Integer, HeldReplica> entry : held.entrySet()) {
        PartitionGroup group = entry.getValue().group;
        if (group != null && group.leads()) {
          Optional<Replica> other = otherReplica(entry.getKey());
          other.ifPresent(replica -> group.handOver(ReplicaOpener.peer(replica)));
          leading |= other.isPresent();
        }
      }
      if (leading) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
      }
    }
  }

  private Optional<Replica> otherReplica(int index) {
    Placement placement = state.partitions().get(index);
    return placement.replicas().stream()
        .filter(replica -> !replica.nodeId().equals(selfId))
        .filter(replica -> membership.mayLead(placement, replica.nodeId()))
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
    opening.shutdown();
    try {
      opening.awaitTermination(30, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    held.values().parallelStream().forEach(HeldReplica::close);
    readers.shutdown();
    flushing.shutdown();
  }

  private static java.util.concurrent.ThreadFactory daemon(String name) {
    return task -> {
      Thread thread = new Thread(task, name);
      thread.setDaemon(true);
      return thread;
    };
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Membership;
import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.cluster.Placement;
import dev.cairn.server.cluster.Replica;
import dev.cairn.server.cluster.WallTime;
import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.raft.Founders;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.raft.RaftEngine;
import dev.cairn.server.raft.RaftGroup;
import dev.cairn.server.storage.PartitionFolder;
import dev.cairn.server.storage.PartitionIdentity;
import dev.cairn.server.storage.StorageEngine;
import dev.cairn.server.storage.StorageException;
import dev.cairn.server.storage.WitnessFolder;
import dev.cairn.state.RequestIds;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens the replicas and witnesses that the placement gives this node.
 *
 * <p>It follows the rule of {@link Replica}: a marker is written only while the replica is not
 * logged as created, and the group is opened only when it is and the marker is there. A replica
 * whose marker is missing is reported as lost and stays closed.
 *
 * <p>A replica whose data is damaged stops, whole: it reports so, and the controller gives it a new
 * incarnation once another replica leads. Under that it begins with nothing, and what is left of
 * the old one is deleted. It cannot be mended in its old place: its log may have dropped what its
 * data covered, and a voter that drops its log as well may have promised what nobody else has.
 *
 * <p>Thread: one, in the order of the cluster's states.
 */
final class ReplicaOpener {
  /** When a new partition's preferred replica stands: the others may open a moment later. */
  private static final List<Long> FIRST_ELECTIONS_AFTER_MILLIS = List.of(50L, 150L, 300L, 500L);

  private static final Logger log = LoggerFactory.getLogger(ReplicaOpener.class);

  private final String selfId;
  private final RaftEngine engine;
  private final StorageEngine storage;
  private final Path folder;
  private final Membership membership;
  private final ScheduledExecutorService scheduler;
  private final LongSupplier nanoTime;
  private final long proposalTimeoutMillis;
  private final LogLimits limits;
  private final Workers workers;
  private final Map<Integer, HeldReplica> held;
  private final WriteMemory memory;
  private final PartitionMetrics metrics;
  private final Metrics.Count leaderChanges;
  private final Supplier<ClusterState> current;

  /**
   * Threads that may wait, of all partitions.
   *
   * @param readers answer what memory cannot
   * @param opening the opener's own
   * @param flushing puts on disk what was applied
   */
  record Workers(Executor readers, Executor opening, Executor flushing) {}

  /**
   * Creates the opener of a node that holds nothing yet.
   *
   * @param folder where the partitions' folders are
   * @param held where what it opens is kept
   * @param current the latest state of the cluster
   */
  ReplicaOpener(
      String selfId,
      RaftEngine engine,
      StorageEngine storage,
      Path folder,
      Membership membership,
      ScheduledExecutorService scheduler,
      LongSupplier nanoTime,
      long proposalTimeoutMillis,
      LogLimits limits,
      Workers workers,
      Map<Integer, HeldReplica> held,
      Metrics metrics,
      Supplier<ClusterState> current) {
    this.selfId = selfId;
    this.engine = engine;
    this.storage = storage;
    this.folder = folder;
    this.membership = membership;
    this.scheduler = scheduler;
    this.nanoTime = nanoTime;
    this.proposalTimeoutMillis = proposalTimeoutMillis;
    this.limits = limits;
    this.workers = workers;
    this.held = held;
    this.memory = new WriteMemory(storage.unflushedBytesMax(), workers.flushing());
    metrics.gauge(Metric.UNFLUSHED, memory::heldBytes);
    this.metrics = PartitionMetrics.of(metrics);
    this.leaderChanges = metrics.counter(Metric.LEADER_CHANGES);
    this.current = current;
  }

  /** Opens what a state of the cluster newly gives this node. */
  void follow(ClusterState state) {
    state.partitions().forEach(placement -> follow(state, placement));
  }

  private void follow(ClusterState state, Placement placement) {
    Optional<Replica> own = placement.voterOn(selfId);
    if (own.isEmpty()) {
      return;
    }
    int index = placement.index();
    Replica replica = own.get();
    String group = state.groupOf(index);
    HeldReplica before = held.get(index);
    if (before != null && before.replica.incarnation() != replica.incarnation()) {
      before.close();
      held.remove(index);
    }
    HeldReplica entry =
        held.computeIfAbsent(index, i -> new HeldReplica(replica, placement.witnessOn(selfId)));
    long marker = engine.log().incarnation(group);
    if (!replica.created()) {
      if (marker != replica.incarnation()) {
        PartitionFolder.delete(folderOf(index)); // of an earlier incarnation
        engine.log().writeIncarnation(group, replica.incarnation());
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
      open(state, placement, entry, group);
    }
    RaftGroup raft = entry.raft();
    if (raft != null) {
      raft.witnesses(Set.copyOf(witnesses(placement)));
    }
  }

  private PartitionGroup newGroup(
      int index, String group, HeldReplica entry, ReplicaState replicaState) {
    return new PartitionGroup(
        index,
        replicaState,
        new PartitionClock(nanoTime, () -> wallTime(index)),
        nanoTime,
        proposalTimeoutMillis,
        workers.readers(),
        metrics,
        new OwnReads(
            index,
            peer(entry.replica),
            replicaState,
            workers.readers(),
            nanoTime,
            System::currentTimeMillis,
            metrics.keys()),
        () -> engine.log().votersInTransition(group));
  }

  private void open(ClusterState state, Placement placement, HeldReplica entry, String group) {
    int index = placement.index();
    PartitionIdentity identity =
        new PartitionIdentity(state.clusterId(), index, entry.replica.incarnation());
    Path partitionFolder = folderOf(index);
    Consumer<Throwable> failed = cause -> failed(index, entry, cause);
    PartitionGroup unopened = null;
    boolean fresh = engine.log().lastIndex(group) == 0;
    entry.retention =
        new LogRetention(
            entry.witness,
            limits,
            selfId,
            () -> current.get().partitions().get(index),
            replica -> membership.report(replica, index),
            p -> engine.log().entryBytes(group),
            nanoTime);
    entry.status =
        NodeReport.Status.FOLLOWS; // first: a fault while it opens must have the last word
    try {
      RaftGroup raft;
      if (entry.witness) {
        WitnessFolder.open(partitionFolder, identity);
        WitnessReplica witness = new WitnessReplica(index, entry.retention, failed);
        raft =
            engine.open(
                group,
                entry.replica.incarnation(),
                founders(placement, entry),
                true,
                Optional.empty(),
                witness);
        witness.opened(raft);
        entry.witnessReplica = witness;
      } else {
        PartitionFolder data = PartitionFolder.open(storage, partitionFolder, identity);
        ReplicaState replicaState =
            new ReplicaState(data, RequestIds.Bounds.DEFAULT, metrics.keys(), memory);
        PartitionGroup partition = newGroup(index, group, entry, replicaState);
        unopened = partition;
        data.onDamage(cause -> failed(index, entry, cause));
        FullReplica replica =
            new FullReplica(
                index,
                replicaState,
                partition,
                entry.retention,
                metrics,
                () -> leadershipChanged(entry, partition),
                failed);
        raft =
            engine.open(
                group,
                entry.replica.incarnation(),
                founders(placement, entry),
                false,
                Optional.of(replica),
                replica);
        partition.opened(raft);
        entry.group = partition;
        if (fresh && placement.replicas().get(0).nodeId().equals(selfId)) {
          // A partition that has never had a leader: its preferred one need not wait for a timeout.
          campaign(raft);
        }
      }
    } catch (IOException | RuntimeException e) {
      log.error("partition={} cannot be opened; it stays closed on this node", index, e);
      failed(index, entry, e);
      if (e instanceof StorageException fault
          && (fault.kind() == StorageException.Kind.NO_ROOM
              || fault.kind() == StorageException.Kind.FAILED)) {
        storage.damaged(fault); // not this replica's own: the node must act
      }
      if (unopened != null && entry.group == null) {
        unopened.close(); // else nobody could delete its folder, or open it again
      }
    }
  }

  private void campaign(RaftGroup raft) {
    for (long millis : FIRST_ELECTIONS_AFTER_MILLIS) {
      scheduler.schedule(
          () -> {
            if (!raft.heardOfLeader()) {
              raft.campaignInFirstTerm();
            }
          },
          millis,
          TimeUnit.MILLISECONDS);
    }
  }

  private Path folderOf(int index) {
    return folder.resolve("p-%05d".formatted(index));
  }

  /** The replica takes no part any more. Any thread, even one of the replica's own. */
  private void failed(int index, HeldReplica entry, Throwable cause) {
    Optional<StorageException.Kind> kind = kindOf(cause);
    boolean damaged = kind.equals(Optional.of(StorageException.Kind.DAMAGED));
    if (entry.status == NodeReport.Status.DAMAGED) {
      return;
    }
    entry.status = damaged ? NodeReport.Status.DAMAGED : NodeReport.Status.FAILED;
    log.error(
        "partition={} has stopped on this node{}",
        index,
        damaged ? ": its data is damaged, and is rebuilt from another replica" : "",
        cause);
    try {
      scheduler.execute(membership::announce);
      if (damaged) {
        workers.opening().execute(entry::close); // a leader must not stay one
      }
    } catch (RejectedExecutionException stopping) {
      log.debug("partition={} not closed: the node is stopping", index);
    }
  }

  private static Optional<StorageException.Kind> kindOf(Throwable fault) {
    for (Throwable cause = fault; cause != null; cause = cause.getCause()) {
      if (cause instanceof StorageException storage) {
        return Optional.of(storage.kind());
      }
    }
    return Optional.empty();
  }

  private void leadershipChanged(HeldReplica entry, PartitionGroup partition) {
    if (partition.leads()) {
      leaderChanges.increment();
    }
    entry.leadsSinceNanos = nanoTime.getAsLong();
    scheduler.execute(membership::announce);
  }

  private Optional<WallTime> wallTime(int index) {
    return membership.wallTime(
        current.get().partitions().get(index).voters().stream().map(Replica::nodeId).toList());
  }

  private static Founders founders(Placement placement, HeldReplica entry) {
    return entry.replica.incarnation() == 1
        ? new Founders(peers(placement.voters()), List.of(), witnesses(placement))
        : Founders.UNKNOWN;
  }

  private static List<Peer> witnesses(Placement placement) {
    return placement.witness() == null ? List.of() : List.of(peer(placement.witness()));
  }

  static List<Peer> peers(List<Replica> replicas) {
    return replicas.stream().map(ReplicaOpener::peer).toList();
  }

  /** A replica as its Raft group names it. */
  static Peer peer(Replica replica) {
    return new Peer(replica.nodeId(), replica.incarnation());
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Membership;
import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.cluster.Placement;
import dev.cairn.server.cluster.Replica;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.raft.RaftEngine;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after what this node holds: deadlines, the log's length, who votes, and who leads.
 *
 * <p>Thread: the scheduler's, one run at a time.
 */
final class ReplicaCare {
  private static final long SNAPSHOT_EVERY_NANOS = TimeUnit.MINUTES.toNanos(10);
  private static final long TEND_EVERY_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long LEAD_BEFORE_HAND_OVER_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long PREFERRED_UP_MILLIS = 2_000;
  private static final long PREFERRED_LAG_MAX_ENTRIES = 64;
  private static final Logger log = LoggerFactory.getLogger(ReplicaCare.class);

  private final String selfId;
  private final RaftEngine engine;
  private final Membership membership;
  private final LongSupplier nanoTime;
  private final LogLimits limits;
  private final Executor readers;
  private final Map<Integer, HeldReplica> held;
  private final Supplier<ClusterState> current;
  private final BooleanSupplier stopping;

  /**
   * Creates the care of a node.
   *
   * @param readers where a flush may wait for the disk
   * @param stopping whether the node is giving away what it leads
   */
  ReplicaCare(
      String selfId,
      RaftEngine engine,
      Membership membership,
      LongSupplier nanoTime,
      LogLimits limits,
      Executor readers,
      Map<Integer, HeldReplica> held,
      Supplier<ClusterState> current,
      BooleanSupplier stopping) {
    this.selfId = selfId;
    this.engine = engine;
    this.membership = membership;
    this.nanoTime = nanoTime;
    this.limits = limits;
    this.readers = readers;
    this.held = held;
    this.current = current;
    this.stopping = stopping;
  }

  /** One round. What fails for one partition does not keep it from the others. */
  void lookAfter() {
    long now = nanoTime.getAsLong();
    held.forEach(
        (index, entry) -> {
          try {
            if (entry.retention != null) {
              entry.retention.check();
            }
            if (entry.group != null) {
              entry.group.refuseGrowth(tooFewHaveRoom(index));
              entry.group.expire();
              entry.group.sweep();
            }
            if (entry.raft() != null
                && entry.status == NodeReport.Status.FOLLOWS
                && now - entry.tendedNanos >= TEND_EVERY_NANOS) {
              entry.tendedNanos = now;
              tend(index, entry, now);
            }
          } catch (RuntimeException e) {
            log.error("partition={} looking after it failed; trying again", index, e);
          }
        });
  }

  /**
   * A leader takes writes that need room only while it has room itself, and a majority of the
   * voters with it. One full disk stops nothing then, as one dead node does not: the entries of a
   * follower that is full wait in the others' logs.
   */
  private boolean tooFewHaveRoom(int index) {
    List<Replica> voters = current.get().partitions().get(index).voters();
    long roomy = voters.stream().filter(voter -> hasRoom(voter.nodeId())).count();
    return membership.room(selfId).low() || roomy <= voters.size() / 2;
  }

  private boolean hasRoom(String nodeId) {
    return !membership.room(nodeId).low();
  }

  private void tend(int index, HeldReplica entry, long now) {
    long logBytes = engine.log().entryBytes(current.get().groupOf(index));
    boolean large = logBytes > limits.snapshotBytes();
    boolean old = now - entry.snapshotNanos > SNAPSHOT_EVERY_NANOS && entry.snapshotNanos != 0;
    if (entry.snapshotNanos == 0) {
      entry.snapshotNanos = now;
    }
    boolean many =
        entry.group != null
            && entry.raft().appliedIndex() - entry.snapshotTriedIndex > limits.snapshotEntries();
    if (large || old || many) {
      snapshot(index, entry);
    }
    if (entry.group != null) {
      reconcileVoters(index, entry);
      flushForWitness(index, entry);
      handBack(index, entry, now);
      handToRoom(index, entry, now);
      giveWay(index, entry, now);
    }
  }

  /** Takes a snapshot, if anything was applied since the last. */
  void snapshot(int index, HeldReplica entry) {
    long applied = entry.raft().appliedIndex();
    if (applied <= entry.snapshotIndex) {
      return; // nothing was applied since
    }
    entry.snapshotNanos = nanoTime.getAsLong();
    entry.snapshotTriedIndex = applied;
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

  /**
   * As the partition's leader, makes its voters those of the placement, once all of them have their
   * marker on disk.
   *
   * <p>A new witness knows the log from the leader's first index on, and nothing before it. So it
   * is let in only when every full replica that was placed earlier is durable past that: otherwise
   * the old witness, or nobody, could bring that replica up to date if the leader were lost.
   */
  private void reconcileVoters(int index, HeldReplica entry) {
    Placement placement = current.get().partitions().get(index);
    if (!entry.group.leads() || !placement.voters().stream().allMatch(Replica::created)) {
      return;
    }
    Set<Peer> wanted = Set.copyOf(ReplicaOpener.peers(placement.voters()));
    Replica witness = placement.witness();
    boolean newWitness =
        witness != null
            && entry
                .raft()
                .voters()
                .filter(now -> now.contains(ReplicaOpener.peer(witness)))
                .isEmpty();
    long firstIndex = engine.log().firstIndex(current.get().groupOf(index));
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

  /**
   * A witness waits for this replica to be durable: one whose log has grown, to let go of it; a new
   * one, to be let in ({@link #reconcileVoters}).
   */
  private void flushForWitness(int index, HeldReplica entry) {
    Replica witness = current.get().partitions().get(index).witness();
    if (witness != null
        && (!votes(ReplicaOpener.peer(witness), index, entry) || logHasGrown(witness, index))) {
      readers.execute(() -> entry.group.flush());
    }
  }

  /**
   * By the last configuration in this replica's log, or by its data's: a snapshot that came from
   * another may know more than the log. A peer that voted once and does not any more is never
   * placed again, but under another incarnation.
   */
  private boolean votes(Peer peer, int index, HeldReplica entry) {
    return engine.log().voters(current.get().groupOf(index)).contains(peer)
        || entry.group.dataNamesVoter(peer);
  }

  private boolean logHasGrown(Replica witness, int index) {
    return membership
        .report(witness, index)
        .filter(report -> report.logBytes() > limits.snapshotBytes())
        .isPresent();
  }

  /** Gives leadership back to the replica that the ring prefers, once that is up and close. */
  private void handBack(int index, HeldReplica entry, long now) {
    Placement placement = current.get().partitions().get(index);
    Replica preferred = placement.replicas().get(0);
    entry.handBack.preferredLeads(!entry.group.leads() && tellsToLead(index, preferred), now);
    if (stopping.getAsBoolean()
        || !entry.group.leads()
        || preferred.nodeId().equals(selfId)
        || !hasRoom(preferred.nodeId())
        || now - entry.leadsSinceNanos < LEAD_BEFORE_HAND_OVER_NANOS
        || !membership.mayLead(placement, preferred.nodeId())
        || membership.upForMillis(preferred.nodeId()) < PREFERRED_UP_MILLIS) {
      return;
    }
    Peer target = ReplicaOpener.peer(preferred);
    if (isClose(index, preferred)
        && entry.handBack.due(target, now)
        && entry.group.handOver(target)) {
      entry.handBack.tried(target, now);
    }
  }

  private boolean tellsToLead(int index, Replica replica) {
    return membership.isHeard(replica.nodeId())
        && membership
            .report(replica, index)
            .filter(report -> report.status() == NodeReport.Status.LEADS)
            .isPresent();
  }

  /** A leader whose disk is nearly full gives way to a replica that has room: writes go on. */
  private void handToRoom(int index, HeldReplica entry, long now) {
    if (hasRoom(selfId)
        || !entry.group.leads()
        || now - entry.leadsSinceNanos < LEAD_BEFORE_HAND_OVER_NANOS) {
      return;
    }
    Placement placement = current.get().partitions().get(index);
    placement.replicas().stream()
        .filter(replica -> hasRoom(replica.nodeId()))
        .filter(replica -> membership.mayLead(placement, replica.nodeId()))
        .filter(replica -> isClose(index, replica))
        .findFirst()
        .ifPresent(replica -> entry.group.handOver(ReplicaOpener.peer(replica)));
  }

  /**
   * A leader that sends to all its voters and is reached by none of them gives way: what other
   * nodes pass on to it for their clients does not arrive.
   */
  private void giveWay(int index, HeldReplica entry, long now) {
    Placement placement = current.get().partitions().get(index);
    List<Replica> others =
        placement.voters().stream().filter(voter -> !voter.nodeId().equals(selfId)).toList();
    if (!entry.group.leads()
        || others.isEmpty()
        || !others.stream().allMatch(voter -> membership.doesNotReachThis(voter.nodeId()))) {
      return;
    }
    placement.replicas().stream()
        .filter(replica -> !replica.nodeId().equals(selfId))
        .map(ReplicaOpener::peer)
        .filter(target -> entry.giveWay.due(target, now) && entry.group.handOver(target))
        .findFirst()
        .ifPresent(target -> entry.giveWay.tried(target, now));
  }

  /** Whether a replica follows and lacks little. */
  private boolean isClose(int index, Replica replica) {
    long lastLogIndex = engine.log().lastIndex(current.get().groupOf(index));
    return membership
        .report(replica, index)
        .filter(report -> report.status() == NodeReport.Status.FOLLOWS)
        .filter(report -> report.lastLogIndex() + PREFERRED_LAG_MAX_ENTRIES >= lastLogIndex)
        .isPresent();
  }
}

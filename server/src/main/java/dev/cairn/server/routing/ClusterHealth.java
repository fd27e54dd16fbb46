// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.cluster.Membership;
import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.cluster.NodeReport.PartitionReport;
import dev.cairn.server.cluster.Placement;
import dev.cairn.server.cluster.Replica;
import dev.cairn.server.cluster.Survival;
import dev.cairn.server.partition.LogLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;

/**
 * One look at the cluster, from reports: who is up, which copies count, what can be lost ({@link
 * Survival}), what is wrong ({@link Findings}).
 *
 * <p>Reports are up to a second and a half old. Threads: the caller's lock.
 */
final class ClusterHealth {
  private final Membership membership;
  private final LogLimits limits;
  private final CopyProgress progress = new CopyProgress();

  ClusterHealth(Membership membership, LogLimits limits) {
    this.membership = membership;
    this.limits = limits;
  }

  /**
   * All of a look.
   *
   * @param findings each kind and subject once
   */
  record Look(List<NodeView> nodes, List<PartitionView> partitions, List<Finding> findings) {
    static final Look NONE = new Look(List.of(), List.of(), List.of());

    /** How many nodes, whichever they are, every partition can lose; 0 without partitions. */
    int canLose() {
      return partitions.stream().mapToInt(PartitionView::canLose).min().orElse(0);
    }
  }

  /**
   * A node.
   *
   * @param unreachedBy the names of those that are alive and do not reach it
   */
  record NodeView(Member member, Membership.Contact contact, List<String> unreachedBy) {}

  /**
   * A voter.
   *
   * @param serves whether its node is up and its replica runs
   * @param counts whether it serves and lacks nothing old
   * @param lag entries behind the furthest
   */
  record VoterView(Replica replica, boolean serves, boolean counts, long lag) {}

  /** A partition: its voters are those of its placement, the witness last. */
  record PartitionView(
      Placement placement,
      Optional<String> leaderId,
      long term,
      List<VoterView> voters,
      int canLose) {}

  /** Takes a look. */
  Look look(ClusterState cluster, IntFunction<Optional<String>> leaderOf, long nowNanos) {
    progress.look(cluster.partitions().stream().mapToLong(this::furthest).toArray(), nowNanos);
    Findings findings = new Findings();
    findings.ofSettings(cluster);
    List<NodeView> nodes = new ArrayList<>();
    for (Member member : cluster.members()) {
      nodes.add(node(cluster, member, findings));
    }
    List<PartitionView> partitions = new ArrayList<>();
    for (Placement placement : cluster.partitions()) {
      partitions.add(partition(cluster, placement, leaderOf, findings));
    }
    return new Look(
        nodes, partitions, findings.all(cluster.partitions().size(), progress.dueMillis(nowNanos)));
  }

  private long furthest(Placement placement) {
    return placement.voters().stream()
        .map(voter -> membership.report(voter, placement.index()))
        .flatMap(Optional::stream)
        .mapToLong(PartitionReport::appliedIndex)
        .max()
        .orElse(0);
  }

  private NodeView node(ClusterState cluster, Member member, Findings findings) {
    NodeReport.Room room = membership.room(member.id());
    List<String> unreachedBy = List.of();
    if (membership.isDown(cluster, member.id())) {
      findings.nodeDown(member, room, membership.heardMillisAgo(member.id()).orElse(0));
    } else {
      unreachedBy =
          membership.unreachedBy(cluster, member.id()).stream().map(Member::name).toList();
      if (!unreachedBy.isEmpty()) {
        findings.nodeUnreached(member, unreachedBy);
      }
      if (room.low()) {
        findings.diskLow(member, room);
      }
    }
    return new NodeView(member, membership.contact(member.id()), unreachedBy);
  }

  private PartitionView partition(
      ClusterState cluster,
      Placement placement,
      IntFunction<Optional<String>> leaderOf,
      Findings findings) {
    int index = placement.index();
    Optional<String> leader = leaderOf.apply(index).filter(membership::isHeard);
    long furthest = furthest(placement);
    long term = 0;
    List<VoterView> voters = new ArrayList<>();
    List<Survival.Voter> judged = new ArrayList<>();
    for (Replica replica : placement.voters()) {
      VoterView voter = voter(cluster, placement, replica, furthest, findings);
      voters.add(voter);
      judged.add(
          new Survival.Voter(
              replica.nodeId(),
              !replica.equals(placement.witness()),
              voter.serves(),
              voter.counts()));
      term =
          Math.max(term, membership.report(replica, index).map(PartitionReport::term).orElse(0L));
    }
    Survival survival = Survival.of(judged, membership::linked);
    boolean votersChange =
        leader.filter(id -> membership.votersChange(placement, id, cluster.epoch())).isPresent();
    if (votersChange) {
      findings.ofPartition(ProblemKind.VOTERS_CHANGE, "", index);
    }
    if (leader.isEmpty()) {
      findings.ofPartition(
          survival.canElect() ? ProblemKind.NO_LEADER : ProblemKind.NO_MAJORITY, "", index);
    }
    return new PartitionView(
        placement, leader, term, voters, votersChange ? 0 : survival.canLose());
  }

  private VoterView voter(
      ClusterState cluster,
      Placement placement,
      Replica replica,
      long furthest,
      Findings findings) {
    int index = placement.index();
    boolean witness = replica.equals(placement.witness());
    String name = nameOf(cluster, replica.nodeId());
    Optional<PartitionReport> report = membership.report(replica, index);
    boolean serves = serves(placement, replica, name, findings);
    long has =
        report
            .map(r -> witness ? Math.max(r.appliedIndex(), r.lastLogIndex()) : r.appliedIndex())
            .orElse(0L);
    boolean behind = has < progress.due(index);
    if (serves && behind) {
      findings.copyBehind(name, index, furthest - has);
    }
    if (witness) {
      long logBytes = report.map(PartitionReport::logBytes).orElse(0L);
      if (logBytes > limits.witnessBytesMax() / 2) {
        findings.witnessLogLarge(index, name, logBytes, limits.witnessBytesMax());
      }
    }
    return new VoterView(replica, serves, serves && !behind, Math.max(0, furthest - has));
  }

  private boolean serves(Placement placement, Replica replica, String name, Findings findings) {
    Optional<PartitionReport> report =
        membership.partitionReport(replica.nodeId(), placement.index());
    if (!membership.isHeard(replica.nodeId()) || report.isEmpty()) {
      return false;
    }
    switch (report.get().status()) {
      case FAILED -> findings.ofPartition(ProblemKind.REPLICA_STOPPED, name, placement.index());
      case DAMAGED -> findings.ofPartition(ProblemKind.REPLICA_DAMAGED, name, placement.index());
      case LOST -> findings.ofPartition(ProblemKind.DISK_LOST, name, placement.index());
      case CREATED -> {}
      case FOLLOWS, LEADS -> {
        return membership.isUp(replica.nodeId())
            && report.get().incarnation() == replica.incarnation();
      }
    }
    return false;
  }

  static String nameOf(ClusterState cluster, String nodeId) {
    return cluster.member(nodeId).map(Member::name).orElse(nodeId);
  }
}

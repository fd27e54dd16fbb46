// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The leader of the meta group, at work: it compares what should be with what is reported, and logs
 * the next step.
 *
 * <p>It keeps no plan in memory. Each round looks at the state as logged and proposes at most one
 * successor, so a new controller goes on where the old one stopped. Steps so far:
 *
 * <ol>
 *   <li>rights of which the log knows nothing: log those that this node was started with;
 *   <li>epoch 0: compute the first placement on the ring and log it;
 *   <li>a member that says it is elsewhere than the state has it: log its address;
 *   <li>a node that asks to be let in under a member's name, with another id, while that member is
 *       down: its disk was replaced. It takes the member's place, and its replicas begin anew under
 *       the next incarnation;
 *   <li>a replica whose data is damaged while another one leads: it begins anew under the next
 *       incarnation, one of a partition at a time;
 *   <li>a replica whose node reports the marker on disk: log it as created, which lets the node
 *       open it.
 * </ol>
 *
 * <p>The voters of the meta group itself follow the state; those of a partition are changed by its
 * leader.
 *
 * <p>Thread: the scheduler's.
 */
public final class Controller {
  private static final Logger log = LoggerFactory.getLogger(Controller.class);
  private static final long ROUND_EVERY_MILLIS = 100;
  private static final long RECONCILE_EVERY_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long PROPOSE_AGAIN_AFTER_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final MetaGroup meta;
  private final RightsLog rights;
  private final Membership membership;
  private final Formation formation;
  private final Addresses addresses;
  private final LongSupplier nanoTime;
  private long proposedEpoch;
  private long proposedAtNanos;
  private long reconciledAtNanos;

  /** Creates a controller that does nothing until {@link #start}. */
  public Controller(
      MetaGroup meta,
      RightsLog rights,
      Membership membership,
      Formation formation,
      Addresses addresses,
      LongSupplier nanoTime) {
    this.meta = meta;
    this.rights = rights;
    this.membership = membership;
    this.formation = formation;
    this.addresses = addresses;
    this.nanoTime = nanoTime;
  }

  /** Begins to work, in rounds, whenever this node leads the meta group. */
  public void start(ScheduledExecutorService scheduler) {
    scheduler.scheduleWithFixedDelay(
        this::round, ROUND_EVERY_MILLIS, ROUND_EVERY_MILLIS, TimeUnit.MILLISECONDS);
  }

  private void round() {
    try {
      if (meta.leadingTerm().isEmpty()) {
        return;
      }
      ClusterState state = meta.state();
      if (nanoTime.getAsLong() - reconciledAtNanos > RECONCILE_EVERY_NANOS) {
        reconciledAtNanos = nanoTime.getAsLong();
        meta.reconcileVoters();
      }
      if (!rights.hasBegun()) {
        return; // a node that has a placement has rights
      }
      boolean waiting =
          proposedEpoch == state.epoch() + 1
              && nanoTime.getAsLong() - proposedAtNanos < PROPOSE_AGAIN_AFTER_NANOS;
      if (waiting) {
        return;
      }
      ClusterState next = nextStep(state);
      if (next.epoch() != state.epoch()) {
        proposedEpoch = next.epoch();
        proposedAtNanos = nanoTime.getAsLong();
        meta.propose(next);
      }
    } catch (RuntimeException e) {
      log.error("the controller's round failed; the next one tries again", e);
    }
  }

  private ClusterState nextStep(ClusterState state) {
    if (state.epoch() == 0) {
      log.info(
          "placing {} partitions with {} copies on {} nodes",
          state.partitionCount(),
          state.replicationFactor(),
          state.members().size());
      return state.withFirstPlacement();
    }
    Optional<List<Member>> moved = addresses.moved(state);
    if (moved.isPresent()) {
      return state.next(moved.get(), state.partitions());
    }
    for (Member applicant : formation.applicants().values()) {
      Optional<Member> old = replacedBy(state, applicant);
      if (old.isPresent()) {
        return replaced(state, old.get(), applicant);
      }
    }
    List<Placement> placements =
        state.partitions().stream()
            .map(this::rebuiltIfDamaged)
            .map(placement -> placement.mapVoters(voter -> createdIfReported(placement, voter)))
            .toList();
    return placements.equals(state.partitions()) ? state : state.next(state.members(), placements);
  }

  private Optional<Member> replacedBy(ClusterState state, Member applicant) {
    if (state.member(applicant.id()).isPresent()) {
      return Optional.empty();
    }
    return state.members().stream()
        .filter(member -> member.name().equals(applicant.name()))
        .filter(member -> !membership.isHeard(member.id()))
        .filter(member -> othersServe(state, member))
        .findFirst();
  }

  /**
   * Whether every partition of the member is led by somebody else. A leader has all that was
   * acknowledged; while there is none, the disk that is away may hold the only copy, and must not
   * be given up for an empty one.
   */
  private boolean othersServe(ClusterState state, Member member) {
    return state.partitions().stream()
        .filter(placement -> placement.voterOn(member.id()).isPresent())
        .allMatch(placement -> membership.leader(placement).isPresent());
  }

  private static ClusterState replaced(ClusterState state, Member old, Member applicant) {
    log.info(
        "node {} is back with another disk: id {} takes the place of {}",
        old.name(),
        applicant.id(),
        old.id());
    List<Member> members =
        state.members().stream()
            .map(member -> member.equals(old) ? old.replacedBy(applicant) : member)
            .toList();
    List<Placement> placements =
        state.partitions().stream()
            .map(
                placement ->
                    placement.mapVoters(
                        voter ->
                            voter.nodeId().equals(old.id())
                                ? new Replica(applicant.id(), voter.incarnation() + 1, false)
                                : voter))
            .toList();
    return state.next(members, placements);
  }

  /**
   * A leader has all that was acknowledged; while there is none, the damaged data may be the only
   * copy of some of it, and is kept. So is it while another replica of the partition is new.
   */
  private Placement rebuiltIfDamaged(Placement placement) {
    Optional<String> leader = membership.leader(placement);
    if (leader.isEmpty() || !placement.voters().stream().allMatch(Replica::created)) {
      return placement;
    }
    return placement.voters().stream()
        .filter(voter -> !voter.nodeId().equals(leader.get()) && membership.isHeard(voter.nodeId()))
        .filter(
            voter ->
                membership
                    .report(voter, placement.index())
                    .filter(report -> report.status() == NodeReport.Status.DAMAGED)
                    .isPresent())
        .findFirst()
        .map(damaged -> begunAnew(placement, damaged))
        .orElse(placement);
  }

  private static Placement begunAnew(Placement placement, Replica damaged) {
    log.info(
        "partition={} the damaged replica on node {} begins anew under incarnation {}",
        placement.index(),
        damaged.nodeId(),
        damaged.incarnation() + 1);
    return placement.mapVoters(
        voter ->
            voter.equals(damaged)
                ? new Replica(voter.nodeId(), voter.incarnation() + 1, false)
                : voter);
  }

  private Replica createdIfReported(Placement placement, Replica voter) {
    return voter.created() || membership.report(voter, placement.index()).isEmpty()
        ? voter
        : voter.withCreated();
  }
}

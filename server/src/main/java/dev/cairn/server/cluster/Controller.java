// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import java.util.List;
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
 *   <li>epoch 0: compute the first placement on the ring and log it;
 *   <li>a replica whose node reports the marker on disk: log it as created, which lets the node
 *       open it.
 * </ol>
 *
 * <p>Thread: the scheduler's.
 */
public final class Controller {
  private static final Logger log = LoggerFactory.getLogger(Controller.class);
  private static final long ROUND_EVERY_MILLIS = 100;
  private static final long PROPOSE_AGAIN_AFTER_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final MetaGroup meta;
  private final Membership membership;
  private final LongSupplier nanoTime;
  private long proposedEpoch;
  private long proposedAtNanos;

  /** Creates a controller that does nothing until {@link #start}. */
  public Controller(MetaGroup meta, Membership membership, LongSupplier nanoTime) {
    this.meta = meta;
    this.membership = membership;
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
    List<Placement> placements =
        state.partitions().stream()
            .map(placement -> placement.mapVoters(voter -> createdIfReported(placement, voter)))
            .toList();
    return placements.equals(state.partitions()) ? state : state.next(state.members(), placements);
  }

  private Replica createdIfReported(Placement placement, Replica voter) {
    return voter.created() || membership.report(voter, placement.index()).isEmpty()
        ? voter
        : voter.withCreated();
  }
}

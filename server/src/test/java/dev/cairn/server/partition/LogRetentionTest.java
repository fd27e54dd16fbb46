// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.cluster.NodeReport.PartitionReport;
import dev.cairn.server.cluster.Placement;
import dev.cairn.server.cluster.Replica;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Replicas on A and B, the witness on W. */
class LogRetentionTest {
  private static final Replica A = new Replica("A", 1, true);
  private static final Replica B = new Replica("B", 1, true);
  private static final Replica W = new Replica("W", 1, true);
  private static final Placement PLACEMENT = new Placement(0, 0, 16383, List.of(A, B), W);
  private static final LogLimits LIMITS = new LogLimits(1, 1, 1_000, 2_000);

  private final Map<Replica, PartitionReport> reports = new HashMap<>();
  private final List<Optional<String>> answers = new ArrayList<>();
  private long logBytes;
  private long nanos;

  private LogRetention of(Replica self) {
    return new LogRetention(
        self.equals(W),
        LIMITS,
        self.nodeId(),
        () -> PLACEMENT,
        replica -> Optional.ofNullable(reports.get(replica)),
        placement -> logBytes,
        () -> nanos);
  }

  private void reports(Replica replica, long applied, long durable) {
    reports.put(
        replica,
        new PartitionReport(
            0, 1, NodeReport.Status.FOLLOWS, 1, applied, durable, applied, 0, false));
  }

  @Test
  void witnessWaitsUntilEveryReplicaIsDurable() {
    LogRetention retention = of(W);
    reports(A, 10, 10);
    retention.hold(10, answers::add);
    assertThat(answers).as("B was never heard of").isEmpty();
    reports(B, 10, 9);
    retention.check();
    assertThat(answers).as("B has applied it, not flushed it").isEmpty();
    reports(B, 10, 10);
    retention.check();
    retention.check();
    assertThat(answers).containsExactly(Optional.empty());
  }

  @Test
  void replicaWaitsUntilTheOtherHasApplied() {
    LogRetention retention = of(A);
    reports(B, 9, 9);
    retention.hold(10, answers::add);
    assertThat(answers).isEmpty();
    reports(B, 10, 3);
    retention.check();
    assertThat(answers).containsExactly(Optional.empty());
  }

  @Test
  void waitEndsAfterAWhileAndSaysForWhom() {
    LogRetention retention = of(W);
    reports(A, 10, 10);
    retention.hold(10, answers::add);
    nanos = TimeUnit.SECONDS.toNanos(10);
    retention.check();
    assertThat(answers).isEmpty();
    nanos++;
    retention.check();
    assertThat(answers).hasSize(1);
    assertThat(answers.get(0)).hasValueSatisfying(why -> assertThat(why).endsWith("by B"));
  }

  @Test
  void statedBoundsOnTheLogEndTheWait() {
    logBytes = LIMITS.replicaBytesMax();
    of(A).hold(10, answers::add);
    assertThat(answers).isEmpty();
    logBytes++;
    of(A).hold(10, answers::add);
    assertThat(answers).containsExactly(Optional.empty());
    of(W).hold(10, answers::add);
    assertThat(answers).as("a witness keeps more").hasSize(1);
    logBytes = LIMITS.witnessBytesMax() + 1;
    of(W).hold(10, answers::add);
    assertThat(answers).hasSize(2);
  }

  @Test
  void whoeverHoldsIsToldThatTheLogGoesThoughItIsNeeded() {
    List<String> cut = new ArrayList<>();
    LogRetention retention = of(W);
    reports(A, 10, 10);
    logBytes = LIMITS.witnessBytesMax();
    retention.hold(10, () -> cut.add("at the bound"), answers::add);
    assertThat(cut).isEmpty();
    logBytes++;
    retention.check();
    assertThat(cut).containsExactly("at the bound");
    assertThat(answers).containsExactly(Optional.empty());
    reports(B, 10, 10);
    retention.hold(10, () -> cut.add("nobody needs it"), answers::add);
    assertThat(cut).hasSize(1);
    assertThat(answers).hasSize(2);
  }

  @Test
  void groupThatStopsNeedNotWait() {
    LogRetention retention = of(W);
    retention.hold(10, answers::add);
    retention.close();
    retention.hold(11, answers::add);
    retention.check();
    assertThat(answers).hasSize(2).allMatch(Optional::isPresent);
  }
}

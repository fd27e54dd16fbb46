// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.cluster.WallTime;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Request;
import dev.cairn.server.operation.Result;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * What a leader says of a write, on every way on which it can end: certain where nothing was
 * proposed or the engine refused before its log was touched, unknown everywhere else.
 */
class WriteQueueTest {
  private static final long TIMEOUT_NANOS = 1_000;
  private static final long TERM = 7;
  private static final long LOGGED_MILLIS = 1_790_000_000_000L;
  private static final Request WRITE =
      new Request(Optional.empty(), List.of(new Operation.Delete(new byte[] {1})));

  private final Metrics metrics = new Metrics();
  private final List<InFlight> proposed = new ArrayList<>();
  private final List<Long> terms = new ArrayList<>();
  private final List<BatchReply> replies = new ArrayList<>();
  private long now;
  private int drained;
  private Optional<WallTime> wallTime = Optional.empty();
  private final WriteQueue queue =
      new WriteQueue(
          new PartitionClock(() -> now, () -> wallTime),
          () -> now,
          TIMEOUT_NANOS,
          (entry, term, proposal) -> {
            terms.add(term);
            proposed.add(proposal);
          },
          PartitionMetrics.of(metrics),
          () -> drained++);

  @AfterEach
  void close() throws IOException {
    metrics.close();
  }

  @Test
  void whoDoesNotLeadRefuses() {
    write();
    assertRefused(BatchReply.Reason.NOT_LEADER);
    assertThat(proposed).isEmpty();
  }

  @Test
  void whatIsProposedIsProposedInTheTermInWhichThisNodeLeads() {
    queue.start(TERM, LOGGED_MILLIS);
    write();
    assertThat(terms).containsExactly(TERM);
    assertThat(replies).isEmpty();
  }

  @Test
  void aNewPartitionProposesNothingUntilTheTimeIsKnown() {
    queue.start(TERM, 0);
    write();
    queue.expire(now);
    assertThat(proposed).isEmpty();
    wallTime = Optional.of(new WallTime(OptionalLong.empty(), OptionalLong.empty(), LOGGED_MILLIS));
    queue.expire(now);
    assertThat(proposed).hasSize(1);
  }

  @Test
  void whatWaitsForTheTimeInVainIsToldThatTheLeaderIsNotReady() {
    queue.start(TERM, 0);
    queue.write(List.of(WRITE), 10, replies::add);
    queue.expire(10);
    assertRefused(BatchReply.Reason.NOT_READY);
  }

  @Test
  void leadershipLostInMidProposalIsUnknownAndWhatWaitedIsRefused() {
    queue.start(TERM, LOGGED_MILLIS);
    fillFlight();
    write();
    queue.stop();
    assertRefused(BatchReply.Reason.NOT_LEADER);
    // The engine tells of each that it had: it cannot know whether the next leader has it.
    proposed.forEach(proposal -> proposal.unknown("leader changed"));
    assertThat(replies.subList(1, replies.size()))
        .hasSize(WriteQueue.IN_FLIGHT_MAX)
        .allMatch(BatchReply.Unknown.class::isInstance);
  }

  @Test
  void aProposalThatTheEngineRefusesIsRefused() {
    queue.start(TERM, LOGGED_MILLIS);
    write();
    proposed.get(0).refused("expected_term=7 doesn't match current term=8");
    assertRefused(BatchReply.Reason.NOT_LEADER);
  }

  @Test
  void aProposalWhoseClosureIsLostIsUnknownAtItsDeadlineAndTheQueueGoesOn() {
    queue.start(TERM, LOGGED_MILLIS);
    fillFlight();
    write();
    now = TIMEOUT_NANOS - 1;
    queue.expire(now);
    assertThat(replies).isEmpty();
    now = TIMEOUT_NANOS + 1_000 * WriteQueue.TIMEOUT_NANOS_PER_BYTE; // they have few bytes
    queue.expire(now);
    assertThat(replies)
        .hasSize(WriteQueue.IN_FLIGHT_MAX)
        .allMatch(BatchReply.Unknown.class::isInstance);
    assertThat(proposed).as("the one that waited").hasSize(WriteQueue.IN_FLIGHT_MAX + 1);
  }

  @Test
  void whatWaitsPastItsDeadlineIsRefusedAndNeverProposed() {
    queue.start(TERM, LOGGED_MILLIS);
    fillFlight();
    queue.write(List.of(WRITE), 10, replies::add);
    queue.expire(10);
    assertRefused(BatchReply.Reason.BUSY);
    proposed.forEach(proposal -> proposal.unknown("over"));
    assertThat(proposed).hasSize(WriteQueue.IN_FLIGHT_MAX);
  }

  @Test
  void whatIsMoreThanMayWaitIsRefused() {
    queue.start(TERM, LOGGED_MILLIS);
    fillFlight();
    List<Request> many = new ArrayList<>();
    for (int i = 0; i < WriteQueue.QUEUE_REQUESTS_MAX; i++) {
      many.add(WRITE);
    }
    queue.write(many, Long.MAX_VALUE, replies::add);
    assertThat(replies).isEmpty();
    write();
    assertRefused(BatchReply.Reason.BUSY);
  }

  @Test
  void aNodeThatStopsCallsUnknownWhatTheEngineForgot() {
    queue.start(TERM, LOGGED_MILLIS);
    fillFlight();
    queue.stop();
    queue.abandon();
    assertThat(replies)
        .hasSize(WriteQueue.IN_FLIGHT_MAX)
        .allMatch(BatchReply.Unknown.class::isInstance);
  }

  @Test
  void aPlannedMoveLeavesNothingUnknown() {
    queue.start(TERM, LOGGED_MILLIS);
    fillFlight();
    assertThat(queue.pause()).isFalse();
    write();
    assertThat(proposed).hasSize(WriteQueue.IN_FLIGHT_MAX);
    List.copyOf(proposed).forEach(proposal -> proposal.applied(results(), 1, TERM));
    assertThat(drained).isEqualTo(1);
    queue.stop();
    assertThat(replies).noneMatch(BatchReply.Unknown.class::isInstance);
    assertThat(replies.get(replies.size() - 1))
        .isEqualTo(new BatchReply.Refused(BatchReply.Reason.NOT_LEADER, Optional.empty()));
  }

  private void write() {
    queue.write(List.of(WRITE), Long.MAX_VALUE, replies::add);
  }

  /** As many proposals as may be under way, of one write each. */
  private void fillFlight() {
    for (int i = 0; i < WriteQueue.IN_FLIGHT_MAX; i++) {
      write();
    }
    assertThat(proposed).hasSize(WriteQueue.IN_FLIGHT_MAX);
  }

  private static List<List<Result>> results() {
    return List.of(List.of(new Result.Int(1)));
  }

  private void assertRefused(BatchReply.Reason reason) {
    assertThat(replies).containsExactly(new BatchReply.Refused(reason, Optional.empty()));
  }
}

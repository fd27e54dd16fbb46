// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Request;
import dev.cairn.server.operation.Result;
import dev.cairn.server.partition.InFlight.WaitingBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class InFlightTest {
  private static final Request DELETE =
      new Request(Optional.empty(), List.of(new Operation.Delete(new byte[] {1})));

  private final List<BatchReply> replies = new ArrayList<>();
  private int ended;

  private InFlight proposal(Consumer<BatchReply> first) {
    return new InFlight(
        List.of(
            new WaitingBatch(List.of(DELETE), 1, 0, first),
            new WaitingBatch(List.of(DELETE, DELETE), 1, 0, replies::add)),
        0,
        100,
        (self, end) -> ended++);
  }

  private static List<List<Result>> results() {
    return List.of(
        List.of(new Result.Int(1)), List.of(new Result.Int(2)), List.of(new Result.Int(3)));
  }

  @Test
  void eachBatchGetsItsOwnResults() {
    proposal(replies::add).applied(results(), 7, 2);
    assertThat(replies)
        .containsExactly(
            new BatchReply.Done(results().subList(0, 1), 7, 2),
            new BatchReply.Done(results().subList(1, 3), 7, 2));
    assertThat(ended).isEqualTo(1);
  }

  @Test
  void completesOnceWhoeverComesFirst() {
    InFlight proposal = proposal(replies::add);
    proposal.expire(99);
    assertThat(replies).isEmpty();
    proposal.expire(100);
    proposal.applied(results(), 7, 2);
    proposal.refused("late");
    proposal.unknown("late");
    assertThat(replies).hasSize(2).allMatch(BatchReply.Unknown.class::isInstance);
    assertThat(ended).isEqualTo(1);
  }

  @Test
  void listenerThatThrowsNeitherStopsTheReplicaNorCostsOthersTheirAnswer() {
    proposal(
            reply -> {
              throw new IllegalStateException("planted");
            })
        .applied(results(), 7, 2);
    assertThat(replies).containsExactly(new BatchReply.Done(results().subList(1, 3), 7, 2));
  }
}

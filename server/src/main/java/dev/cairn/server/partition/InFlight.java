// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.operation.Request;
import dev.cairn.server.operation.Result;
import dev.cairn.server.raft.Proposal;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A proposal of this node that is under way, and the batches that travel in it.
 *
 * <p>Invariant: completes exactly once, whoever comes first: the state machine with results, the
 * engine with a refusal or an unknown outcome, or the partition's deadline, since one that is not
 * committed waits as long as this node leads.
 */
final class InFlight implements Proposal {
  private static final Logger log = LoggerFactory.getLogger(InFlight.class);

  private final List<WaitingBatch> batches;
  private final long deadlineNanos;
  private final long begunNanos;
  private final BiConsumer<InFlight, End> ended;
  private final AtomicBoolean completed = new AtomicBoolean();

  /** How a proposal ended. */
  enum End {
    APPLIED,
    REFUSED,
    UNKNOWN
  }

  /** A batch of requests and whoever waits for its fate. */
  record WaitingBatch(
      List<Request> requests, long bytes, long deadlineNanos, Consumer<BatchReply> done) {
    /**
     * Never throws: whoever waits must not stop the state machine, nor cost others their answer.
     */
    void answer(BatchReply reply) {
      try {
        done.accept(reply);
      } catch (RuntimeException e) {
        log.error("an answer could not be delivered", e);
      }
    }
  }

  /**
   * Creates a proposal that nothing has happened to.
   *
   * @param begunNanos when it was proposed, by the monotonic clock
   * @param deadlineNanos when to give up on it, by the monotonic clock
   * @param ended told once that the proposal is under way no more, before its batches are
   */
  InFlight(
      List<WaitingBatch> batches,
      long begunNanos,
      long deadlineNanos,
      BiConsumer<InFlight, End> ended) {
    this.batches = batches;
    this.begunNanos = begunNanos;
    this.deadlineNanos = deadlineNanos;
    this.ended = ended;
  }

  /** The state machine has applied it. */
  void applied(List<List<Result>> results, long index, long term) {
    if (!complete(End.APPLIED)) {
      return;
    }
    int from = 0;
    for (WaitingBatch batch : batches) {
      int to = from + batch.requests().size();
      batch.answer(new BatchReply.Done(List.copyOf(results.subList(from, to)), index, term));
      from = to;
    }
  }

  @Override
  public void refused(String reason) {
    completeAll(End.REFUSED, BatchReply.Refused.notLeader());
  }

  @Override
  public void unknown(String reason) {
    completeAll(End.UNKNOWN, new BatchReply.Unknown(reason));
  }

  /** Gives up if it is time. */
  void expire(long nowNanos) {
    if (nowNanos - deadlineNanos >= 0) {
      unknown("no majority answered in time");
    }
  }

  private void completeAll(End end, BatchReply reply) {
    if (complete(end)) {
      batches.forEach(batch -> batch.answer(reply));
    }
  }

  /** When it was proposed, by the monotonic clock. */
  long begunNanos() {
    return begunNanos;
  }

  private boolean complete(End end) {
    if (!completed.compareAndSet(false, true)) {
      return false;
    }
    ended.accept(this, end);
    return true;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.server.LentLoop;
import dev.cairn.server.operation.Mistake;
import dev.cairn.server.operation.Reply;
import dev.cairn.server.operation.Result;
import dev.cairn.server.partition.BatchReply;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LaneTest {
  private static final Optional<String> LEADER = Optional.of("leader");

  private final List<Sending> sent = new ArrayList<>();
  private final List<String> answers = new ArrayList<>();
  private final ByHand scheduler = new ByHand();
  private long now;
  private RuntimeException brokenRoute;
  private final Lane<String> writes = lane(true);
  private final Lane<String> reads = lane(false);
  private boolean noRoomForAnswers;
  private boolean led; // somebody is known to lead

  private record Sending(List<String> requests, Lane.Sent done) {}

  /** Keeps what it is given until the test runs it. */
  private static final class ByHand extends ScheduledThreadPoolExecutor {
    private final List<Runnable> tasks = new ArrayList<>();
    private boolean stopped;

    ByHand() {
      super(1);
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
      if (stopped) {
        throw new RejectedExecutionException("stopped");
      }
      tasks.add(task);
      return null;
    }

    void runAll() {
      List<Runnable> due = List.copyOf(tasks);
      tasks.clear();
      due.forEach(Runnable::run);
    }
  }

  @AfterEach
  void stopScheduler() {
    scheduler.shutdownNow();
  }

  private Lane<String> lane(boolean isForWrites) {
    return new Lane<>(
        3,
        isForWrites,
        request -> !isForWrites || request.startsWith("id"),
        (requests, deadline, done) -> {
          if (brokenRoute != null) {
            throw brokenRoute;
          }
          sent.add(new Sending(requests, done));
        },
        scheduler,
        () -> now,
        () -> noRoomForAnswers,
        () -> led);
  }

  private void submit(Lane<String> lane, String name, long deadlineNanos) {
    lane.submit(name, 1, deadlineNanos, reply -> answers.add(name + ": " + text(reply)));
  }

  private static String text(Reply reply) {
    return reply instanceof Reply.Failed failed ? failed.code().name() : "done";
  }

  private static BatchReply done(int requests) {
    List<List<Result>> results = new ArrayList<>();
    for (int i = 0; i < requests; i++) {
      results.add(List.of(new Result.Ok()));
    }
    return new BatchReply.Done(results, 7, 2, 0);
  }

  private static BatchReply refused(BatchReply.Reason reason) {
    return new BatchReply.Refused(reason, Optional.empty());
  }

  private List<String> lastSent() {
    return sent.get(sent.size() - 1).requests();
  }

  private void reply(BatchReply reply) {
    sent.get(sent.size() - 1).done().replied(LEADER, reply);
  }

  @Test
  void whatOneRoundOfALoopBringsTravelsTogether() {
    try (LentLoop loop = new LentLoop()) {
      loop.run(
          () -> {
            submit(reads, "a", 100);
            submit(reads, "b", 100);
            assertThat(sent).isEmpty();
          });
      loop.run(
          () -> {
            assertThat(lastSent()).containsExactly("a", "b");
            submit(reads, "c", 100);
            reply(done(2));
            submit(reads, "d", 100);
            assertThat(answers).containsExactly("a: done", "b: done");
            assertThat(sent).hasSize(1);
          });
      loop.run(() -> assertThat(lastSent()).containsExactly("c", "d"));
    }
  }

  @Test
  void nothingIsSentWhileThereIsNoRoomForAnswers() {
    noRoomForAnswers = true;
    submit(reads, "a", 100);
    submit(reads, "late", 40);
    scheduler.runAll();
    now = 50;
    scheduler.runAll();
    assertThat(answers).containsExactly("late: TRYAGAIN");
    assertThat(sent).isEmpty();
    noRoomForAnswers = false;
    scheduler.runAll();
    assertThat(lastSent()).containsExactly("a");
    reply(done(1));
    assertThat(answers).containsExactly("late: TRYAGAIN", "a: done");
  }

  @Test
  void aReadThatIsTooLargeIsRefusedAndNoOther() {
    submit(reads, "large", 100);
    submit(reads, "b", 100);
    submit(reads, "c", 100);
    List<Result> tooLarge = List.of(new Result.Failed(Mistake.READ_TOO_LARGE));
    reply(new BatchReply.Done(List.of(tooLarge), 7, 0, 0));
    List<Result> otherMistake = List.of(new Result.Failed(Mistake.NOT_AN_INTEGER));
    reply(new BatchReply.Done(List.of(List.of(new Result.Ok()), otherMistake), 7, 0, 0));
    assertThat(answers).containsExactly("large: ERR", "b: done", "c: done");
  }

  @Test
  void whatArrivesWhileABatchIsUnderWayTravelsInTheNext() {
    submit(writes, "a", 100);
    submit(writes, "b", 100);
    submit(writes, "c", 100);
    assertThat(sent).hasSize(1);
    assertThat(lastSent()).containsExactly("a");
    reply(done(1));
    assertThat(lastSent()).containsExactly("b", "c");
    reply(done(2));
    assertThat(answers).containsExactly("a: done", "b: done", "c: done");
    assertThat(sent).hasSize(2);
  }

  @Test
  void refusedBatchIsSentAgainAheadOfWhatCameLater() {
    submit(writes, "a", 100);
    submit(writes, "b", 100);
    reply(refused(BatchReply.Reason.NOT_LEADER));
    assertThat(sent).hasSize(1);
    scheduler.runAll();
    assertThat(lastSent()).containsExactly("a", "b");
  }

  @Test
  void refusedRequestPastItsDeadlineFailsForCertain() {
    submit(writes, "a", 100);
    now = 100;
    reply(refused(BatchReply.Reason.NOT_LEADER));
    assertThat(answers).containsExactly("a: " + ErrorCode.CLUSTERDOWN);
    scheduler.runAll();
    assertThat(sent).hasSize(1);
  }

  /** The answer got lost, or took too long: that says nothing of who leads. */
  @Test
  void readWhoseAnswerIsLostAtItsDeadlineIsToldOfNoLeaderOnlyWhereNobodyLeads() {
    led = true;
    submit(reads, "a", 100);
    now = 100;
    reply(new BatchReply.Unknown("no answer"));
    led = false;
    submit(reads, "b", 200);
    now = 200;
    scheduler.runAll();
    assertThat(answers).containsExactly("a: " + ErrorCode.TRYAGAIN, "b: " + ErrorCode.CLUSTERDOWN);
  }

  @Test
  void requestWhoseTimeIsUpInTheQueueIsNeverSent() {
    led = true;
    submit(writes, "a", 100);
    submit(writes, "late", 50);
    submit(writes, "b", 100);
    now = 50;
    reply(done(1));
    assertThat(lastSent()).containsExactly("b");
    assertThat(answers).containsExactly("a: done", "late: " + ErrorCode.TRYAGAIN);
  }

  /** Nothing has come of the first one yet, but the leader is heard of. */
  @Test
  void requestBehindTheFirstLargeAnswerIsToldThatTheLeaderIsBusy() {
    led = true;
    submit(reads, "first", 100);
    submit(reads, "second", 100);
    now = 100;
    scheduler.runAll();
    assertThat(answers)
        .containsExactlyInAnyOrder("first: " + ErrorCode.TRYAGAIN, "second: " + ErrorCode.TRYAGAIN);
    led = false;
    submit(reads, "third", 200);
    now = 200;
    scheduler.runAll();
    assertThat(answers).contains("third: " + ErrorCode.CLUSTERDOWN);
  }

  @Test
  void writeWithAnUnknownOutcomeIsNeverSentAgain() {
    submit(writes, "a", 100);
    submit(writes, "b", 100);
    reply(new BatchReply.Unknown("no answer"));
    assertThat(answers).containsExactly("a: " + ErrorCode.UNKNOWN);
    assertThat(lastSent()).containsExactly("b");
  }

  @Test
  void readWithALostAnswerIsSentAgain() {
    submit(reads, "a", 100);
    reply(new BatchReply.Unknown("no answer"));
    scheduler.runAll();
    reply(done(1));
    assertThat(answers).containsExactly("a: done");
  }

  @Test
  void readsThatTheLeaderLeftOutAreSentAgainFirst() {
    submit(reads, "a", 100);
    submit(reads, "b", 100);
    submit(reads, "c", 100);
    reply(done(1));
    submit(reads, "d", 100);
    reply(done(1));
    assertThat(answers).containsExactly("a: done", "b: done");
    assertThat(lastSent()).containsExactly("c", "d");
  }

  @Test
  void answerToFewerWritesThanWereSentIsUnknown() {
    submit(writes, "a", 100);
    submit(writes, "b", 100);
    submit(writes, "c", 100);
    reply(done(1));
    reply(done(1));
    assertThat(answers)
        .containsExactly("a: done", "b: " + ErrorCode.UNKNOWN, "c: " + ErrorCode.UNKNOWN);
  }

  @Test
  void secondReplyToABatchIsIgnored() {
    submit(writes, "a", 100);
    reply(done(1));
    reply(new BatchReply.Unknown("late"));
    assertThat(answers).containsExactly("a: done");
  }

  @Test
  void laneOutlivesARouteThatThrows() {
    brokenRoute = new IllegalStateException("planted");
    submit(writes, "a", 100);
    brokenRoute = null;
    submit(writes, "b", 100);
    reply(done(1));
    assertThat(answers).containsExactly("a: " + ErrorCode.UNKNOWN, "b: done");
  }

  @Test
  void everythingIsAnsweredWhenTheNodeStops() {
    submit(writes, "a", 100);
    submit(writes, "b", 100);
    scheduler.stopped = true;
    reply(refused(BatchReply.Reason.BUSY));
    assertThat(answers).containsExactly("a: " + ErrorCode.TRYAGAIN, "b: " + ErrorCode.TRYAGAIN);
  }

  @Test
  void atMostSoManyRequestsWait() {
    for (int i = 0; i < 1 + Lane.REQUESTS_MAX; i++) {
      submit(writes, "a", 100);
    }
    assertThat(answers).isEmpty();
    submit(writes, "one too many", 100);
    assertThat(answers).containsExactly("one too many: " + ErrorCode.TRYAGAIN);
  }

  @Test
  void atMostSoManyBytesWait() {
    submit(writes, "under way", 100);
    writes.submit("large", Lane.BYTES_MAX - 1, 100, reply -> answers.add(text(reply)));
    submit(writes, "fits", 100);
    assertThat(answers).isEmpty();
    submit(writes, "one too many", 100);
    assertThat(answers).containsExactly("one too many: " + ErrorCode.TRYAGAIN);
  }

  @Test
  void requestBehindASlowBatchIsAnsweredAtItsOwnDeadline() {
    submit(writes, "slow", 100);
    submit(writes, "queued", 50);
    now = 50;
    scheduler.runAll();
    assertThat(answers).containsExactly("queued: " + ErrorCode.CLUSTERDOWN);
    now = 100;
    scheduler.runAll();
    assertThat(answers)
        .containsExactly("queued: " + ErrorCode.CLUSTERDOWN, "slow: " + ErrorCode.UNKNOWN);
    reply(done(1));
    assertThat(answers).as("once").hasSize(2);
  }

  @Test
  void eachRequestOfABatchUnderWayIsAnsweredAtItsOwnDeadline() {
    submit(writes, "first", 100);
    submit(writes, "short", 50);
    submit(writes, "long", 200_000_000);
    reply(done(1));
    assertThat(lastSent()).containsExactly("short", "long");
    now = 50;
    scheduler.runAll();
    assertThat(answers).containsExactly("first: done", "short: " + ErrorCode.UNKNOWN);
    reply(done(2));
    assertThat(answers).last().isEqualTo("long: done");
    assertThat(answers).hasSize(3);
  }

  @Test
  void readUnderWayPastItsDeadlineFailsForCertain() {
    submit(reads, "a", 50);
    now = 50;
    scheduler.runAll();
    assertThat(answers).containsExactly("a: " + ErrorCode.CLUSTERDOWN);
  }

  @Test
  void writeWithAnIdIsSentAgainAfterAnUnknownOutcome() {
    submit(writes, "id 1", 100);
    submit(writes, "b", 100);
    reply(new BatchReply.Unknown("no answer"));
    scheduler.runAll();
    assertThat(lastSent()).as("ahead of what came later").containsExactly("id 1", "b");
    reply(done(2));
    assertThat(answers).containsExactly("id 1: done", "b: done");
  }

  @Test
  void whatWasUnknownOnceIsNotMadeCertainByALaterRefusal() {
    submit(writes, "id 1", 100);
    reply(new BatchReply.Unknown("no answer"));
    scheduler.runAll();
    now = 100;
    reply(refused(BatchReply.Reason.NOT_LEADER));
    assertThat(answers).containsExactly("id 1: " + ErrorCode.UNKNOWN);
  }

  @Test
  void whatThePartitionDidNotApplySaysWhatIsKnown() {
    submit(writes, "id 1", 100);
    reply(notApplied(Result.NotApplied.Why.FORGOTTEN));
    submit(writes, "id 2", 100);
    reply(notApplied(Result.NotApplied.Why.EARLY));
    submit(writes, "id 3", 100);
    reply(notApplied(Result.NotApplied.Why.ANSWER_TOO_LARGE));
    assertThat(answers)
        .containsExactly(
            "id 1: " + ErrorCode.UNKNOWN,
            "id 2: " + ErrorCode.TRYAGAIN,
            "id 3: " + ErrorCode.UNKNOWN);
  }

  private static BatchReply notApplied(Result.NotApplied.Why why) {
    return new BatchReply.Done(List.of(List.of(new Result.NotApplied(why))), 7, 2, 0);
  }

  @Test
  void closedLaneAnswersWhatWaitsForCertainAndWhatIsUnderWayAsUnknown() {
    submit(writes, "under way", 100);
    submit(writes, "queued", 100);
    writes.close();
    assertThat(answers)
        .containsExactly("queued: " + ErrorCode.TRYAGAIN, "under way: " + ErrorCode.UNKNOWN);
    submit(writes, "late", 100);
    assertThat(answers).last().isEqualTo("late: " + ErrorCode.TRYAGAIN);
  }
}

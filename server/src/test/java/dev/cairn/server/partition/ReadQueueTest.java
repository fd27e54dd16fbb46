// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.LentLoop;
import dev.cairn.server.peer.CurrentLoop;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** A leader's reads, with confirmations and readers that the test lets go on. */
class ReadQueueTest {
  private static final BatchReply FROM_MEMORY = new BatchReply.Done(List.of(), 1, 1);
  private static final BatchReply FROM_DISK = new BatchReply.Done(List.of(), 2, 1);

  private long now;
  private boolean leads = true;
  private boolean inMemory = true;
  private boolean overdue;
  private boolean broken;
  private int looksIntoMemory;
  private final Deque<Consumer<Boolean>> confirmations = new ArrayDeque<>();
  private final Deque<Consumer<Boolean>> timeLogs = new ArrayDeque<>();
  private final Deque<Runnable> readers = new ArrayDeque<>();
  private final List<BatchReply> replies = new ArrayList<>();
  private Executor where = readers::add;
  private final ReadQueue queue =
      new ReadQueue(
          0,
          task -> where.execute(task),
          () -> now,
          () -> leads,
          confirmations::add,
          timeLogs::add,
          requests -> {
            if (broken) {
              throw new IllegalStateException("as the test wants");
            }
            return overdue ? Optional.empty() : Optional.of(FROM_DISK);
          },
          requests -> {
            looksIntoMemory++;
            return inMemory ? Optional.of(FROM_MEMORY) : Optional.empty();
          });

  @Test
  void readsThatComeDuringAConfirmationWaitForTheNext() {
    read();
    read();
    read();
    assertThat(confirmations).hasSize(1);
    confirmations.poll().accept(true);
    assertThat(replies).as("what was asked for before it began").hasSize(1);
    assertThat(confirmations).hasSize(1);
    confirmations.poll().accept(true);
    assertThat(replies).hasSize(3);
    assertThat(confirmations).isEmpty();
  }

  @Test
  void whatMemoryKnowsIsAnsweredAtOnce() {
    read();
    confirmations.poll().accept(true);
    assertThat(replies).containsExactly(FROM_MEMORY);
    assertThat(readers).isEmpty();
  }

  @Test
  void whatMemoryDoesNotKnowIsReadWhereItMayWaitAndSoIsTheNextRound() {
    inMemory = false;
    round();
    assertThat(replies).containsExactly(FROM_DISK);
    inMemory = true;
    round();
    assertThat(replies).containsExactly(FROM_DISK, FROM_DISK);
    assertThat(looksIntoMemory).isEqualTo(1);
    round();
    assertThat(replies).containsExactly(FROM_DISK, FROM_DISK, FROM_MEMORY);
  }

  @Test
  void theMoreLooksAreInVainTheFewerThereAre() {
    inMemory = false;
    for (int i = 0; i < 1_000; i++) {
      round();
    }
    // 5 until it pauses for 32 rounds each time.
    assertThat(looksIntoMemory).isBetween(1_000 / 33, 1_000 / 33 + 5);
    inMemory = true;
    for (int i = 0; i < 40; i++) {
      round();
    }
    inMemory = false;
    looksIntoMemory = 0;
    for (int i = 0; i < 4; i++) {
      round(); // a look, one without, a look, the first of two without
    }
    assertThat(looksIntoMemory).as("memory is trusted again").isEqualTo(2);
  }

  @Test
  void oneRoundFromMemoryHalvesThePauseAfterTheNextVainLook() {
    inMemory = false;
    for (int i = 0; i < 2 + 3; i++) {
      round(); // a look and a pause of 1, a look and a pause of 2
    }
    inMemory = true;
    round();
    inMemory = false;
    looksIntoMemory = 0;
    for (int i = 0; i < 3; i++) {
      round(); // a look, and a pause of 2 again
    }
    assertThat(looksIntoMemory).isEqualTo(1);
    round();
    assertThat(looksIntoMemory).isEqualTo(2);
  }

  /**
   * Of those who ask again on an event loop as they are answered, beside one that waits already.
   */
  @Test
  void whoAsksAgainIsInTheRoundOfThoseThatWait() {
    try (LentLoop loop = new LentLoop()) {
      loop.run(
          () -> {
            queue.read(
                List.of(),
                Long.MAX_VALUE,
                reply -> {
                  replies.add(reply);
                  CurrentLoop.afterRound(this::read);
                });
            read();
            confirmations.poll().accept(true);
          });
      loop.run(
          () -> {
            assertThat(replies).hasSize(1);
            assertThat(confirmations).hasSize(1);
            confirmations.poll().accept(true);
            assertThat(replies).as("both, by one confirmation").hasSize(3);
          });
    }
  }

  private void round() {
    read();
    confirmations.poll().accept(true);
    readers.forEach(Runnable::run);
    readers.clear();
  }

  @Test
  void nothingIsAnsweredWithoutAConfirmation() {
    read();
    confirmations.poll().accept(false);
    assertThat(looksIntoMemory).isZero();
    assertThat(replies).containsExactly(refused(BatchReply.Reason.NOT_READY));
    leads = false;
    read();
    assertThat(replies.get(1)).isEqualTo(refused(BatchReply.Reason.NOT_LEADER));
    assertThat(confirmations).isEmpty();
  }

  @Test
  void aConfirmationThatTakesTooLongIsGivenUpAndItsLateAnswerCountsForNobody() {
    read();
    now += ReadQueue.CONFIRM_WITHIN_NANOS - 1;
    queue.expire(now);
    assertThat(replies).isEmpty();
    now++;
    queue.expire(now);
    assertThat(replies).containsExactly(refused(BatchReply.Reason.NOT_READY));

    read();
    Consumer<Boolean> late = confirmations.poll();
    late.accept(true);
    assertThat(replies).as("the second read waits for its own").hasSize(1);
    confirmations.poll().accept(true);
    assertThat(replies).hasSize(2);
  }

  @Test
  void anOverdueKeyIsReadAgainOnceTheTimeIsLogged() {
    inMemory = false;
    overdue = true;
    read();
    confirmations.poll().accept(true);
    readers.poll().run();
    assertThat(replies).isEmpty();
    overdue = false;
    timeLogs.poll().accept(true);
    readers.poll().run();
    assertThat(replies).containsExactly(FROM_DISK);

    overdue = true;
    read();
    confirmations.poll().accept(true);
    readers.poll().run();
    timeLogs.poll().accept(false);
    assertThat(replies.get(1)).isEqualTo(refused(BatchReply.Reason.NOT_READY));
  }

  @Test
  void aFailedReadAndAStoppedReaderRefuse() {
    inMemory = false;
    broken = true;
    read();
    confirmations.poll().accept(true);
    readers.poll().run();
    where =
        task -> {
          throw new RejectedExecutionException("stopping");
        };
    read();
    confirmations.poll().accept(true);
    assertThat(replies).hasSize(2).containsOnly(refused(BatchReply.Reason.NOT_READY));
  }

  @Test
  void closedItRefusesWhatWaits() {
    read();
    read();
    queue.close();
    assertThat(replies).containsExactly(refused(BatchReply.Reason.NOT_LEADER));
    confirmations.poll().accept(true);
    assertThat(replies).hasSize(2);
  }

  private void read() {
    queue.read(List.of(List.of()), now + 1, replies::add);
  }

  private static BatchReply refused(BatchReply.Reason reason) {
    return new BatchReply.Refused(reason, Optional.empty());
  }
}

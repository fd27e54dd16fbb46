// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.operation.Query;
import dev.cairn.server.peer.CurrentLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A leader's linearizable reads.
 *
 * <p>One confirmation (that this node leads still, and has applied all that was committed) serves
 * all reads that waited when it began. A read that arrives later waits for the next one, since the
 * first may already have been answered by the other voters.
 *
 * <p>Threads: any; the lock guards the fields and is never held while somebody else's code runs.
 */
final class ReadQueue {
  static final long READ_REPLY_BYTES_MAX = 8L << 20;

  /** How long a confirmation may take. */
  static final long CONFIRM_WITHIN_NANOS = TimeUnit.SECONDS.toNanos(2);

  private static final int ROUNDS_OFF_MEMORY_MAX = 32;

  private static final Logger log = LoggerFactory.getLogger(ReadQueue.class);

  private final int index;
  private final Executor readers;
  private final LongSupplier nanoTime;
  private final BooleanSupplier leads;
  private final Confirmation confirmation;
  private final Confirmation timeLog;
  private final Function<List<List<Query>>, Optional<BatchReply>> answers;
  private final Function<List<List<Query>>, Optional<BatchReply>> memoryAnswers;
  private final AtomicInteger roundsOffMemory = new AtomicInteger();
  private final AtomicInteger lastOffMemory = new AtomicInteger(); // how many it was last time
  private final Object lock = new Object();
  private List<WaitingRead> waitingReads = new ArrayList<>(); // guarded by lock
  private Round round; // under way; guarded by lock

  /** Makes sure that a read of this node's state is linearizable. */
  interface Confirmation {
    /** Tells {@code done}, once and on any thread, whether it is. */
    void confirm(Consumer<Boolean> done);
  }

  /** A confirmation that is under way, and the reads that it serves. */
  private record Round(List<WaitingRead> reads, long begunNanos, AtomicBoolean over) {}

  private record WaitingRead(
      List<List<Query>> requests, long deadlineNanos, Consumer<BatchReply> done) {
    /** As {@link WaitingBatch#answer}. */
    void answer(BatchReply reply) {
      try {
        done.accept(reply);
      } catch (RuntimeException e) {
        log.error("an answer could not be delivered", e);
      }
    }
  }

  /**
   * Creates a queue in which nothing waits.
   *
   * @param timeLog has the log reach the present time, and tells whether it did
   * @param answers answers requests from what was applied, or nothing when they see a key whose
   *     time is up by the clock and not yet by the log: once it is logged, the key is gone for
   *     everybody
   * @param memoryAnswers the same without waiting for anything, or nothing when that cannot be
   */
  ReadQueue(
      int index,
      Executor readers,
      LongSupplier nanoTime,
      BooleanSupplier leads,
      Confirmation confirmation,
      Confirmation timeLog,
      Function<List<List<Query>>, Optional<BatchReply>> answers,
      Function<List<List<Query>>, Optional<BatchReply>> memoryAnswers) {
    this.index = index;
    this.readers = readers;
    this.nanoTime = nanoTime;
    this.leads = leads;
    this.confirmation = confirmation;
    this.timeLog = timeLog;
    this.answers = answers;
    this.memoryAnswers = memoryAnswers;
  }

  /**
   * Answers reads, linearizably. Where the answers would be more than {@link
   * #READ_REPLY_BYTES_MAX}, only the first requests are answered: {@link BatchReply.Done} has fewer
   * results, at least one.
   *
   * @param done called exactly once, by any thread
   */
  void read(List<List<Query>> requests, long deadlineNanos, Consumer<BatchReply> done) {
    if (!leads.getAsBoolean()) {
      done.accept(BatchReply.Refused.notLeader());
      return;
    }
    synchronized (lock) {
      waitingReads.add(new WaitingRead(requests, deadlineNanos, done));
    }
    readNext();
  }

  private void readNext() {
    Round next;
    synchronized (lock) {
      if (round != null || waitingReads.isEmpty()) {
        return;
      }
      next = new Round(waitingReads, nanoTime.getAsLong(), new AtomicBoolean());
      round = next;
      waitingReads = new ArrayList<>();
    }
    confirmation.confirm(linearizable -> confirmed(next, linearizable));
  }

  private void confirmed(Round which, boolean linearizable) {
    if (!which.over().compareAndSet(false, true)) {
      return; // given up on
    }
    synchronized (lock) {
      round = null;
    }
    if (linearizable) {
      List<WaitingRead> rest = answerFromMemory(which.reads());
      if (!rest.isEmpty()) {
        answerLater(rest);
      }
    } else {
      refuse(which.reads());
    }
    // Last: those who ask again since they were answered are to be in the next round.
    CurrentLoop.afterRound(this::readNext);
  }

  /** Gives up on a confirmation that takes too long. */
  void expire(long nowNanos) {
    Round old;
    synchronized (lock) {
      old = round;
    }
    if (old != null && nowNanos - old.begunNanos() >= CONFIRM_WITHIN_NANOS) {
      confirmed(old, false);
    }
  }

  /**
   * Answers here and now what memory can tell, which saves a wake-up. A look that is in vain costs
   * too: after one, the next round goes straight to the readers, after another one two rounds, then
   * four and so on; half as many after each round that memory answered. The counts are not exact
   * where rounds end on several threads, which costs a look.
   *
   * @return the reads that are left
   */
  private List<WaitingRead> answerFromMemory(List<WaitingRead> reads) {
    if (roundsOffMemory.get() > 0) {
      roundsOffMemory.decrementAndGet();
      return reads;
    }
    for (int i = 0; i < reads.size(); i++) {
      WaitingRead read = reads.get(i);
      Optional<BatchReply> reply;
      try {
        reply = memoryAnswers.apply(read.requests());
      } catch (RuntimeException e) {
        reply = Optional.empty(); // the readers meet it again, and say so
      }
      if (reply.isEmpty()) {
        roundsOffMemory.set(
            lastOffMemory.updateAndGet(
                last -> Math.min(Math.max(1, 2 * last), ROUNDS_OFF_MEMORY_MAX)));
        return reads.subList(i, reads.size());
      }
      read.answer(reply.get());
    }
    if (lastOffMemory.get() > 0) {
      lastOffMemory.updateAndGet(last -> last / 2);
    }
    return List.of();
  }

  private void answerLater(List<WaitingRead> reads) {
    try {
      readers.execute(() -> answer(reads));
    } catch (RejectedExecutionException stopping) {
      refuse(reads);
    }
  }

  private void refuse(List<WaitingRead> reads) {
    BatchReply refused =
        new BatchReply.Refused(
            leads.getAsBoolean() ? BatchReply.Reason.NOT_READY : BatchReply.Reason.NOT_LEADER,
            Optional.empty());
    reads.forEach(read -> read.answer(refused));
  }

  private void answer(List<WaitingRead> reads) {
    List<WaitingRead> overdue = new ArrayList<>();
    for (WaitingRead read : reads) {
      Optional<BatchReply> reply;
      try {
        reply = answers.apply(read.requests());
      } catch (RuntimeException e) {
        log.error("partition={} a read failed", index, e);
        reply = Optional.of(new BatchReply.Refused(BatchReply.Reason.NOT_READY, Optional.empty()));
      }
      reply.ifPresentOrElse(read::answer, () -> overdue.add(read));
    }
    if (!overdue.isEmpty()) {
      timeLog.confirm(
          logged -> {
            if (logged) {
              answerLater(overdue);
            } else {
              refuse(overdue);
            }
          });
    }
  }

  /** Refuses what waits. */
  void close() {
    List<WaitingRead> reads;
    synchronized (lock) {
      reads = waitingReads;
      waitingReads = new ArrayList<>();
    }
    reads.forEach(read -> read.answer(BatchReply.Refused.notLeader()));
  }
}

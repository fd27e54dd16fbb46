// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.operation.Query;
import dev.cairn.server.raft.Peer;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads of a replica's own state, whoever leads and whether anybody does. They may be out of date;
 * where this replica has heard no leader for a while, the answer says for how long.
 *
 * <p>Invariant: a replica answers only while the last configuration that it has applied names it.
 * One that was removed has applied the configuration without it, and one that is still being
 * brought up to date has not applied the one with it.
 *
 * <p>Threads: the state machine's tells of leaders and configurations; reads come on any.
 */
final class OwnReads {
  /** A break this short is an election, and says nothing of the age. */
  static final long SILENCE_MILLIS_MIN = 1_000;

  private static final Logger log = LoggerFactory.getLogger(OwnReads.class);

  private final int index;
  private final Peer self;
  private final ReplicaState state;
  private final Executor readers;
  private final LongSupplier nanoTime;
  private final LongSupplier wallMillis;
  private final KeyMetrics metrics;
  private volatile boolean named;
  private volatile Contact contact = Contact.NEVER;

  /**
   * When a leader was heard.
   *
   * @param ever whether one was since this process began
   * @param now whether one is; else {@code untilNanos} has a meaning
   */
  private record Contact(boolean ever, boolean now, long untilNanos) {
    private static final Contact NEVER = new Contact(false, false, 0);
    private static final Contact NOW = new Contact(true, true, 0);
  }

  /**
   * Creates the reads of a replica that has heard nobody yet.
   *
   * @param wallMillis the wall clock, milliseconds since 1970
   */
  OwnReads(
      int index,
      Peer self,
      ReplicaState state,
      Executor readers,
      LongSupplier nanoTime,
      LongSupplier wallMillis,
      KeyMetrics metrics) {
    this.index = index;
    this.self = self;
    this.state = state;
    this.readers = readers;
    this.nanoTime = nanoTime;
    this.wallMillis = wallMillis;
    this.metrics = metrics;
    configuration(state.voters());
  }

  /** Who votes, by the last configuration that was applied; empty before the first. */
  void configuration(Collection<String> voters) {
    named = voters.isEmpty() ? self.incarnation() == 1 : voters.contains(self.toString());
  }

  /** A leader is there: another node, or this one. */
  void leaderFound() {
    contact = Contact.NOW;
  }

  /** The leader is there no more. */
  void leaderLost() {
    if (contact.now()) {
      contact = new Contact(true, false, nanoTime.getAsLong());
    }
  }

  /** Whether this replica may answer. */
  boolean serves() {
    return named;
  }

  /**
   * Answers from what this replica has applied.
   *
   * @param done called exactly once, by any thread
   */
  void read(List<List<Query>> requests, Consumer<BatchReply> done) {
    if (!named) {
      done.accept(notReady());
      return;
    }
    try {
      readers.execute(() -> done.accept(answer(requests)));
    } catch (RejectedExecutionException stopping) {
      done.accept(notReady());
    }
  }

  private BatchReply answer(List<List<Query>> requests) {
    try {
      // By the log's own time nothing is overdue: what it says is gone is gone, no more.
      return state
          .answer(requests, 0, ageMillis(state.applied().timeMillis()), metrics)
          .orElseGet(OwnReads::notReady);
    } catch (RuntimeException e) {
      log.error("partition={} a read failed", index, e);
      return notReady();
    }
  }

  private static BatchReply notReady() {
    return new BatchReply.Refused(BatchReply.Reason.NOT_READY, Optional.empty());
  }

  /**
   * How long ago a leader was last heard; 0 while one is, or shortly was. After a restart in which
   * none was heard, how long ago the last entry was written that is here: nothing newer is.
   */
  private long ageMillis(long loggedMillis) {
    Contact heard = contact;
    if (heard.now()) {
      return 0;
    }
    if (!heard.ever()) {
      return loggedMillis <= 0 ? 0 : Math.max(0, wallMillis.getAsLong() - loggedMillis);
    }
    long silence = TimeUnit.NANOSECONDS.toMillis(nanoTime.getAsLong() - heard.untilNanos());
    return silence < SILENCE_MILLIS_MIN ? 0 : silence;
  }
}

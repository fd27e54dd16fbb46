// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.server.operation.Reply;
import dev.cairn.server.operation.Request;
import dev.cairn.server.operation.Result;
import dev.cairn.server.partition.BatchReply;
import dev.cairn.server.peer.CurrentLoop;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All requests of one kind (writes, or reads) from this node to one partition, in their order.
 *
 * <p>At most one batch is under way; what arrives meanwhile travels in the next one. That packs
 * requests without a timer, and keeps their order across failover: a batch that was refused for
 * certain goes back to the head of the queue and is sent again before anything that came later, to
 * whoever leads then, until each request's deadline. On a client's event loop a batch is closed at
 * the end of the loop's round, with all that the round read ({@link CurrentLoop#afterRound}).
 *
 * <p>Threads: any. Invariants:
 *
 * <ol>
 *   <li>Every request is answered exactly once, at the latest soon after its own deadline, whatever
 *       the batch before it or the one that it travels in waits for.
 *   <li>A request whose outcome is unknown is sent again only if that is harmless: a read, or a
 *       write that its partition recognises.
 *   <li>What was unknown once stays unknown, unless it is later known to be done: no refusal of a
 *       later sending speaks for an earlier one.
 *   <li>At most {@link #BYTES_MAX} bytes and {@link #REQUESTS_MAX} requests wait.
 * </ol>
 *
 * @param <R> what one request is
 */
public final class Lane<R> implements AutoCloseable {
  static final long BYTES_MAX = 64L << 20;
  static final int REQUESTS_MAX = 65_536;
  private static final long BATCH_BYTES_MAX = 1L << 20;
  private static final int BATCH_REQUESTS_MAX = 4_096;
  private static final long RETRY_AFTER_MILLIS = 10;

  /** How often at most the lane looks for requests whose time is up. */
  private static final long LATE_EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  /** For how long what held requests up is why those behind wait. */
  private static final long LATELY_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private static final Logger log = LoggerFactory.getLogger(Lane.class);

  private final int partition;
  private final boolean writes;
  private final Predicate<R> repeatable;
  private final Route<R> route;
  private final ScheduledExecutorService scheduler;
  private final LongSupplier nanoTime;
  private final BooleanSupplier answersFull;
  private final BooleanSupplier hasLeader;
  private final ArrayDeque<Waiting<R>> queue = new ArrayDeque<>(); // guarded by this
  private List<Waiting<R>> underWay = List.of(); // guarded by this
  private long queuedBytes; // guarded by this

  /**
   * Whether a batch is under way or to be sent soon: at the end of a loop's round, or as a retry.
   * Guarded by this.
   */
  private boolean busy;

  private boolean closed; // guarded by this
  private boolean lateScheduled; // guarded by this
  private boolean
      answersWereFull; // guarded by this: at answersFullNanos there was no room for answers
  private long answersFullNanos; // guarded by this
  private long lateNanos; // guarded by this: when it runs next

  /** Sends a batch to wherever the partition is led from just now. */
  interface Route<R> {
    /**
     * Sends.
     *
     * @param done called exactly once, by any thread: the leader's id and what became of the batch
     */
    void send(List<R> requests, long deadlineNanos, Sent done);
  }

  /** Told what became of a batch that was sent. */
  interface Sent {
    /** Told once; {@code nodeId} is the node that was asked, empty when none could be. */
    void replied(Optional<String> nodeId, BatchReply reply);
  }

  /** How much waits. */
  public record Depth(int requests, long bytes) {
    Depth plus(Depth other) {
      return new Depth(requests + other.requests, bytes + other.bytes);
    }
  }

  /** A request until it is answered. */
  private static final class Waiting<R> {
    private final R request;
    private final long bytes;
    private final long deadlineNanos;
    private final Consumer<Reply> done;
    private final AtomicBoolean answered = new AtomicBoolean();
    private volatile boolean unsure; // an earlier sending may have been carried out

    Waiting(R request, long bytes, long deadlineNanos, Consumer<Reply> done) {
      this.request = request;
      this.bytes = bytes;
      this.deadlineNanos = deadlineNanos;
      this.done = done;
    }

    boolean late(long now) {
      return deadlineNanos - now <= 0;
    }

    void answer(Reply reply) {
      if (!answered.compareAndSet(false, true)) {
        return;
      }
      try {
        done.accept(reply);
      } catch (RuntimeException e) {
        log.error("an answer could not be delivered", e);
      }
    }

    /** Nothing was done by the last sending, if there was one. */
    void refuse(Reply refusal) {
      answer(unsure ? unknown("an earlier sending of it may have been applied") : refusal);
    }
  }

  /**
   * Creates an idle lane.
   *
   * @param writes whether a batch is carried out whole or not at all
   * @param repeatable whether carrying out a request twice is the same as once
   * @param answersFull whether nothing is to be sent just now, since there is no room for the
   *     answers
   * @param hasLeader whether somebody is known to lead the partition just now. Must not block
   */
  Lane(
      int partition,
      boolean writes,
      Predicate<R> repeatable,
      Route<R> route,
      ScheduledExecutorService scheduler,
      LongSupplier nanoTime,
      BooleanSupplier answersFull,
      BooleanSupplier hasLeader) {
    this.partition = partition;
    this.writes = writes;
    this.repeatable = repeatable;
    this.route = route;
    this.scheduler = scheduler;
    this.nanoTime = nanoTime;
    this.answersFull = answersFull;
    this.hasLeader = hasLeader;
  }

  synchronized Depth depth() {
    return new Depth(queue.size(), queuedBytes);
  }

  void submit(R request, long bytes, long deadlineNanos, Consumer<Reply> done) {
    boolean full;
    boolean send = false;
    synchronized (this) {
      full =
          closed
              || (!queue.isEmpty()
                  && (queuedBytes + bytes > BYTES_MAX || queue.size() >= REQUESTS_MAX));
      if (!full) {
        queue.add(new Waiting<>(request, bytes, deadlineNanos, done));
        queuedBytes += bytes;
        send = !busy;
        busy = true;
        answerLateAt(deadlineNanos);
      }
    }
    if (full) {
      done.accept(
          new Reply.Failed(
              ErrorCode.TRYAGAIN,
              "too many requests wait for this partition; slow down and retry"));
    } else if (send) {
      CurrentLoop.afterRound(this::sendNext);
    }
  }

  /** Sends the next batch; only whoever set {@code busy} calls this. */
  private void sendNext() {
    if (answersFull.getAsBoolean()) {
      synchronized (this) {
        answersWereFull = true;
        answersFullNanos = nanoTime.getAsLong();
      }
      retry(List.of(), BatchReply.Refused.notLeader());
      return;
    }
    List<Waiting<R>> batch = new ArrayList<>();
    List<Waiting<R>> late = new ArrayList<>();
    long deadlineNanos = 0;
    long now = nanoTime.getAsLong();
    synchronized (this) {
      long bytes = 0;
      while (!queue.isEmpty() && batch.size() < BATCH_REQUESTS_MAX) {
        Waiting<R> next = queue.peek();
        if (next.late(now)) {
          late.add(queue.remove());
          queuedBytes -= next.bytes;
          continue;
        }
        if (!batch.isEmpty() && bytes + next.bytes > BATCH_BYTES_MAX) {
          break;
        }
        batch.add(queue.remove());
        bytes += next.bytes;
        queuedBytes -= next.bytes;
        deadlineNanos =
            batch.size() == 1 ? next.deadlineNanos : latest(deadlineNanos, next.deadlineNanos);
      }
      busy = !batch.isEmpty();
      underWay = batch;
    }
    if (!late.isEmpty()) {
      Reply tooLate = tooLate(now);
      late.forEach(request -> request.refuse(tooLate));
    }
    if (!batch.isEmpty()) {
      send(batch, deadlineNanos);
    }
  }

  private void send(List<Waiting<R>> batch, long deadlineNanos) {
    List<R> requests = new ArrayList<>(batch.size());
    for (Waiting<R> waiting : batch) {
      requests.add(waiting.request);
    }
    AtomicBoolean told = new AtomicBoolean();
    Sent once =
        (nodeId, reply) -> {
          if (told.compareAndSet(false, true)) {
            replied(batch, nodeId, reply);
          }
        };
    try {
      route.send(requests, deadlineNanos, once);
    } catch (RuntimeException e) {
      log.error("partition={} a batch could not be sent: report this as a bug", partition, e);
      once.replied(Optional.empty(), new BatchReply.Unknown("internal error, see the node's log"));
    }
  }

  private static long latest(long one, long other) {
    return one - other > 0 ? one : other;
  }

  private void replied(List<Waiting<R>> batch, Optional<String> nodeId, BatchReply reply) {
    synchronized (this) {
      underWay = List.of();
    }
    if (reply instanceof BatchReply.Done done) {
      done(batch, nodeId, done);
    } else if (reply instanceof BatchReply.Unknown unknown) {
      unknown(batch, unknown);
    } else if (reply instanceof BatchReply.Refused refused
        && refused.reason() == BatchReply.Reason.NO_ROOM) {
      retry(refuseThoseThatGrow(batch), reply);
    } else {
      retry(batch, reply);
    }
  }

  /** Answers those that need room on disk; the rest. */
  private List<Waiting<R>> refuseThoseThatGrow(List<Waiting<R>> batch) {
    Reply failed =
        new Reply.Failed(
            ErrorCode.OOM,
            "too few of the partition's nodes have room left on their disks; nothing was written. Make room"
                + " there (the cluster's status names them) or delete keys");
    List<Waiting<R>> rest = new ArrayList<>();
    for (Waiting<R> waiting : batch) {
      if (waiting.request instanceof Request request && request.grows()) {
        waiting.refuse(failed);
      } else {
        rest.add(waiting);
      }
    }
    return rest;
  }

  private void done(List<Waiting<R>> batch, Optional<String> nodeId, BatchReply.Done done) {
    int count = done.results().size();
    if (count == 0 || count > batch.size() || (writes && count < batch.size())) {
      String why = "the leader answered " + count + " of " + batch.size() + " requests";
      unknown(batch, new BatchReply.Unknown(why));
      return;
    }
    for (int i = 0; i < count; i++) {
      answer(batch.get(i), nodeId, done, done.results().get(i));
    }
    synchronized (this) {
      putBack(batch.subList(count, batch.size()));
    }
    CurrentLoop.afterRound(this::sendNext);
  }

  private void answer(
      Waiting<R> waiting, Optional<String> nodeId, BatchReply.Done done, List<Result> results) {
    if (results.size() == 1 && results.get(0) instanceof Result.NotApplied notApplied) {
      switch (notApplied.why()) {
        case ANSWER_TOO_LARGE ->
            waiting.answer(
                unknown("it was applied before, and its answer was too large to be kept"));
        case FORGOTTEN ->
            waiting.answer(
                unknown(
                    "its id is too old to tell whether it was applied before; nothing was now"));
        case EARLY ->
            waiting.refuse(
                new Reply.Failed(
                    ErrorCode.TRYAGAIN,
                    "the write was issued later than it is by the partition's clock; retry"));
      }
    } else {
      waiting.answer(
          Reply.of(
              new Reply.Done(
                  results, nodeId.orElse(""), done.index(), done.term(), done.ageMillis())));
    }
  }

  /** To the head of the queue, in their order. Under the lock. */
  private void putBack(List<Waiting<R>> requests) {
    for (int i = requests.size() - 1; i >= 0; i--) {
      if (!requests.get(i).answered.get()) {
        queue.addFirst(requests.get(i));
        queuedBytes += requests.get(i).bytes;
      }
    }
  }

  /**
   * The batch may have been carried out, or may yet be: again, what can be, and no refusal more.
   */
  private void unknown(List<Waiting<R>> batch, BatchReply.Unknown unknown) {
    List<Waiting<R>> again = new ArrayList<>();
    Reply failed = unknown(unknown.why());
    for (Waiting<R> waiting : batch) {
      if (repeatable.test(waiting.request)) {
        waiting.unsure = writes;
        again.add(waiting);
      } else {
        waiting.answer(failed);
      }
    }
    if (again.isEmpty()) {
      CurrentLoop.afterRound(this::sendNext);
    } else {
      retry(again, BatchReply.Refused.notLeader());
    }
  }

  /** Again, those whose time is not up, ahead of whatever came meanwhile. */
  private void retry(List<Waiting<R>> batch, BatchReply reply) {
    long now = nanoTime.getAsLong();
    List<Waiting<R>> late = new ArrayList<>();
    List<Waiting<R>> again = new ArrayList<>();
    batch.forEach(waiting -> (waiting.late(now) ? late : again).add(waiting));
    synchronized (this) {
      putBack(again);
    }
    Reply failed = isBusy(reply) ? timedOut(true) : tooLate(now);
    late.forEach(waiting -> waiting.refuse(failed));
    try {
      scheduler.schedule(this::sendNext, RETRY_AFTER_MILLIS, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException stopping) {
      close(failed);
    }
  }

  /** Has {@link #answerLate} run at a deadline, unless it will before. Under the lock. */
  private void answerLateAt(long nanos) {
    if (lateScheduled && nanos - lateNanos >= 0) {
      return;
    }
    lateScheduled = true;
    lateNanos = nanos;
    try {
      scheduler.schedule(
          this::answerLate, Math.max(0, nanos - nanoTime.getAsLong()), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException stopping) {
      lateScheduled = false; // close() answers what waits
    }
  }

  /** Answers what has reached its deadline, wherever it is. */
  private void answerLate() {
    long now = nanoTime.getAsLong();
    List<Waiting<R>> queued = new ArrayList<>();
    List<Waiting<R>> sent = new ArrayList<>();
    synchronized (this) {
      queue.removeIf(waiting -> waiting.late(now) && queued.add(waiting));
      queued.forEach(waiting -> queuedBytes -= waiting.bytes);
      underWay.stream().filter(waiting -> waiting.late(now)).forEach(sent::add);
      lateScheduled = false;
      earliestDeadline().ifPresent(next -> answerLateAt(latest(next, now + LATE_EVERY_NANOS)));
    }
    Reply refusal = tooLate(now);
    queued.forEach(waiting -> waiting.refuse(refusal));
    sent.forEach(waiting -> giveUp(waiting, refusal, "no answer came in time"));
  }

  /** Of what is not answered yet. Under the lock. */
  private Optional<Long> earliestDeadline() {
    Long earliest = null;
    for (List<Waiting<R>> some : List.of(List.copyOf(queue), underWay)) {
      for (Waiting<R> waiting : some) {
        if (!waiting.answered.get() && (earliest == null || waiting.deadlineNanos - earliest < 0)) {
          earliest = waiting.deadlineNanos;
        }
      }
    }
    return Optional.ofNullable(earliest);
  }

  private void giveUp(Waiting<R> sent, Reply refusal, String why) {
    if (writes) {
      sent.answer(unknown(why));
    } else {
      sent.refuse(refusal);
    }
  }

  /** The node is stopping: what waits was not sent, what is under way may be carried out. */
  @Override
  public void close() {
    close(new Reply.Failed(ErrorCode.TRYAGAIN, "this node is stopping; retry at another"));
  }

  private void close(Reply refusal) {
    List<Waiting<R>> waiting;
    List<Waiting<R>> sent;
    synchronized (this) {
      waiting = List.copyOf(queue);
      sent = underWay;
      queue.clear();
      queuedBytes = 0;
      closed = true;
    }
    waiting.forEach(request -> request.refuse(refusal));
    sent.forEach(request -> giveUp(request, refusal, "this node is stopping"));
  }

  private static Reply unknown(String why) {
    return new Reply.Failed(
        ErrorCode.UNKNOWN,
        "the write may or may not have been applied ("
            + why
            + "); read the key before writing again");
  }

  /** What a request is told that waited in vain. A leader that is known is busy then. */
  private Reply tooLate(long now) {
    synchronized (this) {
      if (answersWereFull && now - answersFullNanos < LATELY_NANOS) {
        return tooManyUnread();
      }
    }
    return timedOut(hasLeader.getAsBoolean());
  }

  static Reply tooManyUnread() {
    return new Reply.Failed(
        ErrorCode.TRYAGAIN,
        "this node holds too many answers that its clients have not read; read them, or ask another"
            + " node");
  }

  private static boolean isBusy(BatchReply reply) {
    return reply instanceof BatchReply.Refused refused
        && refused.reason() == BatchReply.Reason.BUSY;
  }

  private Reply timedOut(boolean somebodyLeads) {
    return somebodyLeads
        ? new Reply.Failed(
            ErrorCode.TRYAGAIN, "the partition's leader has too much to do; slow down and retry")
        : new Reply.Failed(
            ErrorCode.CLUSTERDOWN,
            "partition "
                + partition
                + " has no leader that can be reached; nothing was done. Look at the cluster's status and retry");
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.server.partition.BatchReply;
import dev.cairn.server.partition.Reply;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All requests of one kind (writes, or reads) from this node to one partition, in their order.
 *
 * <p>At most one batch is under way; what arrives meanwhile travels in the next one. That packs
 * requests without a timer, and keeps their order across failover: a batch that was refused for
 * certain goes back to the head of the queue and is sent again before anything that came later, to
 * whoever leads then, until each request's deadline.
 *
 * <p>Threads: any. Invariants:
 *
 * <ol>
 *   <li>Every request is answered exactly once, at the latest soon after its deadline.
 *   <li>A request is sent again only after a refusal that is certain. An unknown outcome is passed
 *       on as unknown.
 *   <li>At most {@link #BYTES_MAX} bytes and {@link #REQUESTS_MAX} requests wait.
 * </ol>
 *
 * @param <T> operations or queries
 */
public final class Lane<T> {
  static final long BYTES_MAX = 64L << 20;
  static final int REQUESTS_MAX = 65_536;
  private static final long BATCH_BYTES_MAX = 1L << 20;
  private static final int BATCH_REQUESTS_MAX = 4_096;
  private static final long RETRY_AFTER_MILLIS = 10;
  private static final Logger log = LoggerFactory.getLogger(Lane.class);

  private final int partition;
  private final boolean writes;
  private final Route<T> route;
  private final ScheduledExecutorService scheduler;
  private final LongSupplier nanoTime;
  private final ArrayDeque<Request<T>> queue = new ArrayDeque<>(); // guarded by this
  private long queuedBytes; // guarded by this
  private boolean busy; // guarded by this: a batch is under way, or a retry is scheduled

  /** Sends a batch to wherever the partition is led from just now. */
  interface Route<T> {
    /**
     * Sends.
     *
     * @param done called exactly once, by any thread: the leader's id and what became of the batch
     */
    void send(List<List<T>> requests, long deadlineNanos, Sent done);
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

  private record Request<T>(List<T> items, long bytes, long deadlineNanos, Consumer<Reply> done) {}

  Lane(
      int partition,
      boolean writes,
      Route<T> route,
      ScheduledExecutorService scheduler,
      LongSupplier nanoTime) {
    this.partition = partition;
    this.writes = writes;
    this.route = route;
    this.scheduler = scheduler;
    this.nanoTime = nanoTime;
  }

  synchronized Depth depth() {
    return new Depth(queue.size(), queuedBytes);
  }

  void submit(List<T> items, long bytes, long deadlineNanos, Consumer<Reply> done) {
    boolean full;
    synchronized (this) {
      full = !queue.isEmpty() && (queuedBytes + bytes > BYTES_MAX || queue.size() >= REQUESTS_MAX);
      if (!full) {
        queue.add(new Request<>(items, bytes, deadlineNanos, done));
        queuedBytes += bytes;
        if (busy) {
          return;
        }
        busy = true;
      }
    }
    if (full) {
      done.accept(
          new Reply.Failed(
              ErrorCode.TRYAGAIN,
              "too many requests wait for this partition; slow down and retry"));
    } else {
      sendNext();
    }
  }

  /** Sends the next batch; only whoever set {@code busy} calls this. */
  private void sendNext() {
    List<Request<T>> batch = new ArrayList<>();
    List<Request<T>> late = new ArrayList<>();
    long deadlineNanos = 0;
    long now = nanoTime.getAsLong();
    synchronized (this) {
      long bytes = 0;
      while (!queue.isEmpty() && batch.size() < BATCH_REQUESTS_MAX) {
        Request<T> next = queue.peek();
        if (next.deadlineNanos() - now <= 0) {
          late.add(queue.remove());
          queuedBytes -= next.bytes();
          continue;
        }
        if (!batch.isEmpty() && bytes + next.bytes() > BATCH_BYTES_MAX) {
          break;
        }
        batch.add(queue.remove());
        bytes += next.bytes();
        queuedBytes -= next.bytes();
        deadlineNanos =
            batch.size() == 1 ? next.deadlineNanos() : latest(deadlineNanos, next.deadlineNanos());
      }
      busy = !batch.isEmpty();
    }
    Reply tooLate = timedOut(noLeader());
    late.forEach(request -> answer(request, tooLate));
    if (batch.isEmpty()) {
      return;
    }
    send(batch, deadlineNanos);
  }

  private void send(List<Request<T>> batch, long deadlineNanos) {
    AtomicBoolean told = new AtomicBoolean();
    Sent once =
        (nodeId, reply) -> {
          if (told.compareAndSet(false, true)) {
            replied(batch, nodeId, reply);
          }
        };
    try {
      route.send(batch.stream().map(Request::items).toList(), deadlineNanos, once);
    } catch (RuntimeException e) {
      log.error("partition={} a batch could not be sent: report this as a bug", partition, e);
      once.replied(Optional.empty(), new BatchReply.Unknown("internal error, see the node's log"));
    }
  }

  private static long latest(long one, long other) {
    return one - other > 0 ? one : other;
  }

  private static BatchReply noLeader() {
    return new BatchReply.Refused(BatchReply.Reason.NOT_LEADER, Optional.empty());
  }

  private void replied(List<Request<T>> batch, Optional<String> nodeId, BatchReply reply) {
    if (reply instanceof BatchReply.Done done) {
      done(batch, nodeId, done);
    } else if (reply instanceof BatchReply.Unknown unknown && writes) {
      Reply failed =
          new Reply.Failed(
              ErrorCode.UNKNOWN,
              "the write may or may not have been applied ("
                  + unknown.why()
                  + "); read the key before writing again");
      batch.forEach(request -> answer(request, failed));
      sendNext();
    } else {
      retry(batch, reply);
    }
  }

  private void done(List<Request<T>> batch, Optional<String> nodeId, BatchReply.Done done) {
    int count = done.results().size();
    if (count == 0 || count > batch.size() || (writes && count < batch.size())) {
      String why = "the leader answered " + count + " of " + batch.size() + " requests";
      replied(batch, nodeId, new BatchReply.Unknown(why));
      return;
    }
    for (int i = 0; i < count; i++) {
      answer(
          batch.get(i),
          new Reply.Done(done.results().get(i), nodeId.orElse(""), done.index(), done.term()));
    }
    synchronized (this) {
      putBack(batch.subList(count, batch.size()));
    }
    sendNext();
  }

  /** To the head of the queue, in their order. Under the lock. */
  private void putBack(List<Request<T>> requests) {
    for (int i = requests.size() - 1; i >= 0; i--) {
      queue.addFirst(requests.get(i));
      queuedBytes += requests.get(i).bytes();
    }
  }

  /** Nothing was applied: again, those whose time is not up, ahead of whatever came meanwhile. */
  private void retry(List<Request<T>> batch, BatchReply reply) {
    long now = nanoTime.getAsLong();
    List<Request<T>> late = new ArrayList<>();
    List<Request<T>> again = new ArrayList<>();
    batch.forEach(request -> (request.deadlineNanos() - now <= 0 ? late : again).add(request));
    synchronized (this) {
      putBack(again);
    }
    Reply failed = timedOut(reply);
    late.forEach(request -> answer(request, failed));
    try {
      scheduler.schedule(this::sendNext, RETRY_AFTER_MILLIS, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException stopping) {
      refuseAll(failed);
    }
  }

  /** The node is stopping: nothing that waits was sent. */
  private void refuseAll(Reply failed) {
    List<Request<T>> waiting;
    synchronized (this) {
      waiting = List.copyOf(queue);
      queue.clear();
      queuedBytes = 0;
      busy = false;
    }
    waiting.forEach(request -> answer(request, failed));
  }

  private Reply timedOut(BatchReply reply) {
    return reply instanceof BatchReply.Refused refused && refused.reason() == BatchReply.Reason.BUSY
        ? new Reply.Failed(
            ErrorCode.TRYAGAIN, "the partition's leader has too much to do; slow down and retry")
        : new Reply.Failed(
            ErrorCode.CLUSTERDOWN,
            "partition "
                + partition
                + " has no leader that can be reached; nothing was done. Look at the cluster's status and retry");
  }

  private static <T> void answer(Request<T> request, Reply reply) {
    try {
      request.done().accept(reply);
    } catch (RuntimeException e) {
      log.error("an answer could not be delivered", e);
    }
  }
}

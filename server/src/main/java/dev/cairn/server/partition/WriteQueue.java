// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.operation.EntryCodec;
import dev.cairn.server.operation.Request;
import dev.cairn.server.partition.InFlight.WaitingBatch;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * What a leader has yet to propose, and what it has under way.
 *
 * <p><b>Packing.</b> A proposal costs about the same whatever it carries, so few are in flight and
 * each takes along all that queued meanwhile. No timer waits for more: an idle partition proposes
 * at once.
 *
 * <p>Threads: any; the lock guards the fields and is never held while somebody else's code runs.
 * {@code proposing} is held while the engine takes a proposal, which does not block and answers on
 * other threads. Invariants:
 *
 * <ol>
 *   <li>Batches are proposed in the order in which they came, and only in the term in which this
 *       node was told to lead: a proposal carries that term, and the engine refuses it in any
 *       other.
 *   <li>A batch is refused only while it is in the queue. Once proposed, its fate is {@link
 *       InFlight}'s.
 *   <li>At most {@link #IN_FLIGHT_MAX} proposals are under way; at most {@link #QUEUE_BYTES_MAX}
 *       wait.
 *   <li>While paused nothing new is proposed, so that a planned move leaves no unknown outcome.
 * </ol>
 */
final class WriteQueue {
  static final int IN_FLIGHT_MAX = 2;
  static final long QUEUE_BYTES_MAX = 64L << 20;
  static final int QUEUE_REQUESTS_MAX = 65_536;
  static final long PROPOSAL_BYTES_MAX = 1L << 20;
  static final int PROPOSAL_REQUESTS_MAX = 8_192;

  /** How much longer a write may take for each byte: a second for 4 MiB. */
  static final long TIMEOUT_NANOS_PER_BYTE = TimeUnit.SECONDS.toNanos(1) / (4 << 20);

  private final PartitionClock clock;
  private final LongSupplier nanoTime;
  private final long proposalTimeoutNanos;
  private final Engine engine;
  private final PartitionMetrics metrics;
  private final Runnable drained;
  private final Object lock = new Object();
  private final Object proposing = new Object(); // taken before lock, never while holding it
  private final ArrayDeque<WaitingBatch> queue = new ArrayDeque<>(); // guarded by lock
  private final Set<InFlight> inFlight = new LinkedHashSet<>(); // guarded by lock
  private long queuedBytes; // guarded by lock
  private int queuedRequests; // guarded by lock
  private boolean paused; // guarded by lock
  private volatile boolean noRoom;
  private volatile long leadingTerm; // 0 while not leading; written under lock

  /** Takes proposals, as {@link dev.cairn.server.raft.RaftGroup#propose} does. */
  interface Engine {
    /** Proposes an entry in a term, and in no other. */
    void propose(byte[] entry, long term, InFlight proposal);
  }

  /**
   * Creates the queue of a replica that does not lead.
   *
   * @param drained told when the last proposal in flight has ended while paused
   */
  WriteQueue(
      PartitionClock clock,
      LongSupplier nanoTime,
      long proposalTimeoutNanos,
      Engine engine,
      PartitionMetrics metrics,
      Runnable drained) {
    this.clock = clock;
    this.nanoTime = nanoTime;
    this.proposalTimeoutNanos = proposalTimeoutNanos;
    this.engine = engine;
    this.metrics = metrics;
    this.drained = drained;
  }

  /** Whether this node leads and accepts writes. */
  boolean leads() {
    return leadingTerm != 0;
  }

  /** The term in which this node leads; 0 while it does not. */
  long leadingTerm() {
    return leadingTerm;
  }

  /** Partition time by this leader's clock, which the next entry carries or a later one. */
  long nowMillis() {
    synchronized (lock) {
      return clock.nowMillis();
    }
  }

  /** Accepts batches from now on; {@link #proposeNext} proposes them. */
  void start(long term, long loggedPartitionTimeMillis) {
    synchronized (lock) {
      leadingTerm = term;
      paused = false;
      clock.start(Math.max(loggedPartitionTimeMillis, 0));
    }
  }

  /** Refuses all that waits, and whatever comes. */
  void stop() {
    List<WaitingBatch> refused;
    synchronized (lock) {
      leadingTerm = 0;
      refused = List.copyOf(queue);
      queue.clear();
      queuedBytes = 0;
      queuedRequests = 0;
    }
    BatchReply reply = BatchReply.Refused.notLeader();
    refused.forEach(batch -> batch.answer(reply));
  }

  /** How many requests wait to be proposed. */
  int queuedRequests() {
    synchronized (lock) {
      return queuedRequests;
    }
  }

  /** Their bytes. */
  long queuedBytes() {
    synchronized (lock) {
      return queuedBytes;
    }
  }

  /**
   * Proposes nothing until {@link #resume} or {@link #start}; batches still queue.
   *
   * @return whether nothing is in flight; else {@code drained} is told later
   */
  boolean pause() {
    synchronized (lock) {
      paused = true;
      return inFlight.isEmpty();
    }
  }

  /** Ends {@link #pause}; {@link #proposeNext} proposes what has queued. */
  void resume() {
    synchronized (lock) {
      paused = false;
    }
  }

  /**
   * Applies requests, each atomically, in order.
   *
   * @param deadlineNanos until when the batch may wait in the queue, by the monotonic clock
   * @param done called exactly once, by any thread
   */
  void write(List<Request> requests, long deadlineNanos, Consumer<BatchReply> done) {
    long bytes = bytesOf(requests);
    Optional<BatchReply.Reason> refusal = Optional.empty();
    synchronized (lock) {
      if (leadingTerm == 0) {
        refusal = Optional.of(BatchReply.Reason.NOT_LEADER);
      } else if (noRoom && grows(requests)) {
        refusal = Optional.of(BatchReply.Reason.NO_ROOM);
      } else if (!queue.isEmpty()
          && (queuedBytes + bytes > QUEUE_BYTES_MAX
              || queuedRequests + requests.size() > QUEUE_REQUESTS_MAX)) {
        refusal = Optional.of(BatchReply.Reason.BUSY);
      } else {
        queue.add(new WaitingBatch(requests, bytes, deadlineNanos, done));
        queuedBytes += bytes;
        queuedRequests += requests.size();
      }
    }
    if (refusal.isPresent()) {
      done.accept(new BatchReply.Refused(refusal.get(), Optional.empty()));
    } else {
      proposeNext();
    }
  }

  private static boolean grows(List<Request> requests) {
    return requests.stream().anyMatch(Request::grows);
  }

  /** Refuses batches that need room on disk, from now on or no more. */
  void refuseGrowth(boolean refuse) {
    noRoom = refuse;
  }

  private static long bytesOf(List<Request> requests) {
    return requests.stream().mapToLong(EntryCodec::sizeOf).sum();
  }

  /**
   * Proposes what waits, as long as there is room in flight; one thread at a time, which keeps the
   * order.
   */
  void proposeNext() {
    synchronized (proposing) {
      proposeWaiting();
    }
  }

  private void proposeWaiting() {
    while (true) {
      InFlight next;
      long term;
      List<Request> requests = new ArrayList<>();
      long partitionTimeMillis;
      synchronized (lock) {
        term = leadingTerm;
        if (term == 0 || queue.isEmpty() || inFlight.size() >= IN_FLIGHT_MAX || paused) {
          return;
        }
        if (!clock.known()) {
          return; // expire() tries again
        }
        List<WaitingBatch> batches = takeBatches();
        batches.forEach(batch -> requests.addAll(batch.requests()));
        partitionTimeMillis = clock.nowMillis();
        long now = nanoTime.getAsLong();
        next = new InFlight(batches, now, now + timeoutNanos(batches), this::ended);
        inFlight.add(next);
      }
      byte[] entry = EntryCodec.encode(new EntryCodec.Entry(partitionTimeMillis, requests));
      metrics.bytes().record(entry.length);
      metrics.operations().record(operations(requests));
      engine.propose(entry, term, next);
    }
  }

  private static int operations(List<Request> requests) {
    int operations = 0;
    for (Request request : requests) {
      operations += request.operations().size();
    }
    return operations;
  }

  /** Large values take the network and three disks a while. */
  private long timeoutNanos(List<WaitingBatch> batches) {
    long bytes = batches.stream().mapToLong(WaitingBatch::bytes).sum();
    return proposalTimeoutNanos + bytes * TIMEOUT_NANOS_PER_BYTE;
  }

  /** As many batches as one proposal may carry, at least one. */
  private List<WaitingBatch> takeBatches() {
    List<WaitingBatch> batches = new ArrayList<>();
    long bytes = 0;
    int requests = 0;
    while (!queue.isEmpty()) {
      WaitingBatch batch = queue.peek();
      boolean full =
          bytes + batch.bytes() > PROPOSAL_BYTES_MAX
              || requests + batch.requests().size() > PROPOSAL_REQUESTS_MAX;
      if (full && !batches.isEmpty()) {
        break;
      }
      batches.add(queue.remove());
      bytes += batch.bytes();
      requests += batch.requests().size();
      queuedBytes -= batch.bytes();
      queuedRequests -= batch.requests().size();
    }
    return batches;
  }

  private void ended(InFlight proposal, InFlight.End end) {
    Metrics.Latency latency =
        switch (end) {
          case APPLIED -> metrics.applied();
          case REFUSED -> metrics.refused();
          case UNKNOWN -> metrics.unknown();
        };
    latency.record(nanoTime.getAsLong() - proposal.begunNanos());
    boolean last;
    synchronized (lock) {
      inFlight.remove(proposal);
      last = paused && inFlight.isEmpty();
    }
    if (last) {
      drained.run();
    } else {
      proposeNext();
    }
  }

  /**
   * Gives up on what has waited too long, and proposes what waited for the time to be known. Called
   * a few times a second.
   */
  void expire(long nowNanos) {
    List<InFlight> old;
    List<WaitingBatch> late = new ArrayList<>();
    boolean busy;
    synchronized (lock) {
      old = List.copyOf(inFlight);
      queue.removeIf(batch -> nowNanos - batch.deadlineNanos() >= 0 && late.add(batch));
      for (WaitingBatch batch : late) {
        queuedBytes -= batch.bytes();
        queuedRequests -= batch.requests().size();
      }
      busy = late.isEmpty() || clock.known();
    }
    old.forEach(proposal -> proposal.expire(nowNanos));
    BatchReply refused =
        new BatchReply.Refused(
            busy ? BatchReply.Reason.BUSY : BatchReply.Reason.NOT_READY, Optional.empty());
    late.forEach(batch -> batch.answer(refused));
    proposeNext();
  }

  /** The group has ended: what is left is unknown. */
  void abandon() {
    List<InFlight> rest;
    synchronized (lock) {
      rest = List.copyOf(inFlight);
    }
    rest.forEach(proposal -> proposal.unknown("the node is stopping"));
  }
}

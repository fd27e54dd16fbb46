// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.partition.InFlight.WaitingBatch;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.raft.RaftGroup;
import dev.cairn.server.storage.PartitionFolder;
import dev.cairn.server.storage.PartitionStore;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The full replica of one partition on this node: the leader's queue, and the way to its state
 * machine.
 *
 * <p><b>Packing.</b> A proposal costs about the same whatever it carries, so few are in flight and
 * each takes along all that queued meanwhile. No timer waits for more: an idle partition proposes
 * at once.
 *
 * <p><b>Reads.</b> One ReadIndex serves all reads that waited when it began. A read that arrives
 * later waits for the next one, since the first may already have been answered by the other voters.
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
 *   <li>While leadership is being handed over nothing new is proposed, so that a planned move
 *       leaves no unknown outcome.
 * </ol>
 */
final class PartitionGroup implements AutoCloseable {
  static final int IN_FLIGHT_MAX = 2;
  static final long QUEUE_BYTES_MAX = 64L << 20;
  static final int QUEUE_REQUESTS_MAX = 65_536;
  static final long PROPOSAL_BYTES_MAX = 1L << 20;
  static final int PROPOSAL_REQUESTS_MAX = 8_192;
  static final long READ_REPLY_BYTES_MAX = 8L << 20;

  /** How much longer a write may take for each byte: a second for 4 MiB. */
  static final long TIMEOUT_NANOS_PER_BYTE = TimeUnit.SECONDS.toNanos(1) / (4 << 20);

  private static final long HAND_OVER_WITHIN_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final Logger log = LoggerFactory.getLogger(PartitionGroup.class);

  private final int index;
  private final PartitionFolder folder;
  private final PartitionClock clock;
  private final LongSupplier nanoTime;
  private final long proposalTimeoutNanos;
  private final Executor readers;
  private final BooleanSupplier votersInTransition; // by the log on disk
  private final Object lock = new Object();
  private final Object proposing = new Object(); // taken before lock, never while holding it
  private final ArrayDeque<WaitingBatch> queue = new ArrayDeque<>(); // guarded by lock
  private final Set<InFlight> inFlight = new LinkedHashSet<>(); // guarded by lock
  private long queuedBytes; // guarded by lock
  private int queuedRequests; // guarded by lock
  private List<WaitingRead> waitingReads = new ArrayList<>(); // guarded by lock
  private boolean readIndexUnderWay; // guarded by lock
  private boolean changingVoters; // guarded by lock
  private Optional<Peer> handingOverTo = Optional.empty(); // guarded by lock
  private long handOverSinceNanos; // guarded by lock
  private volatile long leadingTerm; // 0 while not leading; written under lock
  private volatile RaftGroup raft;

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

  PartitionGroup(
      int index,
      PartitionFolder folder,
      PartitionClock clock,
      LongSupplier nanoTime,
      long proposalTimeoutMillis,
      Executor readers,
      BooleanSupplier votersInTransition) {
    this.index = index;
    this.folder = folder;
    this.clock = clock;
    this.nanoTime = nanoTime;
    this.proposalTimeoutNanos = TimeUnit.MILLISECONDS.toNanos(proposalTimeoutMillis);
    this.readers = readers;
    this.votersInTransition = votersInTransition;
  }

  void opened(RaftGroup group) {
    raft = group;
  }

  RaftGroup raft() {
    return raft;
  }

  boolean leads() {
    return leadingTerm != 0;
  }

  /** Told by the state machine's thread: this node leads, and has applied all of earlier terms. */
  void leaderStarted(long term, long loggedPartitionTimeMillis) {
    synchronized (lock) {
      leadingTerm = term;
      handingOverTo = Optional.empty();
      clock.start(Math.max(loggedPartitionTimeMillis, 0));
    }
    proposeNext();
  }

  /** Told by the state machine's thread: this node leads no more, or is handing over. */
  void leaderStopped() {
    List<WaitingBatch> refused;
    synchronized (lock) {
      leadingTerm = 0;
      refused = takeQueue();
    }
    BatchReply reply = notLeader();
    refused.forEach(batch -> batch.answer(reply));
  }

  private List<WaitingBatch> takeQueue() {
    List<WaitingBatch> taken = List.copyOf(queue);
    queue.clear();
    queuedBytes = 0;
    queuedRequests = 0;
    return taken;
  }

  private BatchReply notLeader() {
    return new BatchReply.Refused(BatchReply.Reason.NOT_LEADER, Optional.empty());
  }

  /**
   * Applies requests, each atomically, in order.
   *
   * @param deadlineNanos until when the batch may wait in the queue, by the monotonic clock
   * @param done called exactly once, by any thread
   */
  void write(List<List<Operation>> requests, long deadlineNanos, Consumer<BatchReply> done) {
    long bytes = bytesOf(requests);
    Optional<BatchReply.Reason> refusal = Optional.empty();
    synchronized (lock) {
      if (leadingTerm == 0) {
        refusal = Optional.of(BatchReply.Reason.NOT_LEADER);
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

  private static long bytesOf(List<List<Operation>> requests) {
    long bytes = 0;
    for (List<Operation> operations : requests) {
      for (Operation operation : operations) {
        bytes += 16 + operation.key().length;
        if (operation instanceof Operation.Put put) {
          bytes += put.value().length;
        }
      }
    }
    return bytes;
  }

  /**
   * Proposes what waits, as long as there is room in flight; one thread at a time, which keeps the
   * order.
   */
  private void proposeNext() {
    synchronized (proposing) {
      proposeWaiting();
    }
  }

  private void proposeWaiting() {
    while (true) {
      InFlight next;
      long term;
      List<EntryCodec.Request> requests = new ArrayList<>();
      long partitionTimeMillis;
      synchronized (lock) {
        term = leadingTerm;
        if (term == 0
            || queue.isEmpty()
            || inFlight.size() >= IN_FLIGHT_MAX
            || handingOverTo.isPresent()) {
          return;
        }
        List<WaitingBatch> batches = takeBatches();
        batches.forEach(
            batch ->
                batch
                    .requests()
                    .forEach(
                        operations ->
                            requests.add(new EntryCodec.Request(Optional.empty(), operations))));
        partitionTimeMillis = clock.nowMillis();
        next = new InFlight(batches, nanoTime.getAsLong() + timeoutNanos(batches), this::ended);
        inFlight.add(next);
      }
      raft.propose(
          EntryCodec.encode(new EntryCodec.Entry(partitionTimeMillis, requests)), term, next);
    }
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

  private void ended(InFlight proposal) {
    boolean handOver;
    synchronized (lock) {
      inFlight.remove(proposal);
      handOver = handingOverTo.isPresent() && inFlight.isEmpty();
    }
    if (handOver) {
      handOverNow();
    } else {
      proposeNext();
    }
  }

  /**
   * Answers reads, linearizably. Where the answers would be more than {@link
   * #READ_REPLY_BYTES_MAX}, only the first requests are answered: {@link BatchReply.Done} has fewer
   * results, at least one.
   *
   * @param done called exactly once, by any thread
   */
  void read(List<List<Query>> requests, long deadlineNanos, Consumer<BatchReply> done) {
    if (leadingTerm == 0) {
      done.accept(notLeader());
      return;
    }
    synchronized (lock) {
      waitingReads.add(new WaitingRead(requests, deadlineNanos, done));
    }
    readNext();
  }

  private void readNext() {
    List<WaitingRead> reads;
    boolean behindProposal;
    synchronized (lock) {
      if (readIndexUnderWay || waitingReads.isEmpty()) {
        return;
      }
      readIndexUnderWay = true;
      reads = waitingReads;
      waitingReads = new ArrayList<>();
      behindProposal = votersChange();
    }
    if (behindProposal) {
      // The engine's ReadIndex asks the new voters only; until the change is over the old ones
      // might elect another leader.
      write(
          List.of(),
          nanoTime.getAsLong() + proposalTimeoutNanos,
          reply -> confirmed(reads, reply instanceof BatchReply.Done));
    } else {
      // A change that began after the look above voids the answer.
      raft.readIndex(failure -> confirmed(reads, failure.isEmpty() && !votersChange()));
    }
  }

  private boolean votersChange() {
    synchronized (lock) {
      return changingVoters || votersInTransition.getAsBoolean();
    }
  }

  private void confirmed(List<WaitingRead> reads, boolean linearizable) {
    synchronized (lock) {
      readIndexUnderWay = false;
    }
    if (linearizable) {
      answerLater(reads);
    } else {
      refuse(reads);
    }
    readNext();
  }

  /**
   * Changes who votes, if this node leads and the voters differ. One change at a time.
   *
   * @param wanted the voters to be
   */
  void reconcileVoters(Set<Peer> wanted) {
    Optional<Set<Peer>> voters = raft.voters();
    synchronized (lock) {
      if (leadingTerm == 0
          || changingVoters
          || handingOverTo.isPresent()
          || voters.isEmpty()
          || voters.get().equals(wanted)) {
        return;
      }
      changingVoters = true;
    }
    log.info("partition={} voters change from {} to {}", index, voters.get(), wanted);
    raft.changeVoters(
        wanted,
        List.of(),
        failure -> {
          synchronized (lock) {
            changingVoters = false;
          }
          log.info(
              "partition={} voters {}",
              index,
              failure.map(why -> "did not change: " + why).orElse("changed"));
        });
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
            leads() ? BatchReply.Reason.NOT_READY : BatchReply.Reason.NOT_LEADER, Optional.empty());
    reads.forEach(read -> read.answer(refused));
  }

  private void answer(List<WaitingRead> reads) {
    for (WaitingRead read : reads) {
      BatchReply reply;
      try {
        reply = folder.read(store -> new BatchReply.Done(results(store, read.requests()), 0, 0));
      } catch (RuntimeException e) {
        log.error("partition={} a read failed", index, e);
        reply = new BatchReply.Refused(BatchReply.Reason.NOT_READY, Optional.empty());
      }
      read.answer(reply);
    }
  }

  /** Of the first requests, as many as fit in {@link #READ_REPLY_BYTES_MAX}, at least of one. */
  private static List<List<Result>> results(PartitionStore store, List<List<Query>> requests) {
    List<List<Result>> results = new ArrayList<>(requests.size());
    long bytes = 0;
    for (List<Query> queries : requests) {
      List<Result> ofRequest = new ArrayList<>(queries.size());
      for (Query query : queries) {
        Result result = PartitionStateMachine.answer(store, query);
        ofRequest.add(result);
        bytes += result instanceof Result.Bytes value ? value.value().length : 16;
      }
      results.add(ofRequest);
      if (bytes >= READ_REPLY_BYTES_MAX) {
        break;
      }
    }
    return results;
  }

  /** Gives up on what has waited too long. Called a few times a second. */
  void expire() {
    long now = nanoTime.getAsLong();
    List<InFlight> old;
    List<WaitingBatch> late = new ArrayList<>();
    boolean resume;
    synchronized (lock) {
      old = List.copyOf(inFlight);
      while (!queue.isEmpty() && now - queue.peek().deadlineNanos() >= 0) {
        WaitingBatch batch = queue.remove();
        queuedBytes -= batch.bytes();
        queuedRequests -= batch.requests().size();
        late.add(batch);
      }
      resume = handingOverTo.isPresent() && now - handOverSinceNanos > HAND_OVER_WITHIN_NANOS;
      if (resume) {
        handingOverTo = Optional.empty();
      }
    }
    old.forEach(proposal -> proposal.expire(now));
    BatchReply refused = new BatchReply.Refused(BatchReply.Reason.BUSY, Optional.empty());
    late.forEach(batch -> batch.answer(refused));
    if (resume) {
      proposeNext();
    }
  }

  /**
   * Hands leadership to another replica, once what is in flight has ended. Does nothing when not
   * leading.
   */
  void handOver(Peer target) {
    boolean now;
    synchronized (lock) {
      if (leadingTerm == 0 || handingOverTo.isPresent() || changingVoters) {
        return;
      }
      handingOverTo = Optional.of(target);
      handOverSinceNanos = nanoTime.getAsLong();
      now = inFlight.isEmpty();
    }
    if (now) {
      handOverNow();
    }
  }

  private void handOverNow() {
    Optional<Peer> target;
    synchronized (lock) {
      target = handingOverTo;
    }
    if (target.isEmpty()) {
      return;
    }
    Optional<String> refusal = raft.transferLeadership(target.get());
    log.info(
        "partition={} hands leadership to {}{}",
        index,
        target.get(),
        refusal.map(why -> ": refused, " + why).orElse(""));
    if (refusal.isPresent()) {
      synchronized (lock) {
        handingOverTo = Optional.empty();
      }
      proposeNext();
    }
  }

  /**
   * What this replica says of itself. The engine's own entries (a new term, a configuration) move
   * its applied index and not the row; when all of the row is on disk, they are as good as on disk
   * too. The applied index is read first, so that what it covers is in the row that is read after
   * it.
   */
  NodeReport.PartitionReport report(int incarnation, long durableLogIndex, long logBytes) {
    RaftGroup engine = raft;
    long engineApplied = engine == null ? 0 : engine.appliedIndex();
    return folder.read(
        store -> {
          long row = store.applied().index();
          long durable = store.durableIndex();
          return new NodeReport.PartitionReport(
              index,
              incarnation,
              leads() ? NodeReport.Status.LEADS : NodeReport.Status.FOLLOWS,
              engine == null ? 0 : engine.term(),
              Math.max(row, engineApplied),
              durable == row ? Math.max(durable, engineApplied) : durable,
              durableLogIndex,
              logBytes);
        });
  }

  /** Puts on disk what was applied. May take as long as the disk does. */
  void flush() {
    folder.read(
        store ->
            store.durableIndex() < store.applied().index() ? store.flush() : store.durableIndex());
  }

  @Override
  public void close() {
    leaderStopped();
    if (raft != null) {
      raft.close();
    }
    List<InFlight> rest;
    List<WaitingRead> reads;
    synchronized (lock) {
      rest = List.copyOf(inFlight);
      reads = waitingReads;
      waitingReads = new ArrayList<>();
    }
    rest.forEach(proposal -> proposal.unknown("the node is stopping"));
    reads.forEach(read -> read.answer(notLeader()));
    folder.close();
  }
}

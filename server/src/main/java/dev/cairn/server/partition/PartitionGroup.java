// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Request;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.raft.RaftGroup;
import dev.cairn.state.Applied;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The full replica of one partition on this node, as a member of its Raft group: leads when told
 * to, serves while it leads, and hands leadership on. Writes are {@link WriteQueue}'s, reads {@link
 * ReadQueue}'s.
 *
 * <p>Threads: any; the lock guards the fields and is never held while somebody else's code runs. It
 * is taken before the queues' own locks, never while holding one.
 */
final class PartitionGroup implements AutoCloseable {
  /** How many keys one entry removes whose time is up. */
  static final int SWEEP_KEYS_MAX = 1_000;

  private static final long HAND_OVER_WITHIN_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final Logger log = LoggerFactory.getLogger(PartitionGroup.class);

  private final int index;
  private final ReplicaState state;
  private final LongSupplier nanoTime;
  private final long proposalTimeoutNanos;
  private final BooleanSupplier votersInTransition; // by the log on disk
  private final WriteQueue writes;
  private final ReadQueue reads;
  private final OwnReads ownReads;
  private final Object lock = new Object();
  private final Executor readers;
  private final AtomicBoolean sweeping = new AtomicBoolean();
  private boolean changingVoters; // guarded by lock
  private Optional<Peer> handingOverTo = Optional.empty(); // guarded by lock
  private long handOverSinceNanos; // guarded by lock
  private volatile RaftGroup raft;

  PartitionGroup(
      int index,
      ReplicaState state,
      PartitionClock clock,
      LongSupplier nanoTime,
      long proposalTimeoutMillis,
      Executor readers,
      PartitionMetrics metrics,
      OwnReads ownReads,
      BooleanSupplier votersInTransition) {
    this.index = index;
    this.state = state;
    this.nanoTime = nanoTime;
    this.proposalTimeoutNanos = TimeUnit.MILLISECONDS.toNanos(proposalTimeoutMillis);
    this.readers = readers;
    this.votersInTransition = votersInTransition;
    this.writes =
        new WriteQueue(
            clock,
            nanoTime,
            proposalTimeoutNanos,
            (entry, term, proposal) -> raft.propose(entry, term, proposal),
            metrics,
            this::handOverNow);
    this.ownReads = ownReads;
    this.reads =
        new ReadQueue(
            index,
            readers,
            nanoTime,
            writes::leads,
            this::confirm,
            this::logTime,
            requests -> state.answer(requests, writes.nowMillis(), 0, metrics.keys()),
            requests -> state.answerFromMemory(requests, writes.nowMillis(), metrics.keys()));
  }

  void opened(RaftGroup group) {
    raft = group;
  }

  RaftGroup raft() {
    return raft;
  }

  boolean leads() {
    return writes.leads();
  }

  /** Told as {@link FullReplica} is: this node leads, and has applied all of earlier terms. */
  void leaderStarted(long term, long loggedPartitionTimeMillis) {
    synchronized (lock) {
      handingOverTo = Optional.empty();
      writes.start(term, loggedPartitionTimeMillis);
    }
    writes.proposeNext();
  }

  /** Told as {@link FullReplica} is: this node leads no more, or is handing over. */
  void leaderStopped() {
    writes.stop();
  }

  /** As {@link WriteQueue#write}. */
  void write(List<Request> requests, long deadlineNanos, Consumer<BatchReply> done) {
    writes.write(requests, deadlineNanos, done);
  }

  /** As {@link ReadQueue#read}. */
  void read(List<List<Query>> requests, long deadlineNanos, Consumer<BatchReply> done) {
    reads.read(requests, deadlineNanos, done);
  }

  /** Reads of this replica's own state. */
  OwnReads ownReads() {
    return ownReads;
  }

  /** Makes sure that this node leads still, and has applied all that was acknowledged. */
  private void confirm(Consumer<Boolean> done) {
    // While voters change, the old ones or the new ones might elect another leader; and a change
    // that began after the look voids the answer.
    if (votersChange()) {
      logTime(done);
      return;
    }
    raft.confirmLeadership(
        writes.leadingTerm(), failure -> done.accept(failure.isEmpty() && !votersChange()));
  }

  /** Logs what time it is, and whatever waits besides; tells whether that was applied. */
  private void logTime(Consumer<Boolean> done) {
    writes.write(
        List.of(),
        nanoTime.getAsLong() + proposalTimeoutNanos,
        reply -> done.accept(reply instanceof BatchReply.Done));
  }

  private boolean votersChange() {
    synchronized (lock) {
      return changingVoters || votersInTransition.getAsBoolean();
    }
  }

  /**
   * Changes who votes, if this node leads and the voters differ. One change at a time.
   *
   * @param wanted the voters to be
   */
  void reconcileVoters(Set<Peer> wanted) {
    Optional<Set<Peer>> voters = raft.voters();
    synchronized (lock) {
      if (!leads()
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

  /**
   * Removes keys whose time is up, if there are any: one entry at a time, with at most {@link
   * #SWEEP_KEYS_MAX} of them. Called a few times a second, which bounds what it costs others.
   */
  void sweep() {
    if (leads() && state.mayExpire(writes.nowMillis()) && sweeping.compareAndSet(false, true)) {
      try {
        readers.execute(this::sweepNow); // the index may have to be read from disk
      } catch (RejectedExecutionException stopping) {
        sweeping.set(false);
      }
    }
  }

  private void sweepNow() {
    boolean proposed = false;
    try {
      long nowMillis = writes.nowMillis();
      proposed = leads() && state.anyExpires(nowMillis);
      if (proposed) {
        writes.write(
            List.of(new Request(Optional.empty(), List.of(new Operation.Sweep(SWEEP_KEYS_MAX)))),
            nanoTime.getAsLong() + proposalTimeoutNanos,
            reply -> sweeping.set(false));
      }
    } finally {
      if (!proposed) {
        sweeping.set(false);
      }
    }
  }

  /** As the leader, refuses writes that need room on disk, from now on or no more. */
  void refuseGrowth(boolean refuse) {
    writes.refuseGrowth(refuse);
  }

  /** Gives up on what has waited too long. Called a few times a second. */
  void expire() {
    long now = nanoTime.getAsLong();
    writes.expire(now);
    reads.expire(now);
    boolean resume;
    synchronized (lock) {
      resume = handingOverTo.isPresent() && now - handOverSinceNanos > HAND_OVER_WITHIN_NANOS;
      if (resume) {
        handingOverTo = Optional.empty();
        writes.resume();
      }
    }
    if (resume) {
      writes.proposeNext();
    }
  }

  /**
   * Hands leadership to another replica, once what is in flight has ended.
   *
   * @return false when that is not begun: this replica does not lead, is handing over already, or
   *     its voters are changing
   */
  boolean handOver(Peer target) {
    boolean now;
    synchronized (lock) {
      if (!leads() || handingOverTo.isPresent() || changingVoters) {
        return false;
      }
      handingOverTo = Optional.of(target);
      handOverSinceNanos = nanoTime.getAsLong();
      now = writes.pause();
    }
    if (now) {
      handOverNow();
    }
    return true;
  }

  private void handOverNow() {
    Optional<Peer> target;
    synchronized (lock) {
      target = handingOverTo;
    }
    if (target.isEmpty()) {
      return;
    }
    log.info("partition={} hands leadership to {}", index, target.get());
    raft.transferLeadership(target.get());
  }

  /** What this replica says of itself. */
  NodeReport.PartitionReport report(
      int incarnation, long durableLogIndex, long logBytes, boolean votersChange) {
    RaftGroup engine = raft;
    long durable = state.durableIndex(); // first: it is not ahead of what is applied
    return new NodeReport.PartitionReport(
        index,
        incarnation,
        leads() ? NodeReport.Status.LEADS : NodeReport.Status.FOLLOWS,
        engine == null ? 0 : engine.term(),
        state.applied().index(),
        durable,
        durableLogIndex,
        logBytes,
        votersChange);
  }

  /** What this replica holds and has yet to do. */
  PartitionFigures figures(long lastLogIndex, long logBytes) {
    Applied applied = state.applied();
    return new PartitionFigures(
        index,
        leads(),
        false,
        applied.keys(),
        state.folder().approximateBytes() + state.heldBytes(),
        state.folder().diskBytes(),
        logBytes,
        applied.index(),
        Math.max(0, lastLogIndex - applied.index()),
        writes.queuedRequests(),
        writes.queuedBytes());
  }

  /** The index up to which reads see everything. */
  long appliedIndex() {
    return state.applied().index();
  }

  /**
   * Whether a peer votes, by the configuration that this replica's data has. Data learns of the
   * voters from a snapshot or a change of them, so a new partition's knows none.
   */
  boolean dataNamesVoter(Peer peer) {
    return state.voters().contains(peer.toString());
  }

  /** Puts on disk what was applied. May take as long as the disk does. */
  void flush() {
    state.flush();
  }

  @Override
  public void close() {
    leaderStopped();
    if (raft != null) {
      raft.close();
    }
    writes.abandon();
    reads.close();
    state.close();
  }
}

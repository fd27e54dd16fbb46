// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.cluster.PeerMessageKind;
import dev.cairn.server.peer.Answer;
import dev.cairn.server.raft.NodeLog;
import dev.cairn.server.raft.RaftEngine;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Waits until a replica, on this node or another, has a log entry on disk, or has applied it.
 * Changes nothing. A node that cannot be reached is asked again until the time is up.
 *
 * <p>Threads: any.
 */
final class ReplicaWatch {
  private static final int FORMAT = 1;
  private static final long LOOK_EVERY_MILLIS = 2;
  private static final long ASK_AGAIN_MILLIS = 50;

  private final String selfId;
  private final RaftEngine engine;
  private final ScheduledExecutorService scheduler;
  private final LongSupplier nanoTime;
  private final Map<Integer, HeldReplica> held;
  private final Supplier<ClusterState> current;

  /**
   * What is waited for.
   *
   * @param index an index that was committed
   * @param term its term, for an entry that is to be on disk; 0 for one that is to be applied
   */
  record Wanted(int partition, long index, long term) {
    boolean applied() {
      return term == 0;
    }
  }

  ReplicaWatch(
      String selfId,
      RaftEngine engine,
      ScheduledExecutorService scheduler,
      LongSupplier nanoTime,
      Map<Integer, HeldReplica> held,
      Supplier<ClusterState> current) {
    this.selfId = selfId;
    this.engine = engine;
    this.scheduler = scheduler;
    this.nanoTime = nanoTime;
    this.held = held;
    this.current = current;
    engine.transport().handle(PeerMessageKind.AWAIT_LOG, this::answer);
  }

  /**
   * Waits for a node's replica.
   *
   * @param deadlineNanos until when, by the monotonic clock
   * @param done called once: whether it had what is wanted, in time
   */
  void await(String nodeId, Wanted wanted, long deadlineNanos, Consumer<Boolean> done) {
    if (nodeId.equals(selfId)) {
      awaitOwn(wanted, deadlineNanos, done);
    } else {
      ask(nodeId, wanted, deadlineNanos, done);
    }
  }

  private void ask(String nodeId, Wanted wanted, long deadlineNanos, Consumer<Boolean> done) {
    ClusterState state = current.get();
    Optional<Member> member = state == null ? Optional.empty() : state.member(nodeId);
    long timeoutMillis = TimeUnit.NANOSECONDS.toMillis(deadlineNanos - nanoTime.getAsLong());
    if (member.isEmpty() || timeoutMillis <= 0) {
      done.accept(false);
      return;
    }
    ByteBuffer message = ByteBuffer.allocate(1 + 4 + 8 + 8 + 8);
    message.put((byte) FORMAT).putInt(wanted.partition()).putLong(wanted.index());
    message.putLong(wanted.term()).putLong(timeoutMillis);
    engine
        .transport()
        .send(
            nodeId,
            PeerMessageKind.AWAIT_LOG,
            wanted.partition(),
            message.array(),
            timeoutMillis,
            answer -> {
              if (answer instanceof Answer.Received received) {
                done.accept(received.body().length == 1 && received.body()[0] == 1);
              } else {
                later(ASK_AGAIN_MILLIS, () -> ask(nodeId, wanted, deadlineNanos, done), done);
              }
            });
  }

  private void answer(byte[] body, Consumer<byte[]> answer) {
    ByteBuffer message = ByteBuffer.wrap(body);
    if (message.get() != FORMAT) {
      throw new IllegalArgumentException("await-log message of an unknown format");
    }
    Wanted wanted = new Wanted(message.getInt(), message.getLong(), message.getLong());
    awaitOwn(
        wanted,
        nanoTime.getAsLong() + TimeUnit.MILLISECONDS.toNanos(message.getLong()),
        reached -> answer.accept(new byte[] {(byte) (reached ? 1 : 0)}));
  }

  private void awaitOwn(Wanted wanted, long deadlineNanos, Consumer<Boolean> done) {
    BooleanSupplier reached = () -> wanted.applied() ? applied(wanted) : onDisk(wanted);
    if (reached.getAsBoolean()) {
      done.accept(true);
    } else if (nanoTime.getAsLong() - deadlineNanos >= 0) {
      done.accept(false);
    } else {
      later(LOOK_EVERY_MILLIS, () -> awaitOwn(wanted, deadlineNanos, done), done);
    }
  }

  private boolean applied(Wanted wanted) {
    HeldReplica entry = held.get(wanted.partition());
    PartitionGroup group = entry == null ? null : entry.group;
    return group != null && group.appliedIndex() >= wanted.index();
  }

  private boolean onDisk(Wanted wanted) {
    ClusterState state = current.get();
    String group = state == null ? "" : state.groupOf(wanted.partition());
    NodeLog nodeLog = engine.log();
    return nodeLog.lastIndex(group) >= wanted.index()
        && (wanted.index() < nodeLog.firstIndex(group)
            || nodeLog.termAt(group, wanted.index()).orElse(-1) == wanted.term());
  }

  private void later(long millis, Runnable look, Consumer<Boolean> done) {
    try {
      scheduler.schedule(look, millis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException stopping) {
      done.accept(false);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.cluster.PeerMessageKind;
import dev.cairn.server.raft.PeerTransport;
import dev.cairn.server.raft.RaftEngine;
import dev.cairn.server.raft.SharedLog;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Waits until a node, this one or another, has a log entry on disk. Changes nothing.
 *
 * <p>Threads: any.
 */
final class LogWatch {
  private static final int FORMAT = 1;
  private static final long LOOK_EVERY_MILLIS = 2;

  private final String selfId;
  private final RaftEngine engine;
  private final ScheduledExecutorService scheduler;
  private final LongSupplier nanoTime;
  private final Supplier<ClusterState> current;

  LogWatch(
      String selfId,
      RaftEngine engine,
      ScheduledExecutorService scheduler,
      LongSupplier nanoTime,
      Supplier<ClusterState> current) {
    this.selfId = selfId;
    this.engine = engine;
    this.scheduler = scheduler;
    this.nanoTime = nanoTime;
    this.current = current;
    engine.transport().handle(PeerMessageKind.AWAIT_LOG, this::answerAwaitLog);
  }

  /**
   * Waits until a node has a log entry of a partition on disk.
   *
   * @param done called once: whether it had, in time
   */
  void awaitLog(
      String nodeId,
      int partition,
      long index,
      long term,
      long timeoutMillis,
      Consumer<Boolean> done) {
    if (nodeId.equals(selfId)) {
      awaitOwnLog(partition, index, term, nanoTime.getAsLong() + timeoutMillis * 1_000_000, done);
      return;
    }
    Optional<Member> member =
        current.get() == null ? Optional.empty() : current.get().member(nodeId);
    if (member.isEmpty()) {
      done.accept(false);
      return;
    }
    ByteBuffer message = ByteBuffer.allocate(1 + 4 + 8 + 8 + 8);
    message
        .put((byte) FORMAT)
        .putInt(partition)
        .putLong(index)
        .putLong(term)
        .putLong(timeoutMillis);
    engine
        .transport()
        .send(
            member.get().peerHost(),
            member.get().peerPort(),
            PeerMessageKind.AWAIT_LOG,
            message.array(),
            timeoutMillis,
            answer ->
                done.accept(
                    answer instanceof PeerTransport.Answer.Received received
                        && received.body().length == 1
                        && received.body()[0] == 1));
  }

  private void answerAwaitLog(byte[] body, Consumer<byte[]> answer) {
    ByteBuffer message = ByteBuffer.wrap(body);
    if (message.get() != FORMAT) {
      throw new IllegalArgumentException("await-log message of an unknown format");
    }
    awaitOwnLog(
        message.getInt(),
        message.getLong(),
        message.getLong(),
        nanoTime.getAsLong() + message.getLong() * 1_000_000,
        durable -> answer.accept(new byte[] {(byte) (durable ? 1 : 0)}));
  }

  private void awaitOwnLog(
      int partition, long index, long term, long deadlineNanos, Consumer<Boolean> done) {
    String group = current.get() == null ? "" : current.get().groupOf(partition);
    SharedLog sharedLog = engine.sharedLog();
    boolean reached = sharedLog.lastIndex(group) >= index;
    if (reached
        && (index < sharedLog.firstIndex(group)
            || sharedLog.termAt(group, index).orElse(-1) == term)) {
      done.accept(true);
    } else if (nanoTime.getAsLong() - deadlineNanos >= 0) {
      done.accept(false);
    } else {
      scheduler.schedule(
          () -> awaitOwnLog(partition, index, term, deadlineNanos, done),
          LOOK_EVERY_MILLIS,
          TimeUnit.MILLISECONDS);
    }
  }
}

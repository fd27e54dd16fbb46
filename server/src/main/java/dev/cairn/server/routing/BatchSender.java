// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.cluster.PeerMessageKind;
import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Request;
import dev.cairn.server.partition.BatchReply;
import dev.cairn.server.partition.ForwardCodec;
import dev.cairn.server.partition.ForwardCodec.Forwarded;
import dev.cairn.server.peer.Answer;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Sends a lane's batch to whoever leads its partition just now: to this node's own group, or as a
 * message to the leader's node. Takes the batches that other nodes send here.
 *
 * <p>A message that never left this process is a certain failure; one that may have arrived is not.
 *
 * <p>Threads: any.
 */
final class BatchSender {
  /** A peer's patience is taken as it says, up to this. */
  private static final long FORWARDED_NANOS_MAX = TimeUnit.MINUTES.toNanos(1);

  private final LocalNode node;
  private final LongSupplier nanoTime;
  private final Supplier<ClusterState> cluster;
  private final Metrics.Count forwardedWrites;
  private final Metrics.Count forwardedReads;

  /**
   * Takes other nodes' batches from now on.
   *
   * @param cluster the cluster; null until this node belongs to one
   */
  BatchSender(
      LocalNode node, LongSupplier nanoTime, Supplier<ClusterState> cluster, Metrics metrics) {
    this.node = node;
    this.nanoTime = nanoTime;
    this.cluster = cluster;
    this.forwardedWrites = metrics.counter(Metric.FORWARDED, "write");
    this.forwardedReads = metrics.counter(Metric.FORWARDED, "read");
    node.transport().handle(PeerMessageKind.WRITE, this::handleWrites);
    node.transport().handle(PeerMessageKind.READ, this::handleReads);
  }

  /** Sends writes; {@code done} is told once, on any thread. */
  void sendWrites(int partition, List<Request> requests, long deadlineNanos, Lane.Sent done) {
    Optional<String> leader = node.partitions().leaderId(partition);
    if (leader.isEmpty()) {
      done.replied(leader, BatchReply.Refused.notLeader());
    } else if (leader.get().equals(node.id())) {
      node.partitions()
          .write(partition, requests, deadlineNanos, reply -> done.replied(leader, reply));
    } else {
      forwardedWrites.add(requests.size());
      forward(
          leader.get(),
          PeerMessageKind.WRITE,
          partition,
          ForwardCodec.encodeWrites(
              new Forwarded<>(partition, millisUntil(deadlineNanos), requests)),
          deadlineNanos,
          done);
    }
  }

  /** As {@link #sendWrites}, of reads. */
  void sendReads(int partition, List<List<Query>> requests, long deadlineNanos, Lane.Sent done) {
    Optional<String> leader = node.partitions().leaderId(partition);
    if (leader.isEmpty()) {
      done.replied(leader, BatchReply.Refused.notLeader());
    } else if (leader.get().equals(node.id())) {
      node.partitions()
          .read(partition, requests, deadlineNanos, reply -> done.replied(leader, reply));
    } else {
      forwardedReads.add(requests.size());
      forward(
          leader.get(),
          PeerMessageKind.READ,
          partition,
          ForwardCodec.encodeReads(
              new Forwarded<>(partition, millisUntil(deadlineNanos), requests)),
          deadlineNanos,
          done);
    }
  }

  private int millisUntil(long deadlineNanos) {
    return (int) Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadlineNanos - nanoTime.getAsLong()));
  }

  private void forward(
      String leaderId, byte kind, int partition, byte[] body, long deadlineNanos, Lane.Sent done) {
    Optional<Member> member = cluster.get().member(leaderId);
    if (member.isEmpty()) {
      done.replied(Optional.empty(), BatchReply.Refused.notLeader());
      return;
    }
    node.transport()
        .send(
            leaderId,
            kind,
            partition,
            body,
            millisUntil(deadlineNanos),
            answer -> done.replied(Optional.of(leaderId), replyOf(answer)));
  }

  /** What an answer of a peer says of a batch. */
  static BatchReply replyOf(Answer answer) {
    if (answer instanceof Answer.Received received) {
      try {
        return ForwardCodec.decodeReply(received.body());
      } catch (IOException e) {
        return new BatchReply.Unknown("the leader's answer cannot be read: " + e.getMessage());
      }
    }
    if (answer instanceof Answer.Lost lost) {
      return new BatchReply.Unknown("the leader gave no answer: " + lost.reason());
    }
    return BatchReply.Refused.notLeader();
  }

  private void handleWrites(byte[] body, Consumer<byte[]> answer) {
    try {
      Forwarded<Request> forwarded = ForwardCodec.decodeWrites(body);
      node.partitions()
          .write(
              forwarded.partition(),
              forwarded.requests(),
              deadline(forwarded.timeoutMillis()),
              reply -> answer.accept(ForwardCodec.encodeReply(reply)));
    } catch (IOException e) {
      throw new IllegalArgumentException("forwarded writes: " + e.getMessage(), e);
    }
  }

  private void handleReads(byte[] body, Consumer<byte[]> answer) {
    try {
      Forwarded<List<Query>> forwarded = ForwardCodec.decodeReads(body);
      node.partitions()
          .read(
              forwarded.partition(),
              forwarded.requests(),
              deadline(forwarded.timeoutMillis()),
              reply -> answer.accept(ForwardCodec.encodeReply(reply)));
    } catch (IOException e) {
      throw new IllegalArgumentException("forwarded reads: " + e.getMessage(), e);
    }
  }

  private long deadline(int timeoutMillis) {
    long timeout = Math.min(TimeUnit.MILLISECONDS.toNanos(timeoutMillis), FORWARDED_NANOS_MAX);
    return nanoTime.getAsLong() + Math.max(0, timeout);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.cluster.PeerMessageKind;
import dev.cairn.server.cluster.Placement;
import dev.cairn.server.cluster.Replica;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Reply;
import dev.cairn.server.partition.BatchReply;
import dev.cairn.server.partition.ForwardCodec;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * What the consistency levels ONE and ALL ask for beyond QUORUM, which the lanes give.
 *
 * <p>ALL is QUORUM, and then a wait until every full replica has the write on disk, or has applied
 * what was read. The wait is for nobody else: it is behind the lane. ONE goes past the lanes: to
 * this node's own replica, or else to another's, until one answers.
 *
 * <p>Threads: any.
 */
final class ConsistencyLevels {
  /** The most that one node may take for a read of level ONE before the next is asked. */
  private static final long ATTEMPT_MILLIS_MAX = 500;

  private final LocalNode node;
  private final LongSupplier nanoTime;
  private final Supplier<ClusterState> current;

  ConsistencyLevels(LocalNode node, LongSupplier nanoTime, Supplier<ClusterState> current) {
    this.node = node;
    this.nanoTime = nanoTime;
    this.current = current;
    node.transport().handle(PeerMessageKind.READ_OWN, this::handleReads);
  }

  /** The nodes whose full replica is down, has stopped or is not there yet, by name. */
  List<String> missing(int partition) {
    ClusterState cluster = current.get();
    return cluster.partitions().get(partition).replicas().stream()
        .filter(replica -> !serves(replica, partition))
        .map(replica -> name(cluster, replica.nodeId()))
        .toList();
  }

  private boolean serves(Replica replica, int partition) {
    if (replica.nodeId().equals(node.id())) {
      return node.partitions().servesOwn(partition);
    }
    return node.membership().isUp(replica.nodeId())
        && node.membership()
            .report(replica, partition)
            .filter(
                report ->
                    report.status() == NodeReport.Status.FOLLOWS
                        || report.status() == NodeReport.Status.LEADS)
            .isPresent();
  }

  private static String name(ClusterState cluster, String nodeId) {
    return cluster.member(nodeId).map(Member::name).orElse(nodeId);
  }

  /**
   * Who is to be told what the lane answers to a write of level ALL; empty when the write was
   * refused at once.
   */
  Optional<Consumer<Reply>> write(int partition, long deadlineNanos, Consumer<Reply> done) {
    return unlessMissing(
        partition,
        done,
        write ->
            awaitAll(
                partition,
                (nodeId, answer) ->
                    node.partitions()
                        .awaitLog(
                            nodeId, partition, write.index(), write.term(), deadlineNanos, answer),
                missing -> done.accept(missing.isEmpty() ? write : notAll(partition, missing))));
  }

  /** As {@link #write}, for a read. */
  Optional<Consumer<Reply>> read(int partition, long deadlineNanos, Consumer<Reply> done) {
    return unlessMissing(
        partition,
        done,
        read ->
            awaitAll(
                partition,
                (nodeId, answer) ->
                    node.partitions()
                        .awaitApplied(nodeId, partition, read.index(), deadlineNanos, answer),
                missing ->
                    done.accept(missing.isEmpty() ? read : Router.noReplicas(partition, missing))));
  }

  private Optional<Consumer<Reply>> unlessMissing(
      int partition, Consumer<Reply> done, Consumer<Reply.Done> then) {
    List<String> missing = missing(partition);
    if (!missing.isEmpty()) {
      done.accept(Router.noReplicas(partition, missing));
      return Optional.empty();
    }
    return Optional.of(
        reply -> {
          if (reply instanceof Reply.Done carriedOut) {
            then.accept(carriedOut);
          } else {
            done.accept(reply);
          }
        });
  }

  private static Reply notAll(int partition, List<String> missing) {
    return new Reply.Failed(
        ErrorCode.NOTALL,
        "the write was applied and is on disk on a majority, but not yet on "
            + String.join(" and ", missing)
            + " of partition "
            + partition
            + "; do not write again, it will follow");
  }

  private interface Ask {
    void ask(String nodeId, Consumer<Boolean> answer);
  }

  /** Asks every full replica, and names those that were not there in time. */
  private void awaitAll(int partition, Ask ask, Consumer<List<String>> done) {
    ClusterState cluster = current.get();
    List<Replica> replicas = cluster.partitions().get(partition).replicas();
    List<String> missing = Collections.synchronizedList(new ArrayList<>());
    AtomicInteger waiting = new AtomicInteger(replicas.size());
    for (Replica replica : replicas) {
      ask.ask(
          replica.nodeId(),
          reached -> {
            if (!reached) {
              missing.add(name(cluster, replica.nodeId()));
            }
            if (waiting.decrementAndGet() == 0) {
              done.accept(missing.stream().sorted().toList());
            }
          });
    }
  }

  /** A read of level ONE: this node's own replica first, then those of others that are up. */
  void readOne(int partition, List<Query> queries, long deadlineNanos, Consumer<Reply> done) {
    Placement placement = current.get().partitions().get(partition);
    Queue<String> candidates = new ArrayDeque<>();
    if (node.partitions().servesOwn(partition)) {
      candidates.add(node.id());
    }
    for (Replica replica : placement.replicas()) {
      if (!replica.nodeId().equals(node.id()) && serves(replica, partition)) {
        candidates.add(replica.nodeId());
      }
    }
    askNext(partition, queries, candidates, deadlineNanos, done);
  }

  private void askNext(
      int partition,
      List<Query> queries,
      Queue<String> candidates,
      long deadlineNanos,
      Consumer<Reply> done) {
    long millis = TimeUnit.NANOSECONDS.toMillis(deadlineNanos - nanoTime.getAsLong());
    String nodeId = candidates.poll();
    if (nodeId == null || millis <= 0) {
      done.accept(
          new Reply.Failed(
              ErrorCode.CLUSTERDOWN,
              "no replica of partition "
                  + partition
                  + " can be reached; nothing was done. Look at the cluster's status and retry"));
      return;
    }
    Consumer<BatchReply> then =
        reply -> {
          if (reply instanceof BatchReply.Done read && read.results().size() == 1) {
            done.accept(
                Reply.of(
                    new Reply.Done(
                        read.results().get(0),
                        nodeId,
                        read.index(),
                        read.term(),
                        read.ageMillis())));
          } else {
            askNext(partition, queries, candidates, deadlineNanos, done);
          }
        };
    if (nodeId.equals(node.id())) {
      node.partitions().readOwn(partition, List.of(queries), then);
    } else {
      forward(nodeId, partition, queries, Math.min(millis, ATTEMPT_MILLIS_MAX), then);
    }
  }

  private void forward(
      String nodeId,
      int partition,
      List<Query> queries,
      long timeoutMillis,
      Consumer<BatchReply> then) {
    Optional<Member> member = current.get().member(nodeId);
    if (member.isEmpty()) {
      then.accept(new BatchReply.Refused(BatchReply.Reason.NOT_READY, Optional.empty()));
      return;
    }
    node.transport()
        .send(
            nodeId,
            PeerMessageKind.READ_OWN,
            partition,
            ForwardCodec.encodeReads(
                new ForwardCodec.Forwarded<>(partition, (int) timeoutMillis, List.of(queries))),
            timeoutMillis,
            answer -> then.accept(BatchSender.replyOf(answer)));
  }

  private void handleReads(byte[] body, Consumer<byte[]> answer) {
    try {
      ForwardCodec.Forwarded<List<Query>> forwarded = ForwardCodec.decodeReads(body);
      node.partitions()
          .readOwn(
              forwarded.partition(),
              forwarded.requests(),
              reply -> answer.accept(ForwardCodec.encodeReply(reply)));
    } catch (IOException e) {
      throw new IllegalArgumentException("forwarded reads: " + e.getMessage(), e);
    }
  }
}

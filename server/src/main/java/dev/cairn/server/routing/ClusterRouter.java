// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.Topology;
import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.cluster.Placement;
import dev.cairn.server.cluster.Replica;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.operation.OperationCodec;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Reply;
import dev.cairn.server.operation.Request;
import dev.cairn.server.partition.Partitions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The router of a node that is part of a cluster: finds a request's deadline and its lane. There
 * are two {@link Lane}s for each partition, one for writes and one for reads; {@link BatchSender}
 * sends what they pack to this node's own group or to the leader's node. Reads may always be sent
 * again.
 */
public final class ClusterRouter implements Router, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ClusterRouter.class);
  private final LocalNode node;
  private final ScheduledExecutorService scheduler;
  private final LongSupplier nanoTime;
  private final long timeoutNanos;
  private final ClusterStatus status;
  private final CurrentTopology topology;
  private final BatchSender sender;
  private final ConsistencyLevels levels;
  private final ForeignCursors cursors;
  private final NodeDocuments documents;
  private final ReplyMemory replies = new ReplyMemory(Runtime.getRuntime().maxMemory() / 8);
  private volatile State state = new State(null, List.of(), List.of());

  /** A cluster state and the lanes of its partitions; replaced as a whole. */
  private record State(
      ClusterState cluster, List<Lane<Request>> writeLanes, List<Lane<List<Query>>> readLanes) {}

  /**
   * Creates the router of a node that belongs to no cluster yet.
   *
   * @param timeoutMillis until when a request must be answered
   * @param ownDocuments what this node tells of itself, JSON
   */
  public ClusterRouter(
      LocalNode node,
      ScheduledExecutorService scheduler,
      LongSupplier nanoTime,
      long timeoutMillis,
      ClusterStatus status,
      Function<NodeDocuments.Topic, byte[]> ownDocuments,
      Metrics metrics) {
    this.node = node;
    this.scheduler = scheduler;
    this.nanoTime = nanoTime;
    this.timeoutNanos = TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    this.status = status;
    this.topology = new CurrentTopology(node, nanoTime);
    this.sender = new BatchSender(node, nanoTime, () -> state.cluster(), metrics);
    this.levels = new ConsistencyLevels(node, nanoTime, () -> state.cluster());
    this.cursors =
        new ForeignCursors(
            node.id(),
            new ScanCursors(new SecureRandom()::nextLong),
            node.transport(),
            () -> state.cluster());
    this.documents =
        new NodeDocuments(
            node.id(), node.membership(), node.transport(), () -> state.cluster(), ownDocuments);
    scheduler.scheduleWithFixedDelay(
        this::refreshStatus,
        ClusterStatus.LOOK_EVERY_MILLIS,
        ClusterStatus.LOOK_EVERY_MILLIS,
        TimeUnit.MILLISECONDS);
  }

  private void refreshStatus() {
    try {
      status.look(state.cluster(), node.partitions()::leaderId);
    } catch (RuntimeException bug) {
      log.error("the cluster's health could not be looked at; trying again", bug);
    }
  }

  /** Takes on a new state of the cluster. */
  public synchronized void follow(ClusterState next) {
    List<Lane<Request>> writeLanes = new ArrayList<>(state.writeLanes());
    List<Lane<List<Query>>> readLanes = new ArrayList<>(state.readLanes());
    for (int index = writeLanes.size(); index < next.partitions().size(); index++) {
      int partition = index;
      writeLanes.add(
          new Lane<>(
              partition,
              true,
              request -> request.id().isPresent(),
              (requests, deadline, done) -> sender.sendWrites(partition, requests, deadline, done),
              scheduler,
              nanoTime,
              () -> false,
              () -> node.partitions().leaderId(partition).isPresent()));
      readLanes.add(
          new Lane<>(
              partition,
              false,
              queries -> true,
              (requests, deadline, done) -> sender.sendReads(partition, requests, deadline, done),
              scheduler,
              nanoTime,
              replies::full,
              () -> node.partitions().leaderId(partition).isPresent()));
    }
    state = new State(next, List.copyOf(writeLanes), List.copyOf(readLanes));
  }

  /** How many requests of one kind wait on their way to their leaders, and their bytes. */
  public Lane.Depth queued(boolean writes) {
    State known = state;
    Lane.Depth depth = new Lane.Depth(0, 0);
    for (Lane<?> lane : writes ? known.writeLanes() : known.readLanes()) {
      depth = depth.plus(lane.depth());
    }
    return depth;
  }

  @Override
  public ReplyMemory replies() {
    return replies;
  }

  @Override
  public String nodeId() {
    return node.id();
  }

  @Override
  public boolean leads(int partition) {
    return node.partitions().leads(partition);
  }

  @Override
  public Topology topology() {
    return topology.of(state.cluster());
  }

  @Override
  public OptionalInt partitionOfSlot(int slot) {
    return topology.partitionOfSlot(state.cluster(), slot);
  }

  @Override
  public void write(int partition, Request request, Consistency level, Consumer<Reply> done) {
    List<Lane<Request>> lanes = state.writeLanes();
    if (partition >= lanes.size()) {
      done.accept(noCluster());
      return;
    }
    long bytes = OperationCodec.sizeOf(request.operations()) + 32L * request.operations().size();
    long deadlineNanos =
        nanoTime.getAsLong() + timeoutNanos + bytes * Partitions.TIMEOUT_NANOS_PER_BYTE;
    Lane<Request> lane = lanes.get(partition);
    if (level == Consistency.ALL) {
      levels
          .write(partition, deadlineNanos, done)
          .ifPresent(then -> lane.submit(request, bytes, deadlineNanos, then));
    } else {
      lane.submit(request, bytes, deadlineNanos, done);
    }
  }

  @Override
  public void read(int partition, List<Query> queries, Consistency level, Consumer<Reply> done) {
    List<Lane<List<Query>>> lanes = state.readLanes();
    if (partition >= lanes.size()) {
      done.accept(noCluster());
      return;
    }
    long bytes = 64L * queries.size();
    long deadlineNanos = nanoTime.getAsLong() + timeoutNanos;
    Lane<List<Query>> lane = lanes.get(partition);
    switch (level) {
      case QUORUM -> lane.submit(queries, bytes, deadlineNanos, done);
      case ALL ->
          levels
              .read(partition, deadlineNanos, done)
              .ifPresent(then -> lane.submit(queries, bytes, deadlineNanos, then));
      case ONE -> {
        if (replies.full()) {
          done.accept(Lane.tooManyUnread());
        } else {
          levels.readOne(partition, queries, deadlineNanos, done);
        }
      }
    }
  }

  @Override
  public boolean servesOwn(int partition) {
    return node.partitions().servesOwn(partition);
  }

  @Override
  public OptionalLong clusterTimeMillis() {
    return node.membership().clusterTimeMillis();
  }

  @Override
  public List<String> missingReplicas(int partition) {
    return levels.missing(partition);
  }

  private static Reply noCluster() {
    return new Reply.Failed(
        ErrorCode.CLUSTERDOWN,
        "the cluster has not formed yet; start the other nodes, the log says for whom this one waits");
  }

  @Override
  public void awaitReplicas(
      int partition, Reply.Done write, long timeoutMillis, Consumer<List<ReplicaState>> done) {
    ClusterState cluster = state.cluster();
    Placement placement = cluster.partitions().get(partition);
    List<String> nodeIds = new ArrayList<>();
    nodeIds.add(write.nodeId());
    for (Replica replica : placement.replicas()) {
      if (!replica.nodeId().equals(write.nodeId()) && node.membership().isUp(replica.nodeId())) {
        nodeIds.add(replica.nodeId());
      }
    }
    long deadlineNanos = nanoTime.getAsLong() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    AtomicReferenceArray<ReplicaState> states = new AtomicReferenceArray<>(nodeIds.size());
    AtomicInteger missing = new AtomicInteger(nodeIds.size());
    for (int i = 0; i < nodeIds.size(); i++) {
      int position = i;
      node.partitions()
          .awaitLog(
              nodeIds.get(i),
              partition,
              write.index(),
              write.term(),
              deadlineNanos,
              durable -> {
                states.set(position, new ReplicaState(nodeIds.get(position), durable));
                if (missing.decrementAndGet() == 0) {
                  List<ReplicaState> all = new ArrayList<>(nodeIds.size());
                  for (int j = 0; j < nodeIds.size(); j++) {
                    all.add(states.get(j));
                  }
                  done.accept(all);
                }
              });
    }
  }

  /** Answers what waits; the node is stopping. */
  @Override
  public void close() {
    state.writeLanes().forEach(Lane::close);
    state.readLanes().forEach(Lane::close);
  }

  @Override
  public long cursor(long before, ScanPosition position) {
    return cursors.cursor(before, position);
  }

  @Override
  public void position(long cursor, Consumer<ScanPosition> done) {
    cursors.position(cursor, done);
  }

  @Override
  public void ask(NodeDocuments.Topic topic, Consumer<Map<String, byte[]>> done) {
    documents.ask(topic, done);
  }

  @Override
  public Map<String, NodeReport.Figures> figures() {
    return status.figures(state.cluster());
  }

  @Override
  public void status(Consumer<String> done) {
    done.accept(status.document(state.cluster(), node.partitions()::leaderId));
  }
}

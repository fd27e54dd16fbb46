// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.Topology;
import dev.cairn.server.cluster.Announced;
import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.cluster.Membership;
import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.cluster.PeerMessageKind;
import dev.cairn.server.cluster.Placement;
import dev.cairn.server.cluster.Replica;
import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.operation.OperationCodec;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Reply;
import dev.cairn.server.operation.Request;
import dev.cairn.server.partition.BatchReply;
import dev.cairn.server.partition.ForwardCodec;
import dev.cairn.server.partition.ForwardCodec.Forwarded;
import dev.cairn.server.partition.Partitions;
import dev.cairn.server.peer.Answer;
import dev.cairn.server.peer.PeerTransport;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
 * The router of a node that is part of a cluster: two {@link Lane}s for each partition, one for
 * writes and one for reads, that lead to this node's own group or to the leader's peer port.
 *
 * <p>A message that never left this process is a certain failure; one that may have arrived is not.
 * Reads may always be sent again.
 */
public final class ClusterRouter implements Router, AutoCloseable {
  /** A peer's patience is taken as it says, up to this. */
  private static final long FORWARDED_NANOS_MAX = TimeUnit.MINUTES.toNanos(1);

  private static final long TOPOLOGY_FOR_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private static final Logger log = LoggerFactory.getLogger(ClusterRouter.class);
  private final String selfId;
  private final Partitions partitions;
  private final Membership membership;
  private final PeerTransport transport;
  private final ScheduledExecutorService scheduler;
  private final LongSupplier nanoTime;
  private final long timeoutNanos;
  private final ClusterStatus status;
  private final Metrics.Count forwardedWrites;
  private final Metrics.Count forwardedReads;
  private final Levels levels;
  private final ForeignCursors cursors;
  private final NodeDocuments documents;
  private final ReplyMemory replies = new ReplyMemory(Runtime.getRuntime().maxMemory() / 8);
  private volatile Drawn drawn;
  private volatile State state = new State(null, List.of(), List.of());

  /** A topology, and the state and time that it was drawn from. */
  private record Drawn(ClusterState of, long atNanos, Topology topology) {}

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
      String selfId,
      Partitions partitions,
      Membership membership,
      PeerTransport transport,
      ScheduledExecutorService scheduler,
      LongSupplier nanoTime,
      long timeoutMillis,
      ClusterStatus status,
      Function<NodeDocuments.Topic, byte[]> ownDocuments,
      Metrics metrics) {
    this.selfId = selfId;
    this.partitions = partitions;
    this.membership = membership;
    this.transport = transport;
    this.scheduler = scheduler;
    this.nanoTime = nanoTime;
    this.timeoutNanos = TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    this.status = status;
    this.forwardedWrites = metrics.counter(Metric.FORWARDED, "write");
    this.forwardedReads = metrics.counter(Metric.FORWARDED, "read");
    this.levels =
        new Levels(selfId, partitions, membership, transport, nanoTime, () -> state.cluster());
    this.cursors =
        new ForeignCursors(
            selfId,
            new ScanCursors(new SecureRandom()::nextLong),
            transport,
            () -> state.cluster());
    this.documents =
        new NodeDocuments(selfId, membership, transport, () -> state.cluster(), ownDocuments);
    transport.handle(PeerMessageKind.WRITE, this::handleWrites);
    transport.handle(PeerMessageKind.READ, this::handleReads);
    scheduler.scheduleWithFixedDelay(
        this::look,
        ClusterStatus.LOOK_EVERY_MILLIS,
        ClusterStatus.LOOK_EVERY_MILLIS,
        TimeUnit.MILLISECONDS);
  }

  private void look() {
    try {
      status.look(state.cluster(), partitions::leaderId);
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
              (requests, deadline, done) -> sendWrites(partition, requests, deadline, done),
              scheduler,
              nanoTime,
              () -> false,
              () -> partitions.leaderId(partition).isPresent()));
      readLanes.add(
          new Lane<>(
              partition,
              false,
              queries -> true,
              (requests, deadline, done) -> sendReads(partition, requests, deadline, done),
              scheduler,
              nanoTime,
              replies::full,
              () -> partitions.leaderId(partition).isPresent()));
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
    return selfId;
  }

  @Override
  public boolean leads(int partition) {
    return partitions.leads(partition);
  }

  /** At most {@link #TOPOLOGY_FOR_NANOS} old: clients may ask for it with every command. */
  @Override
  @SuppressWarnings("ReferenceEquality") // a state never changes; comparing two costs a drawing
  public Topology topology() {
    Drawn drawn = this.drawn;
    long now = nanoTime.getAsLong();
    ClusterState cluster = state.cluster();
    if (drawn == null || drawn.of() != cluster || now - drawn.atNanos() > TOPOLOGY_FOR_NANOS) {
      drawn = new Drawn(cluster, now, draw(cluster));
      this.drawn = drawn;
    }
    return drawn.topology();
  }

  /** By the last drawing of the present state, however old: which slots are whose is in that. */
  @Override
  @SuppressWarnings("ReferenceEquality") // as above
  public OptionalInt partitionOfSlot(int slot) {
    Drawn drawn = this.drawn;
    boolean present = drawn != null && drawn.of() == state.cluster();
    return (present ? drawn.topology() : topology()).indexOfSlot(slot);
  }

  private Topology draw(ClusterState cluster) {
    if (cluster == null) {
      return Topology.NONE;
    }
    List<Topology.Node> nodes = cluster.members().stream().map(this::drawNode).toList();
    List<Topology.Partition> placed =
        cluster.partitions().stream()
            .map(
                placement ->
                    new Topology.Partition(
                        placement.index(),
                        placement.firstSlot(),
                        placement.lastSlot(),
                        placement.replicas().stream().map(Replica::nodeId).toList(),
                        Optional.ofNullable(placement.witness()).map(Replica::nodeId),
                        partitions.leaderId(placement.index())))
            .toList();
    return new Topology(cluster.clusterId(), cluster.epoch(), nodes, placed);
  }

  private Topology.Node drawNode(Member member) {
    Announced announced = membership.announced(member);
    return new Topology.Node(
        member.id(),
        announced.host(),
        announced.clientPort(),
        announced.clusterPort(),
        membership.isUp(member.id()));
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
    levels
        .write(partition, level, deadlineNanos, done)
        .ifPresent(then -> lanes.get(partition).submit(request, bytes, deadlineNanos, then));
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
    if (level == Consistency.ONE && replies.full()) {
      done.accept(Lane.tooManyUnread());
    } else if (level == Consistency.ONE) {
      levels.readOne(partition, queries, deadlineNanos, done);
    } else {
      levels
          .read(partition, level, deadlineNanos, done)
          .ifPresent(then -> lanes.get(partition).submit(queries, bytes, deadlineNanos, then));
    }
  }

  @Override
  public boolean servesOwn(int partition) {
    return partitions.servesOwn(partition);
  }

  @Override
  public OptionalLong clusterTimeMillis() {
    return membership.clusterTimeMillis();
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

  private void sendWrites(
      int partition, List<Request> requests, long deadlineNanos, Lane.Sent done) {
    Optional<String> leader = partitions.leaderId(partition);
    if (leader.isEmpty()) {
      done.replied(leader, noLeader());
    } else if (leader.get().equals(selfId)) {
      partitions.write(partition, requests, deadlineNanos, reply -> done.replied(leader, reply));
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

  private void sendReads(
      int partition, List<List<Query>> requests, long deadlineNanos, Lane.Sent done) {
    Optional<String> leader = partitions.leaderId(partition);
    if (leader.isEmpty()) {
      done.replied(leader, noLeader());
    } else if (leader.get().equals(selfId)) {
      partitions.read(partition, requests, deadlineNanos, reply -> done.replied(leader, reply));
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

  private static BatchReply noLeader() {
    return new BatchReply.Refused(BatchReply.Reason.NOT_LEADER, Optional.empty());
  }

  private int millisUntil(long deadlineNanos) {
    return (int) Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadlineNanos - nanoTime.getAsLong()));
  }

  private void forward(
      String leaderId, byte kind, int partition, byte[] body, long deadlineNanos, Lane.Sent done) {
    Optional<Member> member = state.cluster().member(leaderId);
    if (member.isEmpty()) {
      done.replied(Optional.empty(), noLeader());
      return;
    }
    transport.send(
        leaderId,
        kind,
        partition,
        body,
        millisUntil(deadlineNanos),
        answer -> done.replied(Optional.of(leaderId), replyOf(answer)));
  }

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
    return noLeader();
  }

  private void handleWrites(byte[] body, Consumer<byte[]> answer) {
    try {
      Forwarded<Request> forwarded = ForwardCodec.decodeWrites(body);
      partitions.write(
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
      partitions.read(
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

  @Override
  public void awaitReplicas(
      int partition, Reply.Done write, long timeoutMillis, Consumer<List<ReplicaState>> done) {
    ClusterState cluster = state.cluster();
    Placement placement = cluster.partitions().get(partition);
    List<String> nodeIds = new ArrayList<>();
    nodeIds.add(write.nodeId());
    for (Replica replica : placement.replicas()) {
      if (!replica.nodeId().equals(write.nodeId()) && membership.isUp(replica.nodeId())) {
        nodeIds.add(replica.nodeId());
      }
    }
    long deadlineNanos = nanoTime.getAsLong() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    AtomicReferenceArray<ReplicaState> states = new AtomicReferenceArray<>(nodeIds.size());
    AtomicInteger missing = new AtomicInteger(nodeIds.size());
    for (int i = 0; i < nodeIds.size(); i++) {
      int position = i;
      partitions.awaitLog(
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
    done.accept(status.document(state.cluster(), partitions::leaderId));
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.awaitility.Awaitility.await;

import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.Slots;
import dev.cairn.protocol.Topology;
import dev.cairn.server.FreePorts;
import dev.cairn.server.access.AccessControl;
import dev.cairn.server.access.Audit;
import dev.cairn.server.access.Users;
import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.CreationSettings;
import dev.cairn.server.cluster.Formation;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.cluster.MetaGroup;
import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.command.CommandTable;
import dev.cairn.server.command.SlowLog;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Reply;
import dev.cairn.server.operation.Request;
import dev.cairn.server.operation.Result;
import dev.cairn.server.partition.LogLimits;
import dev.cairn.server.peer.EventLoops;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.routing.Router;
import dev.cairn.server.storage.EngineConfig;
import dev.cairn.state.RequestId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.awaitility.pollinterval.FixedPollInterval;

/**
 * Three nodes in this process, below the client ports, with two copies and a witness of each
 * partition.
 */
final class RuntimeCluster implements AutoCloseable {
  static final int PARTITIONS = 6;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Path folder;
  private final LogLimits limits;
  private final Scrub.Pace pace;
  private final List<Member> members = new ArrayList<>();
  private final Set<Integer> wiped = new HashSet<>();
  private final NodeRuntime[] nodes = new NodeRuntime[3];
  private final Metrics[] metrics = new Metrics[3];
  private final AccessControl[] accesses = new AccessControl[3];
  private final List<NodeFault> faults = new CopyOnWriteArrayList<>();
  private final ClusterState[] recorded = new ClusterState[3];
  private final List<EventLoops> loops = new ArrayList<>(); // outlive restarts

  private RuntimeCluster(Path folder, LogLimits limits, Scrub.Pace pace) throws IOException {
    this.pace = pace;
    this.folder = folder;
    this.limits = limits;
    for (int i = 0; i < 3; i++) {
      loops.add(EventLoops.shared(1));
      members.add(
          new Member(
              ("" + i).repeat(40),
              "127.0.0.1:" + (5000 + i),
              "127.0.0.1",
              5000 + i,
              0,
              "127.0.0.1",
              FreePorts.next(),
              1,
              0));
    }
  }

  /** What a node measures. */
  Metrics metrics(int index) {
    return metrics[index];
  }

  static RuntimeCluster start(Path folder, LogLimits limits) throws IOException {
    return start(folder, limits, Scrub.Pace.NONE);
  }

  static RuntimeCluster start(Path folder, LogLimits limits, Scrub.Pace pace) throws IOException {
    RuntimeCluster cluster = new RuntimeCluster(folder, limits, pace);
    for (int i = 0; i < 3; i++) {
      cluster.start(i);
    }
    cluster.awaitLeaders();
    return cluster;
  }

  /** Waits with short looks, the first at once. */
  private static org.awaitility.core.ConditionFactory soon() {
    return await()
        .atMost(PATIENCE)
        .pollDelay(Duration.ZERO)
        .pollInterval(new FixedPollInterval(Duration.ofMillis(20)));
  }

  void start(int index) throws IOException {
    metrics[index] = new Metrics();
    try {
      nodes[index] = opened(index);
    } catch (StartException e) {
      throw new IOException(e);
    }
  }

  private NodeRuntime opened(int index) throws IOException, StartException {
    return NodeRuntime.start(
        new RuntimeSpec(
            new RuntimeSpec.Identity(
                members.get(index),
                "127.0.0.1",
                NodeTls.off(),
                folder(index),
                Optional.ofNullable(recorded[index]),
                state -> recorded[index] = state),
            new RuntimeSpec.Founders(
                members.stream()
                    .map(m -> new Formation.Address(m.name(), m.peerHost(), m.peerPort()))
                    .toList(),
                new CreationSettings(
                    OptionalInt.of(2), OptionalInt.of(PARTITIONS), members.size())),
            new RuntimeSpec.Bounds(EngineConfig.DEFAULT.cacheBytes(), 1_500, limits, pace),
            new RuntimeSpec.Figures(
                "test",
                metrics[index],
                new NodeStats(metrics[index], new SlowLog()),
                () -> NodeReport.Room.ENOUGH),
            access(index),
            loops.get(index),
            faults::add));
  }

  private AccessControl access(int index) throws IOException {
    accesses[index] =
        new AccessControl(
            CommandTable.catalog(),
            MetaGroup.lastKnownRights(
                MetaGroup.Kept.in(folder(index)).rights(),
                CommandTable.catalog(),
                Users.open(CommandTable.catalog())),
            Optional.empty(),
            AccessControl.Rules.NONE,
            Audit.NONE);
    return accesses[index];
  }

  /** What a node acts on. */
  AccessControl rights(int index) {
    return accesses[index];
  }

  /** A node's data folder. */
  Path folder(int index) {
    return folder.resolve((wiped.contains(index) ? "wiped" : "node") + index);
  }

  /** Whether a node votes in a partition under an incarnation, as the partition's leader says. */
  boolean votes(int partition, int index, int incarnation) {
    Peer peer = new Peer(members.get(index).id(), incarnation);
    return Arrays.stream(nodes)
        .filter(Objects::nonNull)
        .anyMatch(
            node -> node.partitions().voters(partition).stream().anyMatch(v -> v.contains(peer)));
  }

  /** What its nodes were told of their disks. */
  List<NodeFault> faults() {
    return List.copyOf(faults);
  }

  void stop(int index) {
    nodes[index].close();
    nodes[index] = null;
  }

  /** Starts a node that was stopped on an empty disk: under its name, with another id. */
  void startWiped(int index) throws IOException {
    Member old = members.get(index);
    recorded[index] = null;
    String id = old.id().replace('0', 'a').replace('1', 'b').replace('2', 'c');
    members.set(
        index,
        new Member(
            id,
            old.name(),
            old.host(),
            old.clientPort(),
            old.clusterPort(),
            old.peerHost(),
            old.peerPort(),
            1,
            0));
    wiped.add(index);
    start(index);
  }

  /** A node's loops. */
  EventLoops loops(int index) {
    return loops.get(index);
  }

  NodeRuntime node(int index) {
    return nodes[index];
  }

  @Override
  public void close() {
    for (NodeRuntime node : nodes) {
      if (node != null) {
        node.close();
      }
    }
    loops.forEach(EventLoops::close);
  }

  /** Waits until every running node sees a leader of every partition. */
  void awaitLeaders() {
    soon()
        .until(
            () -> {
              for (NodeRuntime node : nodes) {
                if (node != null && !seesLeaders(node.router().topology())) {
                  return false;
                }
              }
              return true;
            });
  }

  private static boolean seesLeaders(Topology topology) {
    return topology.partitions().size() == PARTITIONS
        && topology.partitions().stream().allMatch(p -> p.leaderId().isPresent());
  }

  /**
   * The partition whose replicas are on these two nodes, in this order, and its witness on the
   * third.
   */
  int partitionOn(int first, int second) {
    List<String> wanted = List.of(members.get(first).id(), members.get(second).id());
    return recordedTopology().partitions().stream()
        .filter(p -> p.replicaIds().equals(wanted))
        .findFirst()
        .orElseThrow()
        .index();
  }

  private Topology recordedTopology() {
    for (NodeRuntime node : nodes) {
      if (node != null) {
        return node.router().topology();
      }
    }
    throw new IllegalStateException("no node is running");
  }

  void awaitLeader(int partition, int index) {
    soon().until(() -> nodes[index].router().leads(partition));
  }

  /** A key of a partition; {@code number} tells it from others. */
  static String key(int partition, int number) {
    for (int i = 0; ; i++) {
      String key = "key" + number + "-" + i;
      int slot = Slots.of(bytes(key));
      if (slot * PARTITIONS / 16384 == partition) {
        return key;
      }
    }
  }

  Reply write(int node, String key, String value) throws Exception {
    return write(node, key, value, Consistency.QUORUM, Optional.empty());
  }

  Reply write(int node, String key, String value, Consistency level, Optional<RequestId> id)
      throws Exception {
    Router router = nodes[node].router();
    CompletableFuture<Reply> reply = new CompletableFuture<>();
    router.write(
        partitionOf(router, key),
        new Request(id, List.of(new Operation.Put(bytes(key), bytes(value)))),
        level,
        reply::complete);
    return reply.get(10, TimeUnit.SECONDS);
  }

  /** Writes until it is acknowledged. */
  void put(int node, String key, String value) {
    soon().until(() -> write(node, key, value) instanceof Reply.Done);
  }

  /** The value, empty for a missing key; a refusal is tried again. */
  Optional<String> get(int node, String key) {
    return soon().until(() -> tryGet(node, key), Objects::nonNull);
  }

  private Optional<String> tryGet(int node, String key) throws Exception {
    if (!(read(node, key, Consistency.QUORUM) instanceof Reply.Done done)) {
      return null;
    }
    return value(done);
  }

  Reply read(int node, String key, Consistency level) throws Exception {
    Router router = nodes[node].router();
    CompletableFuture<Reply> reply = new CompletableFuture<>();
    router.read(
        partitionOf(router, key), List.of(new Query.Get(bytes(key))), level, reply::complete);
    return reply.get(10, TimeUnit.SECONDS);
  }

  static Optional<String> value(Reply.Done done) {
    return done.results().get(0) instanceof Result.Bytes value
        ? Optional.of(new String(value.value(), StandardCharsets.UTF_8))
        : Optional.empty();
  }

  private static int partitionOf(Router router, String key) {
    return router.topology().partitionOfSlot(Slots.of(bytes(key))).orElseThrow().index();
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}

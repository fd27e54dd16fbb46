// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.server.access.AccessControl;
import dev.cairn.server.access.Audit;
import dev.cairn.server.access.AuditLog;
import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Formation;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.cluster.MemberAddress;
import dev.cairn.server.cluster.MetaGroup;
import dev.cairn.server.command.PortKind;
import dev.cairn.server.command.SlowLog;
import dev.cairn.server.http.HttpConfig;
import dev.cairn.server.http.HttpFront;
import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.node.NodeIdentity.FormedCluster;
import dev.cairn.server.partition.LogLimits;
import dev.cairn.server.peer.EventLoops;
import dev.cairn.server.raft.ForeignLogException;
import dev.cairn.server.resp.FrontConfig;
import dev.cairn.server.resp.RespServer;
import dev.cairn.server.routing.Router;
import dev.cairn.server.tls.TlsWatch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One running node: its folder, its identity, its parts and its client ports; stopped in reverse,
 * once it has handed over what it leads and its clients have come to a pause.
 */
public final class Node {
  /**
   * Until when a request is answered. Shorter than the clients' own patience, so that they hear the
   * certain answer.
   */
  private static final long REQUEST_TIMEOUT_MILLIS = 1_500;

  /** How long clients that are at work get to come to a pause when the node stops. */
  private static final long DRAIN_MILLIS = 500;

  private static final int SHARDS = 1;
  private static final long SCRUB_PAUSE_MILLIS = 60_000;

  private static final Logger log = LoggerFactory.getLogger(Node.class);

  private final List<Running> parts = new ArrayList<>();

  /** Something that was started and has to be stopped. */
  private record Running(String name, Stop stop) {}

  private interface Stop {
    void run() throws IOException;
  }

  private Node() {}

  /**
   * Starts a node; when this returns its ports are open and it is part of its cluster or tries to
   * be.
   *
   * @param end ends the process with a status, at once, when the node must not go on
   * @throws StartException when it cannot, and what to do
   */
  public static Node start(NodeConfig config, IntConsumer end) throws StartException, IOException {
    Node node = new Node();
    boolean started = false;
    try {
      node.startParts(config, end);
      started = true;
      return node;
    } finally {
      if (!started) {
        node.stop();
      }
    }
  }

  private void startParts(NodeConfig config, IntConsumer end) throws StartException, IOException {
    DataFolder folder = DataFolder.open(config.disk().data());
    parts.add(new Running("data folder", folder::close));
    log.info("data folder {}", folder.path());
    AuditLog audit = AuditLog.open(folder.path(), config.founding().self().name());
    parts.add(new Running("audit log", audit::close));
    AccessControl access = config.access().open(folder.path(), audit);
    parts.add(new Running("logins", access::close));
    config.protection().requireSafe(!access.users().needsNoLogin());
    NodeTls tls = NodeTls.of(config.protection(), access, audit);
    TlsWatch watch = TlsWatch.start(tls.clients(), tls.peers());
    parts.add(new Running("watch over certificates", watch::close));
    Metrics metrics = new Metrics();
    parts.add(new Running("metrics", metrics::close));
    tls.tell(metrics);
    metrics.counted(Metric.AUDIT_LOST, audit::lost);
    SlowLog slowLog = new SlowLog(config.serving().slowlogValues());
    NodeStats stats = new NodeStats(metrics, slowLog);
    DiskRoom room = DiskRoom.of(folder.path(), config.disk().freeBytesMin());
    EventLoops loops = EventLoops.shared(SHARDS);
    parts.add(new Running("event loops", loops::close));
    KeptRuntime runtime =
        KeptRuntime.start(
            config.founding().self().name(),
            onFault -> runtime(config, tls, folder, room, stats, access, loops, onFault),
            folder.path(),
            room,
            end);
    parts.add(new Running("cluster", runtime::close));
    NodeConfig.Serving serving = config.serving();
    HttpFront http =
        new HttpFront(
            new HttpConfig(
                serving.httpHosts(), serving.valueBytesMax(), serving.levels(), slowLog, access),
            runtime.router(),
            metrics,
            runtime::notReady);
    parts.add(new Running("http", http::close));
    FrontConfig.Rules rules =
        new FrontConfig.Rules(
            serving.levels(), slowLog, serving.enableShutdown(), tls.clients(), access);
    RespServer clients =
        RespServer.start(
            front(config, config.listening().port(), loops, rules),
            runtime.router(),
            PortKind.CLIENT,
            metrics,
            Optional.of(http),
            Node::endProcess);
    parts.add(new Running("client port", clients::close));
    List<RespServer> fronts = new ArrayList<>(List.of(clients));
    clusterPort(config, rules, loops, runtime.router(), metrics).ifPresent(fronts::add);
    parts.add(new Running("clients", () -> drain(fronts)));
    parts.add(new Running("leadership", runtime::handOver));
    tellPorts(config, tls);
    boolean passwords = access.users().all().stream().anyMatch(user -> !user.passwords().isEmpty());
    config.protection().inTheClear(passwords).ifPresent(log::warn);
    audit.add(started(tls.notProtected().get()));
  }

  private Optional<RespServer> clusterPort(
      NodeConfig config, FrontConfig.Rules rules, EventLoops loops, Router router, Metrics metrics)
      throws IOException {
    int port = config.listening().clusterPort();
    if (port == 0) {
      return Optional.empty();
    }
    RespServer clients =
        RespServer.start(
            front(config, port, loops, rules), router, PortKind.CLUSTER, metrics, Node::endProcess);
    parts.add(new Running("cluster port", clients::close));
    return Optional.of(clients);
  }

  private static Audit.Event started(Optional<String> notProtected) {
    String what = notProtected.map(why -> "NOT PROTECTED: " + why).orElse("protected");
    return Audit.Event.done(Audit.Kind.START, what);
  }

  private static void tellPorts(NodeConfig config, NodeTls tls) {
    log.info(
        "client port {} cluster port {} peer port {}",
        config.listening().port(),
        config.listening().clusterPort() == 0 ? "off" : config.listening().clusterPort(),
        config.listening().peerPort());
    log.info(
        "TLS for clients {} ({} certificates of theirs), for peers {}",
        tls.clients().mode().lowerName(),
        tls.clients().clients().lowerName(),
        tls.peers().mode().lowerName());
    tls.notProtected()
        .get()
        .ifPresent(
            why -> log.warn("NOT PROTECTED: {}; docs/guide/secure.md says how to mend that", why));
  }

  private static FrontConfig front(
      NodeConfig config, int port, EventLoops loops, FrontConfig.Rules rules) {
    FrontConfig.Bounds bounds = FrontConfig.Bounds.of(config.serving().valueBytesMax());
    return new FrontConfig(
        config.listening().host(), port, Release.version(), loops, bounds, rules);
  }

  /** SHUTDOWN: as a signal would, with the hook that stops the node in order. */
  @SuppressWarnings("SystemExitOutsideMain")
  private static void endProcess() {
    new Thread(() -> System.exit(0), "shutdown").start();
  }

  /** Lets clients go on until each pauses, for a moment; those that idle are cut off after it. */
  private static void drain(List<RespServer> fronts) {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DRAIN_MILLIS);
    try {
      for (Future<?> left : fronts.stream().map(RespServer::drain).toList()) {
        left.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
      }
    } catch (TimeoutException idleOnesAreLeft) {
      log.debug("connections are left that were idle", idleOnesAreLeft);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      log.warn("connections did not close", e);
    }
  }

  /**
   * Everything from the folder as it is: a node that comes back as a new one has a new identity.
   */
  private static NodeRuntime runtime(
      NodeConfig config,
      NodeTls tls,
      DataFolder folder,
      DiskRoom room,
      NodeStats stats,
      AccessControl access,
      EventLoops loops,
      Consumer<NodeFault> onFault)
      throws StartException, IOException {
    LostLog.finish(folder.path());
    NodeIdentity identity = identity(config, folder);
    log.info("node {} id {}", config.founding().self().name(), identity.nodeId());
    Optional<ClusterState> founded = identity.cluster().map(FormedCluster::state);
    if (founded.isPresent()) {
      requireSameSettings(config, founded.get());
      warnOfOtherList(config, folder.path(), founded.get());
      LostLog.forget(folder.path()); // it has been taken in since
    }
    Member self =
        new Member(
            identity.nodeId(),
            config.founding().self().name(),
            config.listening().announced().host(),
            config.listening().announced().clientPort(),
            config.listening().announced().clusterPort(),
            config.founding().self().host(),
            config.listening().peerPort(),
            MetaGroup.FIRST_INCARNATION,
            0);
    RuntimeSpec spec =
        new RuntimeSpec(
            new RuntimeSpec.Identity(
                self,
                config.listening().host(),
                tls,
                folder.path(),
                founded,
                state -> record(identity, state, folder)),
            new RuntimeSpec.Founders(
                config.founding().members().stream()
                    .map(m -> new Formation.Address(m.name(), m.host(), m.peerPort()))
                    .toList(),
                config.founding().creation()),
            new RuntimeSpec.Bounds(
                config.disk().cacheBytes(),
                REQUEST_TIMEOUT_MILLIS,
                LogLimits.DEFAULT,
                new Scrub.Pace(config.disk().scrubBytesPerSecond(), SCRUB_PAUSE_MILLIS)),
            new RuntimeSpec.Figures(Release.version(), stats.metrics(), stats, room::room),
            access,
            loops,
            onFault);
    try {
      return NodeRuntime.start(spec);
    } catch (ForeignLogException e) {
      throw new StartException(e.getMessage(), e);
    }
  }

  private static void record(NodeIdentity identity, ClusterState state, DataFolder folder) {
    try {
      identity.formed(FormedCluster.of(state)).save(folder);
      LostLog.forget(folder.path());
    } catch (IOException e) {
      throw new UncheckedIOException("the cluster that formed cannot be written down", e);
    }
  }

  /** After a cluster has formed the list is where to ask first; what differs may be a mistake. */
  private static void warnOfOtherList(NodeConfig config, Path folder, ClusterState founded)
      throws IOException {
    Set<String> given =
        new TreeSet<>(config.founding().members().stream().map(MemberAddress::name).toList());
    ClusterState last = MetaGroup.lastKnown(folder.resolve(NodeRuntime.CLUSTER), founded);
    Set<String> known = new TreeSet<>(last.members().stream().map(Member::name).toList());
    if (config.founding().membersGiven() && !given.equals(known)) {
      log.warn(
          "--cluster lists {}; this node's cluster {} had its nodes at {} when it ran last. They are asked at both",
          String.join(",", given),
          founded.clusterId(),
          String.join(",", known));
    }
  }

  /**
   * Settings that were fixed when the cluster was created cannot be changed by starting a node with
   * others.
   */
  private static void requireSameSettings(NodeConfig config, ClusterState founded)
      throws StartException {
    if (config.founding().creation().contradict(founded)) {
      throw new StartException(
          "this node's cluster was created with replication-factor=%d partitions=%d, and it was started with %s: start it with the cluster's, or without"
              .formatted(
                  founded.replicationFactor(),
                  founded.partitionCount(),
                  config.founding().creation().given()));
    }
  }

  /**
   * Stops what runs, the last started first; what was acknowledged is on disk with or without it.
   */
  public void stop() {
    for (int i = parts.size() - 1; i >= 0; i--) {
      Running part = parts.get(i);
      try {
        part.stop().run();
      } catch (IOException | RuntimeException e) {
        log.error("the {} did not stop in order", part.name(), e);
      }
    }
    parts.clear();
    log.info("stopped");
  }

  private static NodeIdentity identity(NodeConfig config, DataFolder folder)
      throws StartException, IOException {
    Optional<NodeIdentity> known = NodeIdentity.load(folder);
    boolean hasCluster = known.flatMap(NodeIdentity::cluster).isPresent();
    if (!hasCluster && config.founding().notListed().isPresent()) {
      throw new StartException(config.founding().notListed().get());
    }
    if (known.isPresent()) {
      return known.get();
    }
    NodeIdentity created = NodeIdentity.create(config.founding().self().name(), new SecureRandom());
    created.save(folder);
    return created;
  }
}

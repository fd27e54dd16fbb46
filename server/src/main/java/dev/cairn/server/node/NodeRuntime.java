// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.server.access.Audit;
import dev.cairn.server.cluster.Addresses;
import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Controller;
import dev.cairn.server.cluster.Formation;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.cluster.Membership;
import dev.cairn.server.cluster.MetaGroup;
import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.cluster.RightsLog;
import dev.cairn.server.metrics.Metric;
import dev.cairn.server.partition.Partitions;
import dev.cairn.server.peer.PeerTransport;
import dev.cairn.server.raft.LogLostException;
import dev.cairn.server.raft.NodeLog;
import dev.cairn.server.raft.RaftEngine;
import dev.cairn.server.replication.LogFolder;
import dev.cairn.server.replication.Shards;
import dev.cairn.server.replication.WrittenLog;
import dev.cairn.server.routing.ClusterRouter;
import dev.cairn.server.routing.ClusterStatus;
import dev.cairn.server.routing.LocalNode;
import dev.cairn.server.routing.NodeDocuments;
import dev.cairn.server.routing.Router;
import dev.cairn.server.storage.EngineConfig;
import dev.cairn.server.storage.StorageEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything of a node below its client ports: the log, the data, Raft, the cluster's state, the
 * partitions and the way to them. Built here by constructor, in the order in which each part needs
 * the one before; stopped in the reverse order.
 *
 * <p>What is on disk: {@code store.log/} the write-ahead log of all groups, {@code cluster.json}
 * the last known state of the cluster, {@code users.acl} its last known users, {@code partitions/}
 * the data.
 */
final class NodeRuntime implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(NodeRuntime.class);
  static final String LOG = "store.log";
  static final String CLUSTER = "cluster.json";
  static final String PARTITIONS = "partitions";
  private static final int SCHEDULER_THREADS = 2;

  /** For what the others say of this start: longer than one takes that is up. */
  private static final long TELL_START_MILLIS = 300;

  private static final long LOOK_NOTED_MILLIS = 50;
  private static final long HAND_OVER_MILLIS = 3_000;

  private final Member self;
  private final Path folder;
  private final ScheduledExecutorService scheduler;
  private final NodeLog nodeLog;
  private final StorageEngine storage;
  private final RaftEngine engine;
  private final Membership membership;
  private final Partitions partitions;
  private final ClusterRouter router;
  private final Formation formation;
  private final Scrub scrub;
  private final Introduction introduction;
  private final Addresses addresses;
  private String saidWaiting = ""; // the constructor's, then one task's after another
  private volatile List<NodeReport.PartitionReport> latest = List.of();
  private volatile MetaGroup meta; // written under this
  private RightsLog rights; // guarded by this
  private boolean stopped; // guarded by this

  /**
   * Starts the parts. Returns as soon as the peer port is open; the cluster may still have to form.
   *
   * @throws IOException when the peer port or the data folder cannot be had
   * @throws StartException when this node cannot be, such as one that runs already
   * @throws dev.cairn.server.raft.ForeignLogException when the log is of a form that this release
   *     does not read
   */
  static NodeRuntime start(RuntimeSpec spec) throws IOException, StartException {
    WrittenLog nodeLog =
        WrittenLog.open(
            spec.identity().folder().resolve(LOG),
            spec.identity().self().id(),
            fault -> spec.onFault().accept(NodeFault.of(fault)),
            spec.figures().metrics());
    StorageEngine storage = null;
    RaftEngine engine = null;
    Introduction introduction = null;
    try {
      storage =
          StorageEngine.open(
              EngineConfig.ofNode(
                  Runtime.getRuntime().maxMemory(), spec.bounds().cacheBytes(), spec.replicasMax()),
              damage -> spec.onFault().accept(NodeFault.of(damage)),
              spec.figures().metrics());
      StartNumbers starts =
          StartNumbers.begin(
              spec.identity().folder(),
              spec.identity().self().id(),
              () -> NodeIdentity.randomId(new SecureRandom()));
      engine =
          Shards.start(
              PeerTransport.listen(
                  spec.identity().bindHost(),
                  spec.identity().self().peerPort(),
                  starts.run(),
                  spec.identity().tls().peers(),
                  spec.loops()),
              nodeLog);
      Addresses addresses = new Addresses(spec.identity().self().id(), engine.transport());
      introduction =
          new Introduction(
              spec.identity().self().startedAs(starts.run().start()),
              starts,
              addresses,
              engine.transport(),
              spec.founders().listed().stream().map(Formation.Address::peerAddress).toList());
      tellOthers(introduction, nodeLog, spec);
      return new NodeRuntime(spec, nodeLog, storage, engine, introduction, addresses);
    } catch (IOException | RuntimeException | StartException e) {
      if (introduction != null) {
        introduction.close();
      }
      if (engine != null) {
        engine.close();
      }
      if (storage != null) {
        storage.close();
      }
      nodeLog.close();
      throw e;
    }
  }

  /**
   * Tells the others that this node has started, before it opens a group. A verdict that the folder
   * is an older copy is kept: another start must not find others that do not know.
   *
   * @throws LogLostException when one of them knows that it is, or the log is gone
   */
  private static void tellOthers(Introduction introduction, WrittenLog nodeLog, RuntimeSpec spec)
      throws IOException, StartException {
    introduction.answerOthers();
    if (spec.identity().founded().isPresent()) {
      nodeLog.requireGroup(spec.identity().founded().get().metaGroup());
      introduction.follow(
          MetaGroup.lastKnown(
              spec.identity().folder().resolve(CLUSTER), spec.identity().founded().get()));
      try {
        introduction.begin(TELL_START_MILLIS);
      } catch (LogLostException older) {
        LogFolder.condemn(spec.identity().folder().resolve(LOG), older.getMessage());
        throw older;
      }
    }
  }

  private NodeRuntime(
      RuntimeSpec spec,
      NodeLog nodeLog,
      StorageEngine storage,
      RaftEngine engine,
      Introduction introduction,
      Addresses addresses)
      throws IOException {
    this.introduction = introduction;
    this.addresses = addresses;
    this.self = introduction.self();
    this.folder = spec.identity().folder();
    this.nodeLog = nodeLog;
    this.storage = storage;
    this.engine = engine;
    scheduler =
        Executors.newScheduledThreadPool(
            SCHEDULER_THREADS,
            task -> {
              Thread thread = new Thread(task, "node-scheduler");
              thread.setDaemon(true);
              return thread;
            });
    membership =
        new Membership(
            self.id(), engine.transport(), scheduler, System::nanoTime, System::currentTimeMillis);
    partitions =
        new Partitions(
            self.id(),
            engine,
            storage,
            folder.resolve(PARTITIONS),
            membership,
            scheduler,
            System::nanoTime,
            spec.bounds().requestTimeoutMillis(),
            spec.bounds().logLimits(),
            spec.figures().metrics());
    formation =
        new Formation(
            self,
            spec.founders().listed(),
            spec.founders().creation(),
            () -> NodeIdentity.randomId(new SecureRandom()),
            engine.transport());
    ClusterStatus status =
        new ClusterStatus(
            self.name(),
            membership,
            this::waitingFor,
            spec.bounds().logLimits(),
            spec.identity().tls()::shown,
            System::nanoTime);
    router =
        new ClusterRouter(
            new LocalNode(self.id(), partitions, membership, engine.transport()),
            scheduler,
            System::nanoTime,
            spec.bounds().requestTimeoutMillis(),
            status,
            topic -> ownDocument(topic, spec.figures().stats()),
            spec.figures().metrics());
    new NodeGauges(
            partitions,
            membership,
            router,
            status,
            this::clusterState,
            () -> latest,
            engine.transport(),
            spec.bounds().logLimits())
        .tell(spec.figures().metrics(), folder, spec.figures().version());
    scrub = Scrub.start(spec.bounds().scrub(), nodeLog, storage);
    formation.answerOthers();
    engine.transport().complete();
    if (spec.identity().founded().isPresent()) {
      formation.formed(spec.identity().founded().get());
      introduction.keepTelling(scheduler, NodeFault.heard(spec.onFault()));
      if (introduction.hasMoved() && !introduction.isNoted()) {
        awaitNoted(spec);
      } else {
        join(spec.identity().founded().get(), spec);
      }
    } else {
      formation.form(
          scheduler,
          founded -> {
            // The marker first: once the identity names the cluster, a log without it is a lost
            // log.
            nodeLog.writeIncarnation(
                founded.metaGroup(), founded.member(self.id()).orElseThrow().incarnation());
            spec.identity().record().accept(founded);
            try {
              join(founded, spec);
            } catch (IOException e) {
              log.error("the cluster has formed and this node cannot join it", e);
            }
          });
    }
  }

  /** A node that has moved: a process with its folder may still run where it was. */
  private void awaitNoted(RuntimeSpec spec) {
    if (introduction.isNoted()) {
      try {
        join(spec.identity().founded().orElseThrow(), spec);
      } catch (IOException e) {
        log.error("this node has moved and cannot take part in its cluster", e);
      }
      return;
    }
    String waits = introduction.waitingFor();
    if (!waits.equals(saidWaiting)) {
      saidWaiting = waits;
      log.info("{}", waits);
    }
    scheduler.schedule(() -> awaitNoted(spec), LOOK_NOTED_MILLIS, TimeUnit.MILLISECONDS);
  }

  private String waitingFor() {
    return introduction.hasMovedUnnoticed() ? introduction.waitingFor() : formation.waitingFor();
  }

  private synchronized void join(ClusterState founded, RuntimeSpec spec) throws IOException {
    if (stopped) {
      return;
    }
    formation.formed(founded);
    log.info(
        "node={} belongs to cluster {} of {} nodes",
        self.name(),
        founded.clusterId(),
        founded.members().size());
    ClusterState known = MetaGroup.lastKnown(folder.resolve(CLUSTER), founded);
    meta =
        MetaGroup.open(
            engine,
            MetaGroup.Kept.in(folder),
            founded,
            founded.member(self.id()).orElseThrow(),
            spec.access(),
            state -> {
              if (state.epoch() > known.epoch()) {
                spec.access().audit().add(Audit.Event.done(Audit.Kind.CLUSTER, state.summary()));
              }
              formation.formed(state);
              introduction.follow(state);
              partitions.follow(state);
              router.follow(state);
            },
            failure -> spec.onFault().accept(NodeFault.of(failure)));
    introduction.keepTelling(scheduler, NodeFault.heard(spec.onFault()));
    MetaGroup opened = meta;
    rights =
        new RightsLog(
            self.id(),
            opened,
            membership,
            engine.transport(),
            scheduler,
            spec.access(),
            System::nanoTime);
    RightsLog applied = rights;
    applied.start();
    spec.figures().metrics().gauge(Metric.RIGHTS_AGE, () -> applied.ageMillis() / 1000.0);
    NodeFigures figures = new NodeFigures(folder, spec.figures().metrics());
    membership.start(
        opened::state,
        () -> {
          long epoch = partitions.epoch(); // before the reports, which may be by a later one
          return new NodeReport(
              founded.clusterId(),
              self.id(),
              spec.figures().version(),
              new NodeReport.Known(epoch, applied.version(), spec.identity().tls().shown()),
              System.currentTimeMillis(),
              partitions.stopping(),
              self.announced(),
              spec.figures().room().get(),
              figures.look(),
              membership.reached(),
              looked(partitions.reports()));
        });
    new Controller(opened, applied, membership, formation, addresses, System::nanoTime)
        .start(scheduler);
  }

  private List<NodeReport.PartitionReport> looked(List<NodeReport.PartitionReport> reports) {
    latest = reports;
    return reports;
  }

  private byte[] ownDocument(NodeDocuments.Topic topic, NodeStats stats) {
    return switch (topic) {
      case STATS -> stats.document(partitions.figures(), router);
      case SLOW_LOG -> stats.slowLog();
    };
  }

  /** Takes no lock: whoever opens or closes the meta group waits for its loop meanwhile. */
  private ClusterState clusterState() {
    MetaGroup opened = meta;
    return opened == null ? null : opened.state();
  }

  /**
   * Why this node does not serve what is placed on it, if so. It says nothing of others: that a
   * partition has no leader since they are down is no reason to take this node away too.
   */
  Optional<String> notReady() {
    ClusterState cluster = clusterState();
    if (cluster == null) {
      return Optional.of(
          introduction.hasMovedUnnoticed()
              ? introduction.waitingFor()
              : "the cluster has not formed: " + formation.waitingFor());
    }
    if (cluster.partitions().isEmpty()) {
      return Optional.of("no partitions are placed yet");
    }
    for (NodeReport.PartitionReport report : partitions.reports()) {
      switch (report.status()) {
        case FAILED, LOST, DAMAGED -> {
          return Optional.of(
              "partition " + report.index() + " has stopped on this node: see its log");
        }
        case CREATED -> {
          return Optional.of("partition " + report.index() + " is not open yet");
        }
        case FOLLOWS, LEADS -> {}
      }
    }
    return Optional.empty();
  }

  Router router() {
    return router;
  }

  Partitions partitions() {
    return partitions;
  }

  /** Hands over what this node leads. The others serve it from then on; this node forwards. */
  void handOver() {
    partitions.stopLeading();
    membership.announce();
    partitions.handOverAll(HAND_OVER_MILLIS);
  }

  @Override
  public void close() {
    synchronized (this) {
      if (stopped) {
        return;
      }
      stopped = true;
    }
    scrub.close();
    introduction.close();
    membership.stop();
    partitions.close();
    router.close();
    synchronized (this) {
      if (meta != null) {
        rights.close();
        meta.close();
      }
    }
    scheduler.shutdownNow();
    try {
      scheduler.awaitTermination(5, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    engine.close();
    storage.close();
    nodeLog.close();
  }
}

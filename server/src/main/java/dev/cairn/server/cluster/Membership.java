// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import dev.cairn.server.peer.PeerTransport;
import dev.cairn.server.peer.Traffic;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who is up, and what every node last said of itself.
 *
 * <p>Each node sends its {@link NodeReport} to every other one, twice a second and at once when it
 * begins to lead. What is known here is a hint: it routes requests and draws the status page.
 * Safety never rests on it, with one exception that errs on the safe side: a witness keeps its log
 * until the replicas have <em>reported</em> it durable.
 *
 * <p>Threads: reports arrive on the transport's threads; all methods may be called by any.
 */
public final class Membership {
  /** A node that was not heard of for so long counts as down. */
  static final long DOWN_AFTER_MILLIS = 1_500;

  private static final long REPORT_EVERY_MILLIS = 500;
  private static final Logger log = LoggerFactory.getLogger(Membership.class);

  private final String selfId;
  private final PeerTransport transport;
  private final ScheduledExecutorService scheduler;
  private final LongSupplier nanoTime;
  private final LongSupplier wallMillis;
  private final Map<String, Heard> heard = new ConcurrentHashMap<>();
  private final Map<String, Boolean> said =
      new ConcurrentHashMap<>(); // what the log last said of whom
  private final WallClocks wallClocks = new WallClocks();
  private final ClusterClock clusterClock = new ClusterClock();
  private volatile Supplier<ClusterState> state = () -> null;
  private volatile Supplier<NodeReport> self = () -> null;
  private volatile boolean stopped;

  /**
   * Creates the table of a node that knows nobody.
   *
   * @param nanoTime a monotonic clock, nanoseconds
   * @param wallMillis the wall clock, milliseconds since 1970
   */
  public Membership(
      String selfId,
      PeerTransport transport,
      ScheduledExecutorService scheduler,
      LongSupplier nanoTime,
      LongSupplier wallMillis) {
    this.selfId = selfId;
    this.transport = transport;
    this.scheduler = scheduler;
    this.nanoTime = nanoTime;
    this.wallMillis = wallMillis;
    transport.handle(PeerMessageKind.REPORT, this::receive);
  }

  /** Begins to send and take reports. */
  public void start(Supplier<ClusterState> stateNow, Supplier<NodeReport> selfNow) {
    state = stateNow;
    self = selfNow;
    scheduler.scheduleWithFixedDelay(this::announce, 0, REPORT_EVERY_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** Says nothing more of this node, whose parts are about to close. */
  public void stop() {
    stopped = true;
  }

  /** Sends this node's report to all others now. */
  public void announce() {
    try {
      NodeReport report = stopped ? null : self.get();
      if (report == null || state.get() == null) {
        return; // not started: a partition that opens early asks for this
      }
      long now = nanoTime.getAsLong();
      heard.put(selfId, new Heard(report, now, firstHeard(selfId)));
      wallClocks.read(selfId, report.wallMillis(), now);
      sayWhoCameAndWent();
      byte[] body = report.encode();
      for (Member member : state.get().members()) {
        if (!member.id().equals(selfId)) {
          // Opens what is not open: an election beside a frozen node must not be the first to try.
          transport.isConnected(member.peerHost(), member.peerPort());
          transport.send(
              Traffic.CONTROL,
              member.peerHost(),
              member.peerPort(),
              PeerMessageKind.REPORT,
              0,
              body,
              REPORT_EVERY_MILLIS,
              answer -> {});
        }
      }
    } catch (RuntimeException e) {
      log.warn("could not report to the other nodes; trying again", e);
    }
  }

  private void sayWhoCameAndWent() {
    for (Member member : state.get().members()) {
      boolean up = isUp(member.id());
      Boolean before = said.put(member.id(), up);
      if (before != null && before != up) {
        if (up) {
          log.info("peer {} is up", member.name());
        } else {
          log.warn("peer {} is down: not heard of for {} ms", member.name(), DOWN_AFTER_MILLIS);
        }
      }
    }
  }

  private void receive(byte[] body, Consumer<byte[]> answer) {
    try {
      NodeReport report = NodeReport.decode(body);
      if (state.get() == null) {
        answer.accept(new byte[0]); // this node belongs to no cluster yet
        return;
      }
      if (report.clusterId().equals(state.get().clusterId())
          && state.get().member(report.nodeId()).isPresent()) {
        boolean wasUp = isUp(report.nodeId());
        long now = nanoTime.getAsLong();
        heard.put(
            report.nodeId(), new Heard(report, now, wasUp ? firstHeard(report.nodeId()) : now));
        wallClocks.read(report.nodeId(), report.wallMillis(), now);
      }
      answer.accept(new byte[0]);
    } catch (IOException e) {
      log.warn("a peer sent a report that cannot be read: {}", e.getMessage());
    }
  }

  private long firstHeard(String nodeId) {
    Heard known = heard.get(nodeId);
    return known == null ? nanoTime.getAsLong() : known.upSinceNanos();
  }

  /** Whether the node was heard of lately; this node always is. */
  public boolean isUp(String nodeId) {
    return nodeId.equals(selfId)
        || heardMillisAgo(nodeId).stream().anyMatch(millis -> millis < DOWN_AFTER_MILLIS);
  }

  /** For how long the node has been up without a break, as seen from here; 0 when it is down. */
  public long upForMillis(String nodeId) {
    Heard known = heard.get(nodeId);
    return known == null || !isUp(nodeId)
        ? 0
        : TimeUnit.NANOSECONDS.toMillis(nanoTime.getAsLong() - known.upSinceNanos());
  }

  /** Whether the node is up and has not said that it is stopping: one to give leadership to. */
  public boolean stays(String nodeId) {
    return isUp(nodeId) && report(nodeId).filter(NodeReport::stopping).isEmpty();
  }

  /** How long ago the node was last heard of; empty if never. */
  public OptionalLong heardMillisAgo(String nodeId) {
    Heard known = heard.get(nodeId);
    return known == null
        ? OptionalLong.empty()
        : OptionalLong.of(TimeUnit.NANOSECONDS.toMillis(nanoTime.getAsLong() - known.atNanos()));
  }

  /** The node's last report, however old. */
  public Optional<NodeReport> report(String nodeId) {
    return Optional.ofNullable(heard.get(nodeId)).map(Heard::report);
  }

  /**
   * Where clients find the node: as it last reported, or else as it was when it became a member.
   */
  public Announced announced(Member member) {
    return report(member.id()).map(NodeReport::announced).orElseGet(member::announced);
  }

  /** The room on the node's disk, as it last reported. */
  public NodeReport.Room room(String nodeId) {
    return report(nodeId).map(NodeReport::room).orElse(NodeReport.Room.ENOUGH);
  }

  /**
   * What the node last reported of a partition, if that was for this incarnation of its replica.
   */
  public Optional<NodeReport.PartitionReport> report(Replica replica, int partition) {
    return report(replica.nodeId())
        .flatMap(report -> report.partition(partition))
        .filter(report -> report.incarnation() == replica.incarnation());
  }

  /**
   * Whether those who vote in a partition may be others than those of its placement, as far as its
   * leader has told: one that has not taken on the placement yet, or did not lead, has told
   * nothing.
   *
   * @param epoch of the state that has the placement
   */
  public boolean votersChange(Placement placement, String leaderId, long epoch) {
    return placement
        .voterOn(leaderId)
        .filter(voter -> report(leaderId).filter(report -> report.epoch() >= epoch).isPresent())
        .flatMap(voter -> report(voter, placement.index()))
        .filter(report -> report.status() == NodeReport.Status.LEADS)
        .map(NodeReport.PartitionReport::votersChange)
        .orElse(true);
  }

  /** The node that reports to lead a partition in the highest term, among those that are up. */
  public Optional<String> leader(Placement placement) {
    String leader = null;
    long term = -1;
    for (Replica voter : placement.voters()) {
      Optional<NodeReport.PartitionReport> report = report(voter, placement.index());
      if (report.isPresent()
          && report.get().status() == NodeReport.Status.LEADS
          && report.get().term() > term
          && isUp(voter.nodeId())) {
        term = report.get().term();
        leader = voter.nodeId();
      }
    }
    return Optional.ofNullable(leader);
  }

  /**
   * What time it is by the wall clocks of those among {@code nodeIds} that are up, so that one
   * wrong clock moves nothing; empty without a majority of them.
   */
  public Optional<WallTime> wallTime(List<String> nodeIds) {
    long now = nanoTime.getAsLong();
    wallClocks.read(selfId, wallMillis.getAsLong(), now);
    return wallClocks.time(nodeIds.stream().filter(this::isUp).toList(), nodeIds.size(), now);
  }

  /** The cluster's time, milliseconds since 1970; empty while it cannot be told. */
  public OptionalLong clusterTimeMillis() {
    ClusterState known = state.get();
    return known == null
        ? OptionalLong.empty()
        : clusterClock.millis(
            wallTime(known.members().stream().map(Member::id).toList()), nanoTime.getAsLong());
  }

  /** How many members are up, this node included; empty before the cluster has formed. */
  public OptionalInt upCount() {
    ClusterState known = state.get();
    return known == null
        ? OptionalInt.empty()
        : OptionalInt.of(
            (int) known.members().stream().filter(member -> isUp(member.id())).count());
  }

  private record Heard(NodeReport report, long atNanos, long upSinceNanos) {}
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import dev.cairn.server.peer.Answer;
import dev.cairn.server.peer.PeerTransport;
import dev.cairn.server.peer.Traffic;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who is up, and what every node last said of itself.
 *
 * <p>A node is up for this one when it is <em>heard</em>, its reports arrive, and <em>reached</em>,
 * it answers this node's ({@link Reach}). Whoever sends and cannot be sent to takes no entries and
 * no requests; to hear of it is not enough. What is made of that is said in {@link Survival}.
 *
 * <p>Each node sends its {@link NodeReport} to every other one, twice a second and at once when it
 * begins to lead. What is known here is a hint: it routes requests and draws the status page.
 * Safety never rests on it, with one exception that errs on the safe side: a witness keeps its log
 * until the replicas have <em>reported</em> it durable.
 *
 * <p>Threads: reports arrive on the transport's threads; all methods may be called by any.
 */
public final class Membership {
  /** A node that was not heard of, or did not answer, for so long is not up. */
  public static final long DOWN_AFTER_MILLIS = 1_500;

  private static final long UNREACHED_AFTER_MILLIS = 5_000;
  private static final long REPORT_EVERY_MILLIS = 500;
  private static final long NEWS_AFTER_MILLIS = 10;
  private static final Logger log = LoggerFactory.getLogger(Membership.class);

  private final String selfId;
  private final PeerTransport transport;
  private final ScheduledExecutorService scheduler;
  private final LongSupplier nanoTime;
  private final LongSupplier wallMillis;
  private final Map<String, Heard> heard = new ConcurrentHashMap<>();
  private final Map<String, Long> oneWaySince = new ConcurrentHashMap<>();
  private final Map<String, Contact> said =
      new ConcurrentHashMap<>(); // what the log last said of whom
  private final AtomicBoolean newsWaits = new AtomicBoolean();
  private final Reach reach;
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
    this.reach = new Reach(nanoTime, DOWN_AFTER_MILLIS);
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
      heard.put(selfId, Heard.of(report, now, firstHeard(selfId)));
      wallClocks.read(selfId, report.wallMillis(), now);
      sayWhoCameAndWent();
      byte[] body = report.encode();
      for (Member member : state.get().members()) {
        if (!member.id().equals(selfId)) {
          // Opens what is not open: an election beside a frozen node must not be the first to try.
          transport.isConnected(member.id());
          transport.send(
              Traffic.CONTROL,
              member.id(),
              PeerMessageKind.REPORT,
              0,
              body,
              DOWN_AFTER_MILLIS,
              answer -> answered(member, answer));
        }
      }
    } catch (RuntimeException e) {
      log.warn("could not report to the other nodes; trying again", e);
    }
  }

  /** Counts only where messages of the groups pass too, which have a connection of their own. */
  private void answered(Member member, Answer answer) {
    if (!(answer instanceof Answer.Received received) || !transport.isConnected(member.id())) {
      return;
    }
    try {
      if (reach.answered(member.id(), received.body())) {
        announceSoon();
      }
    } catch (IOException e) {
      log.warn("peer {} answered in a way that cannot be read: {}", member.name(), e.getMessage());
    }
  }

  /** Whoever has just come, or is just reached, is told at once, so that all agree soon. */
  private void announceSoon() {
    if (stopped || !newsWaits.compareAndSet(false, true)) {
      return;
    }
    try {
      scheduler.schedule(
          () -> {
            newsWaits.set(false);
            announce();
          },
          NEWS_AFTER_MILLIS,
          TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException stopping) {
      log.debug("this node is stopping and tells no news");
    }
  }

  private void sayWhoCameAndWent() {
    for (Member member : state.get().members()) {
      Contact contact = contact(member.id());
      if (isPassing(member.id(), contact)) {
        continue;
      }
      Contact before = said.put(member.id(), contact);
      if (before != null && before != contact) {
        switch (contact) {
          case UP -> log.info("peer {} is up", member.name());
          case DOWN ->
              log.warn("peer {} is down: not heard of for {} ms", member.name(), DOWN_AFTER_MILLIS);
          case UNREACHED ->
              log.warn(
                  "peer {} is heard and not reached: nothing of it answers at {}:{}",
                  member.name(),
                  member.peerHost(),
                  member.peerPort());
          case UNHEARD -> log.warn("peer {} answers and does not reach this node", member.name());
        }
      }
    }
  }

  /**
   * Contact in one direction is said once it lasts: a node that starts or stops has it for a
   * moment.
   */
  private boolean isPassing(String nodeId, Contact contact) {
    if (contact == Contact.UP || contact == Contact.DOWN) {
      oneWaySince.remove(nodeId);
      return false;
    }
    long now = nanoTime.getAsLong();
    long since = oneWaySince.computeIfAbsent(nodeId, id -> now);
    return now - since < TimeUnit.MILLISECONDS.toNanos(DOWN_AFTER_MILLIS);
  }

  private void receive(byte[] body, Consumer<byte[]> answer) {
    try {
      NodeReport report = NodeReport.decode(body);
      boolean known =
          state.get() != null // else this node belongs to no cluster yet
              && report.clusterId().equals(state.get().clusterId())
              && state.get().member(report.nodeId()).isPresent();
      if (known) {
        boolean wasHeard = isHeard(report.nodeId());
        long now = nanoTime.getAsLong();
        heard.put(
            report.nodeId(), Heard.of(report, now, wasHeard ? firstHeard(report.nodeId()) : now));
        wallClocks.read(report.nodeId(), report.wallMillis(), now);
        if (!wasHeard) {
          announceSoon();
        }
      }
      answer.accept(known ? Reach.answerOf(selfId) : new byte[0]);
    } catch (IOException e) {
      log.warn("a peer sent a report that cannot be read: {}", e.getMessage());
    }
  }

  private long firstHeard(String nodeId) {
    Heard known = heard.get(nodeId);
    return known == null ? nanoTime.getAsLong() : known.sinceNanos();
  }

  /** How this node and another stand to each other. */
  public enum Contact {
    /** Heard and reached. */
    UP,
    /** Its reports arrive; it does not answer. */
    UNREACHED,
    /** It answers; its reports do not arrive. */
    UNHEARD,
    /** Neither. */
    DOWN
  }

  /** How this node and another stand to each other; it is up for itself. */
  public Contact contact(String nodeId) {
    if (isHeard(nodeId)) {
      return isReached(nodeId) ? Contact.UP : Contact.UNREACHED;
    }
    return isReached(nodeId) ? Contact.UNHEARD : Contact.DOWN;
  }

  /** Whether the node was heard of lately; this node always is. */
  public boolean isHeard(String nodeId) {
    return nodeId.equals(selfId)
        || heardMillisAgo(nodeId).stream().anyMatch(millis -> millis < DOWN_AFTER_MILLIS);
  }

  private boolean isReached(String nodeId) {
    return nodeId.equals(selfId) || reach.reaches(nodeId);
  }

  /** The ids of the other nodes that this one reaches. */
  public Set<String> reached() {
    return reach.reached();
  }

  /** Whether the node is heard of and reached; this node always is. */
  public boolean isUp(String nodeId) {
    return contact(nodeId) == Contact.UP;
  }

  /**
   * Whether a node reaches another one, as far as is known here: of one that is not heard of,
   * nothing is.
   */
  private boolean reaches(String fromId, String toId) {
    return fromId.equals(selfId)
        ? isReached(toId)
        : isHeard(fromId)
            && report(fromId).filter(report -> report.reaches().contains(toId)).isPresent();
  }

  /** Whether each of two nodes is up for the other ({@link Survival}). */
  public boolean linked(String oneId, String otherId) {
    return reaches(oneId, otherId) && reaches(otherId, oneId);
  }

  /**
   * Those of the nodes that are not down and do not reach this one. A node that answers and is not
   * heard does not reach the one that asks.
   */
  public List<Member> unreachedBy(ClusterState cluster, String nodeId) {
    return cluster.members().stream()
        .filter(other -> !other.id().equals(nodeId))
        .filter(
            other ->
                nodeId.equals(selfId)
                    ? contact(other.id()) != Contact.DOWN && !reaches(other.id(), nodeId)
                    : isHeard(other.id()) && !reaches(other.id(), nodeId))
        .toList();
  }

  /** Whether nobody knows of a node: it is not heard here, and none that is heard reaches it. */
  public boolean isDown(ClusterState cluster, String nodeId) {
    return !isHeard(nodeId)
        && cluster.members().stream().noneMatch(other -> reaches(other.id(), nodeId));
  }

  /** Whether a node answers and has not reached this one for five seconds. */
  public boolean doesNotReachThis(String nodeId) {
    return contact(nodeId) == Contact.UNHEARD
        && heardMillisAgo(nodeId).stream().allMatch(millis -> millis >= UNREACHED_AFTER_MILLIS);
  }

  /** For how long the node has been up without a break, as seen from here; 0 when it is not. */
  public long upForMillis(String nodeId) {
    Heard known = heard.get(nodeId);
    return known == null || !isUp(nodeId)
        ? 0
        : Math.min(
            TimeUnit.NANOSECONDS.toMillis(nanoTime.getAsLong() - known.sinceNanos()),
            reach.reachedForMillis(nodeId));
  }

  /**
   * Whether leadership of a partition may be given to a node: it is up, has not said that it is
   * stopping, and is linked with a majority of the voters. One that cannot be sent to by those that
   * it would lead, or by nodes that pass requests on to it, serves nobody.
   */
  public boolean mayLead(Placement placement, String nodeId) {
    long linked =
        placement.voters().stream()
            .filter(v -> v.nodeId().equals(nodeId) || linked(v.nodeId(), nodeId))
            .count();
    return isUp(nodeId)
        && report(nodeId).filter(NodeReport::stopping).isEmpty()
        && linked > placement.voters().size() / 2;
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
    return partitionReport(replica.nodeId(), partition)
        .filter(report -> report.incarnation() == replica.incarnation());
  }

  /** What the node last reported of a partition, of whichever incarnation. */
  public Optional<NodeReport.PartitionReport> partitionReport(String nodeId, int partition) {
    return Optional.ofNullable(heard.get(nodeId)).map(known -> known.partitions().get(partition));
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

  /** The node that reports to lead a partition in the highest term, among those that are heard. */
  public Optional<String> leader(Placement placement) {
    String leader = null;
    long term = -1;
    for (Replica voter : placement.voters()) {
      Optional<NodeReport.PartitionReport> report = report(voter, placement.index());
      if (report.isPresent()
          && report.get().status() == NodeReport.Status.LEADS
          && report.get().term() > term
          && isHeard(voter.nodeId())) {
        term = report.get().term();
        leader = voter.nodeId();
      }
    }
    return Optional.ofNullable(leader);
  }

  /**
   * What time it is by the wall clocks of those among {@code nodeIds} that are heard, so that one
   * wrong clock moves nothing; empty without a majority of them.
   */
  public Optional<WallTime> wallTime(List<String> nodeIds) {
    long now = nanoTime.getAsLong();
    wallClocks.read(selfId, wallMillis.getAsLong(), now);
    return wallClocks.time(nodeIds.stream().filter(this::isHeard).toList(), nodeIds.size(), now);
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

  /** A report, what it says of partitions by their index, and since when the node is heard of. */
  private record Heard(
      NodeReport report,
      Map<Integer, NodeReport.PartitionReport> partitions,
      long atNanos,
      long sinceNanos) {
    static Heard of(NodeReport report, long atNanos, long sinceNanos) {
      Map<Integer, NodeReport.PartitionReport> partitions = new HashMap<>();
      report.partitions().forEach(partition -> partitions.put(partition.index(), partition));
      return new Heard(report, partitions, atNanos, sinceNanos);
    }
  }
}

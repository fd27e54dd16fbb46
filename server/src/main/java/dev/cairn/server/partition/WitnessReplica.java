// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.raft.GroupListener;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.raft.RaftGroup;
import dev.cairn.server.raft.SnapshotHost;
import dev.cairn.server.storage.WitnessFolder;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A voter that keeps the log and no data.
 *
 * <p>Invariants (docs/design/decisions/0004 says why each):
 *
 * <ol>
 *   <li>It votes and appends like any other voter, fsynced; it applies nothing and serves no read,
 *       no write and no snapshot.
 *   <li>It leads for a moment only. When the leader dies holding writes that only it and the
 *       witness have, nobody but the witness can win the election; it then brings the other replica
 *       up to date and hands over, trying again until somebody else leads. Writes never get as far
 *       as its queue: it has none.
 *   <li>Its log goes only when every full replica has flushed what it covers, or when it has
 *       reached its bound ({@link LogRetention}).
 *   <li>From a snapshot that it is sent it takes the meta and leaves the data.
 * </ol>
 */
final class WitnessReplica implements GroupListener, SnapshotHost, AutoCloseable {
  private static final long HAND_OVER_EVERY_MILLIS = 20;
  private static final Logger log = LoggerFactory.getLogger(WitnessReplica.class);

  private final int index;
  private final WitnessFolder folder;
  private final LogRetention retention;
  private final ScheduledExecutorService scheduler;
  private final Consumer<Throwable> failed;
  private volatile RaftGroup raft;
  private final AtomicInteger handOvers = new AtomicInteger();
  private volatile Optional<Peer> ledBefore = Optional.empty();

  /**
   * The turn of leading that is under way, 0 for none. A transfer that times out makes this node
   * lead again in the same term: were the term what ends a series of attempts, each turn would add
   * a series, and with two of them the same replica would be chosen every time.
   */
  private volatile long leading;

  private long turns; // as GroupListener is called, one at a time
  private long ledTerm; // likewise

  WitnessReplica(
      int index,
      WitnessFolder folder,
      LogRetention retention,
      ScheduledExecutorService scheduler,
      Consumer<Throwable> failed) {
    this.index = index;
    this.folder = folder;
    this.retention = retention;
    this.scheduler = scheduler;
    this.failed = failed;
  }

  void opened(RaftGroup group) {
    raft = group;
  }

  RaftGroup raft() {
    return raft;
  }

  @Override
  public void apply(Entry entry) {}

  @Override
  public void applied() {}

  @Override
  public void leaderStarted(long term) {
    log.info("partition={} term={} the witness leads; it hands over to a replica", index, term);
    if (term != ledTerm) {
      handOvers.set(0);
    }
    ledTerm = term;
    turns++;
    leading = turns;
    handOver(turns);
  }

  private void handOver(long turn) {
    RaftGroup group = raft;
    if (leading != turn) {
      return;
    }
    if (group != null) {
      // A transfer that times out makes this node lead again, and the next replica has its turn:
      // one
      // that hangs would be chosen for ever by the engine's own choice, the longest log. Who led
      // before comes last: it is why this node leads.
      List<Peer> alive =
          group.alivePeers().stream()
              .sorted(Comparator.comparing(peer -> Optional.of(peer).equals(ledBefore)))
              .toList();
      if (!alive.isEmpty()) {
        group.transferLeadership(
            alive.get(Math.floorMod(handOvers.getAndIncrement(), alive.size())));
      }
    }
    scheduler.schedule(() -> handOver(turn), HAND_OVER_EVERY_MILLIS, TimeUnit.MILLISECONDS);
  }

  @Override
  public void leaderStopped() {
    leading = 0;
  }

  @Override
  public void followingStarted(Peer leader, long term) {
    ledBefore = Optional.of(leader);
    log.info("partition={} term={} the witness follows {}", index, term, leader);
  }

  @Override
  public void followingStopped() {}

  @Override
  public void configurationCommitted(Configuration configuration) {}

  @Override
  public void save(SnapshotPoint point, Consumer<Optional<String>> done) {
    retention.hold(point.index(), () -> cutLog(point.index()), done);
  }

  private void cutLog(long upTo) {
    RaftGroup group = raft;
    if (group != null) {
      group.cutLog(upTo);
    }
  }

  @Override
  public boolean load(SnapshotPoint point, Optional<Path> received, byte[] meta) {
    if (received.isPresent()) {
      folder.saveSnapshotMeta(meta);
    }
    return true;
  }

  @Override
  public void failed(Throwable cause) {
    leading = 0;
    failed.accept(cause);
  }

  NodeReport.PartitionReport report(int incarnation, long durableLogIndex, long logBytes) {
    RaftGroup group = raft;
    return new NodeReport.PartitionReport(
        index,
        incarnation,
        NodeReport.Status.FOLLOWS,
        group == null ? 0 : group.term(),
        group == null ? 0 : group.appliedIndex(),
        0,
        durableLogIndex,
        logBytes,
        false);
  }

  @Override
  public Optional<byte[]> durableMeta() {
    return folder.snapshotMeta();
  }

  @Override
  public void saveMeta(byte[] meta) {
    folder.saveSnapshotMeta(meta);
  }

  @Override
  public Path checkpoint() {
    throw new IllegalStateException("a witness has no data to send");
  }

  @Override
  public void deleteCheckpoint(Path checkpoint) {}

  @Override
  public Path newIncoming() {
    throw new IllegalStateException("a witness takes no data");
  }

  @Override
  public boolean holdsData() {
    return false;
  }

  @Override
  public Row row() {
    return new Row(0, 0, 0);
  }

  @Override
  public void close() {
    leading = 0;
    if (raft != null) {
      raft.close();
    }
  }
}

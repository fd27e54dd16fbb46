// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.raft.GroupListener;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.raft.RaftGroup;
import java.nio.file.Path;
import java.util.Optional;
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
 *       witness have, nobody but the witness can win the election; its group then brings the other
 *       replica up to date and hands over. Writes never get as far as its queue: it has none.
 *   <li>Its log goes only when every full replica has flushed what it covers, or when it has
 *       reached its bound ({@link LogRetention}).
 *   <li>Of a snapshot it takes what its log needs, and no data.
 * </ol>
 */
final class WitnessReplica implements GroupListener, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(WitnessReplica.class);

  private final int index;
  private final LogRetention retention;
  private final Consumer<Throwable> failed;
  private volatile RaftGroup raft;

  WitnessReplica(int index, LogRetention retention, Consumer<Throwable> failed) {
    this.index = index;
    this.retention = retention;
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
  }

  @Override
  public void leaderStopped() {}

  @Override
  public void followingStarted(Peer leader, long term) {
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
    throw new IllegalStateException("a witness takes no data");
  }

  @Override
  public void failed(Throwable cause) {
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
  public void close() {
    if (raft != null) {
      raft.close();
    }
  }
}

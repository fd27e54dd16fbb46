// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.raft.GroupListener;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.raft.SnapshotHost;
import dev.cairn.server.storage.PartitionFolder;
import dev.cairn.state.RequestIds;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A replica that holds the data: between the Raft group and the state machine, the leader's queue
 * and the folder.
 *
 * <p>Threads: as {@link GroupListener} says, one call at a time.
 */
final class FullReplica implements GroupListener, SnapshotHost {
  private static final Logger log = LoggerFactory.getLogger(FullReplica.class);

  private final int index;
  private final PartitionFolder folder;
  private final Snapshots snapshots;
  private final PartitionStateMachine stateMachine;
  private final PartitionGroup group;
  private final LogRetention retention;
  private final Runnable leadershipChanged;
  private final Consumer<Throwable> failed;

  FullReplica(
      int index,
      PartitionFolder folder,
      PartitionGroup group,
      LogRetention retention,
      PartitionMetrics metrics,
      Runnable leadershipChanged,
      Consumer<Throwable> failed) {
    this.index = index;
    this.folder = folder;
    this.snapshots = metrics.snapshots();
    this.stateMachine =
        new PartitionStateMachine(folder, RequestIds.Bounds.DEFAULT, metrics.keys());
    this.group = group;
    this.retention = retention;
    this.leadershipChanged = leadershipChanged;
    this.failed = failed;
  }

  @Override
  public void apply(Entry entry) throws IOException {
    stateMachine.apply(entry, entry.proposal().map(InFlight.class::cast));
  }

  @Override
  public void passed(long entryIndex, long term) {
    stateMachine.passed(entryIndex, term);
  }

  @Override
  public void applied() {
    stateMachine.flushBatch();
  }

  @Override
  public void leaderStarted(long term) {
    log.info("partition={} term={} leads", index, term);
    group.ownReads().leaderFound();
    group.leaderStarted(term, stateMachine.partitionTimeMillis());
    leadershipChanged.run();
  }

  @Override
  public void leaderStopped() {
    log.info("partition={} leads no more", index);
    group.ownReads().leaderLost();
    group.leaderStopped();
    leadershipChanged.run();
  }

  @Override
  public void followingStarted(Peer leader, long term) {
    log.info("partition={} term={} follows {}", index, term, leader);
    group.ownReads().leaderFound();
  }

  @Override
  public void followingStopped() {
    group.ownReads().leaderLost();
  }

  @Override
  public void configurationCommitted(Configuration configuration) {
    stateMachine.configurationCommitted(configuration);
    group.ownReads().configuration(configuration.voters().stream().map(Peer::toString).toList());
  }

  @Override
  public void save(SnapshotPoint point, Consumer<Optional<String>> done) {
    snapshots.write(() -> stateMachine.save(point));
    retention.hold(point.index(), done);
  }

  @Override
  public boolean load(SnapshotPoint point, Optional<Path> received, byte[] meta) {
    boolean loaded = stateMachine.load(point, received, meta);
    if (loaded) {
      group.ownReads().configuration(folder.store().applied().peers());
      log.info(
          "partition={} term={} starts from a snapshot at index {}{}",
          index,
          point.term(),
          point.index(),
          received.isPresent() ? ", received from the leader" : "");
    } else {
      log.error(
          "partition={} the data is behind its own snapshot at index {}; this replica stops and must be rebuilt",
          index,
          point.index());
    }
    return loaded;
  }

  @Override
  public void failed(Throwable cause) {
    group.leaderStopped();
    failed.accept(cause);
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
    snapshots.sends();
    return folder.checkpoint();
  }

  @Override
  public void deleteCheckpoint(Path checkpoint) {
    folder.deleteCheckpoint(checkpoint);
  }

  @Override
  public Path newIncoming() {
    return folder.newIncoming();
  }

  @Override
  public void deleteIncoming(Path incoming) {
    folder.deleteIncoming(incoming);
  }

  @Override
  public Row row() {
    return folder.read(
        store -> new Row(store.applied().index(), store.applied().term(), store.durableIndex()));
  }
}

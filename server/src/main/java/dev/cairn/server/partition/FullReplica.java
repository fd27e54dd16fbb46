// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.raft.GroupListener;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.raft.SnapshotHost;
import dev.cairn.server.storage.PartitionFolder;
import dev.cairn.state.Applied;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
  private final ReplicaState state;
  private final Snapshots snapshots;
  private final PartitionGroup group;
  private final LogRetention retention;
  private final Runnable leadershipChanged;
  private final Consumer<Throwable> failed;
  private final List<PartitionState.Outcome> untold = new ArrayList<>();

  FullReplica(
      int index,
      ReplicaState state,
      PartitionGroup group,
      LogRetention retention,
      PartitionMetrics metrics,
      Runnable leadershipChanged,
      Consumer<Throwable> failed) {
    this.index = index;
    this.state = state;
    this.snapshots = metrics.snapshots();
    this.group = group;
    this.retention = retention;
    this.leadershipChanged = leadershipChanged;
    this.failed = failed;
  }

  @Override
  public void apply(Entry entry) throws IOException {
    untold.addAll(state.apply(entry));
  }

  @Override
  public void passed(long entryIndex, long term) {
    state.pass(entryIndex, term);
  }

  @Override
  public void applied() {
    untold.forEach(PartitionState.Outcome::tell);
    untold.clear();
  }

  @Override
  public void leaderStarted(long term) {
    log.info("partition={} term={} leads", index, term);
    group.ownReads().leaderFound();
    group.leaderStarted(term, state.applied().timeMillis());
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
    state.configure(configuration);
    group.ownReads().configuration(state.voters());
  }

  @Override
  public void save(SnapshotPoint point, Consumer<Optional<String>> done) {
    snapshots.write(
        () -> {
          long durable = state.flush();
          if (durable < point.index()) {
            throw new IllegalStateException(
                "what is durable ends at %d, before the snapshot's %d"
                    .formatted(durable, point.index()));
          }
        });
    retention.hold(point.index(), done);
  }

  @Override
  public boolean load(SnapshotPoint point, Optional<Path> received, byte[] meta) {
    boolean loaded = loadNow(point, received, meta);
    if (loaded) {
      group.ownReads().configuration(state.voters());
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

  /**
   * Data that is behind its own snapshot is not loaded: the entries between are gone from the log.
   */
  private boolean loadNow(SnapshotPoint point, Optional<Path> received, byte[] meta) {
    boolean isThere = state.applied().index() >= point.index();
    if (received.isEmpty()) {
      return isThere;
    }
    if (isThere) {
      state.flush();
      state.folder().saveSnapshotMeta(meta);
      state.folder().deleteIncoming(received.get());
      return true;
    }
    Applied least = new Applied(point.index(), point.term(), 0, 0, 0, 0, new byte[0]);
    state.install(new PartitionFolder.Received(received.get(), meta, least));
    return state.applied().index() >= point.index();
  }

  @Override
  public void failed(Throwable cause) {
    group.leaderStopped();
    failed.accept(cause);
  }

  @Override
  public Optional<byte[]> durableMeta() {
    return state.folder().snapshotMeta();
  }

  @Override
  public void saveMeta(byte[] meta) {
    state.folder().saveSnapshotMeta(meta);
  }

  @Override
  public Path checkpoint() {
    snapshots.sends();
    return state.checkpoint();
  }

  @Override
  public void deleteCheckpoint(Path checkpoint) {
    state.folder().deleteCheckpoint(checkpoint);
  }

  @Override
  public Path newIncoming() {
    return state.folder().newIncoming();
  }

  @Override
  public void deleteIncoming(Path incoming) {
    state.folder().deleteIncoming(incoming);
  }

  @Override
  public Row row() {
    long durable = state.durableIndex(); // first: it is not ahead of what is applied
    Applied applied = state.applied();
    return new Row(applied.index(), applied.term(), durable);
  }
}

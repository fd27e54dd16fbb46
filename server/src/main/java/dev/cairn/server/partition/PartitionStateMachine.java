// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.operation.EntryCodec;
import dev.cairn.server.operation.PendingKeyspace;
import dev.cairn.server.operation.Requests;
import dev.cairn.server.operation.Result;
import dev.cairn.server.peer.TaskLoop;
import dev.cairn.server.raft.GroupListener.Configuration;
import dev.cairn.server.raft.GroupListener.Entry;
import dev.cairn.server.raft.GroupListener.SnapshotPoint;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.storage.AppliedRow;
import dev.cairn.server.storage.KeyRange;
import dev.cairn.server.storage.PartitionFolder;
import dev.cairn.server.storage.ScannedKey;
import dev.cairn.state.RequestId;
import dev.cairn.state.RequestIds;
import dev.cairn.state.ValueRecord;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Turns committed entries into data, the same way on every replica.
 *
 * <p>Threads: one at a time, as {@link dev.cairn.server.raft.GroupListener} says. Invariants:
 *
 * <ol>
 *   <li>What an entry does depends on the entry and the data alone: no clock, no configuration, no
 *       random.
 *   <li>An entry at or below the applied row is skipped: it is in the data already. The row and the
 *       data it speaks of are written in one batch.
 *   <li>A proposal learns its results only after its batch has been written, so a reader who saw
 *       the reply sees the write.
 *   <li>Each change takes the next number of the partition's operation counter, which becomes the
 *       key's version ({@link Keyspace}). Two writes in one entry differ.
 *   <li>A request with an id that was applied before is not applied again ({@link RequestIds}).
 *   <li>A user's mistake is a result; an exception from here is a fault of this node, and stops the
 *       replica.
 * </ol>
 */
final class PartitionStateMachine {
  private static final long BATCH_BYTES_MAX = 4L << 20;

  private final PartitionFolder folder;
  private final KeyMetrics metrics;
  private final List<Applied> finished = new ArrayList<>();
  private final PendingKeyspace keyspace;
  private final RequestIds ids;
  private final Requests requests;
  private long entryBytes;
  private long index;
  private long term;
  private List<String> peers;
  private List<String> oldPeers;
  private List<String> learners;

  /** A proposal and its results, to be handed over once they are written. */
  record Applied(InFlight proposal, List<List<Result>> results, long index, long term) {}

  PartitionStateMachine(PartitionFolder folder, RequestIds.Bounds idBounds, KeyMetrics metrics) {
    this.folder = folder;
    this.metrics = metrics;
    this.keyspace =
        new PendingKeyspace(
            new PendingKeyspace.Source() {
              @Override
              public Optional<ValueRecord> get(byte[] key) {
                return folder.store().get(key, TaskLoop::willBlock);
              }

              @Override
              public Optional<byte[]> scan(
                  KeyRange range, int keysMax, ScannedKey.Visitor visitor) {
                TaskLoop.willBlock();
                return folder.store().scan(range, keysMax, visitor);
              }

              @Override
              public List<byte[]> expiring(long untilMillis, int keysMax) {
                TaskLoop.willBlock();
                return folder.store().expiring(untilMillis, keysMax);
              }

              @Override
              public Optional<byte[]> row(byte[] key) {
                return folder.store().row(key, TaskLoop::willBlock);
              }
            });
    this.ids = new RequestIds(keyspace.rows(), idBounds);
    this.requests =
        new Requests(
            keyspace,
            new Requests.Ids() {
              @Override
              public RequestIds.Recalled recall(RequestId id) {
                return ids.recall(id, keyspace.nowMillis());
              }

              @Override
              public void remember(RequestId id, byte[] answer) {
                ids.remember(id, answer);
              }
            });
    readRow();
  }

  private void readRow() {
    AppliedRow row = folder.store().applied();
    index = row.index();
    term = row.term();
    peers = row.peers();
    oldPeers = row.oldPeers();
    learners = row.learners();
    keyspace.reset(row);
    entryBytes = 0;
  }

  /** The partition time that the log has reached. */
  long partitionTimeMillis() {
    return keyspace.nowMillis();
  }

  /** Applies one entry to the pending batch. */
  void apply(Entry entry, Optional<InFlight> proposal) throws IOException {
    if (entry.index() <= index) {
      return;
    }
    EntryCodec.Entry decoded = EntryCodec.decode(entry.data());
    keyspace.reach(decoded.partitionTimeMillis());
    List<List<Result>> results = requests.apply(decoded.requests());
    ids.endEntry(keyspace.nowMillis());
    index = entry.index();
    term = entry.term();
    entryBytes += entry.data().length;
    if (proposal.isPresent()) {
      finished.add(new Applied(proposal.get(), results, index, term));
      metrics.take(keyspace.lookups());
    } else {
      keyspace.lookups().clear();
    }
    if (Math.max(entryBytes, keyspace.pendingBytes()) >= BATCH_BYTES_MAX) {
      writeBatch();
    }
  }

  /** Writes the pending batch, and hands over the results of what it carried. */
  void flushBatch() {
    if (index > folder.store().applied().index()) {
      writeBatch();
    }
    for (Applied applied : finished) {
      applied.proposal().applied(applied.results(), applied.index(), applied.term());
    }
    finished.clear();
  }

  private void writeBatch() {
    folder.store().apply(keyspace.takeWrites(), row(), TaskLoop::willBlock);
    entryBytes = 0;
  }

  private AppliedRow row() {
    return new AppliedRow(
        index,
        term,
        keyspace.operationCounter(),
        keyspace.keyCount(),
        keyspace.nowMillis(),
        peers,
        oldPeers,
        learners);
  }

  /** An entry that changes no data: the row moves all the same, as a copy is told to cover it. */
  void passed(long entryIndex, long entryTerm) {
    if (entryIndex > index) {
      index = entryIndex;
      term = entryTerm;
    }
  }

  void configurationCommitted(Configuration configuration) {
    passed(configuration.index(), configuration.term());
    peers = names(configuration.voters());
    oldPeers = names(configuration.outgoing());
    learners = names(configuration.learners());
  }

  private static List<String> names(List<Peer> members) {
    return members.stream().map(Peer::toString).toList();
  }

  /**
   * Writes the row of a snapshot, and flushes; when this returns, everything up to {@code point} is
   * on disk.
   */
  void save(SnapshotPoint point) {
    if (point.index() > index) {
      // Entries of the engine's own (a new term, a configuration) move the index without an
      // operation.
      index = point.index();
      term = point.term();
    }
    peers = point.peers();
    oldPeers = point.oldPeers();
    learners = point.learners();
    writeBatch();
    folder.store().flush();
  }

  /**
   * Lets a snapshot count as applied.
   *
   * @return whether storage now holds everything up to the point. {@code false} for a data folder
   *     that is behind its own snapshot: the entries between are gone from the log, so the replica
   *     must not go on.
   */
  boolean load(SnapshotPoint point, Optional<java.nio.file.Path> received, byte[] meta) {
    if (index >= point.index()) {
      if (received.isPresent()) {
        folder.store().flush();
        folder.saveSnapshotMeta(meta);
        folder.deleteIncoming(received.get());
      }
      return true;
    }
    if (received.isEmpty()) {
      return false;
    }
    folder.install(received.get(), meta);
    readRow();
    ids.load();
    return index >= point.index();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.raft.GroupListener.Entry;
import dev.cairn.server.raft.GroupListener.SnapshotPoint;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.storage.AppliedRow;
import dev.cairn.server.storage.PartitionFolder;
import dev.cairn.server.storage.PartitionStore;
import dev.cairn.server.storage.ValueRecord;
import dev.cairn.server.storage.Writes;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Turns committed entries into data, the same way on every replica.
 *
 * <p>Thread: the group's state machine thread, and no other. Invariants:
 *
 * <ol>
 *   <li>What an entry does depends on the entry and the data alone: no clock, no configuration, no
 *       random.
 *   <li>An entry at or below the applied row is skipped: it is in the data already. The row and the
 *       data it speaks of are written in one batch.
 *   <li>A proposal learns its results only after its batch has been written, so a reader who saw
 *       the reply sees the write.
 *   <li>Each operation that changes something takes the next number of the partition's operation
 *       counter, which becomes the key's version. Two writes in one entry differ.
 *   <li>A user's mistake is a result; an exception from here is a fault of this node, and stops the
 *       replica.
 * </ol>
 */
final class PartitionStateMachine {
  private static final long BATCH_BYTES_MAX = 4L << 20;

  private final PartitionFolder folder;
  private final List<Applied> finished = new ArrayList<>();
  private Writes writes = new Writes();
  private long writeBytes;
  private long index;
  private long term;
  private long operationCounter;
  private long keyCount;
  private long partitionTimeMillis;
  private List<String> peers;
  private List<String> oldPeers;
  private List<String> learners;

  /** A proposal and its results, to be handed over once they are written. */
  record Applied(InFlight proposal, List<List<Result>> results, long index, long term) {}

  PartitionStateMachine(PartitionFolder folder) {
    this.folder = folder;
    readRow();
  }

  private void readRow() {
    AppliedRow row = folder.store().applied();
    index = row.index();
    term = row.term();
    operationCounter = row.operationCounter();
    keyCount = row.keyCount();
    partitionTimeMillis = row.partitionTimeMillis();
    peers = row.peers();
    oldPeers = row.oldPeers();
    learners = row.learners();
    writes = new Writes();
    writeBytes = 0;
  }

  /** The partition time that the log has reached. */
  long partitionTimeMillis() {
    return partitionTimeMillis;
  }

  /** Applies one entry to the pending batch. */
  void apply(Entry entry, Optional<InFlight> proposal) throws IOException {
    if (entry.index() <= index) {
      return;
    }
    EntryCodec.Entry decoded = EntryCodec.decode(entry.data());
    List<List<Result>> results = new ArrayList<>(decoded.requests().size());
    partitionTimeMillis = Math.max(partitionTimeMillis, decoded.partitionTimeMillis());
    for (EntryCodec.Request request : decoded.requests()) {
      List<Result> ofRequest = new ArrayList<>(request.operations().size());
      for (Operation operation : request.operations()) {
        ofRequest.add(apply(operation));
      }
      results.add(ofRequest);
    }
    index = entry.index();
    term = entry.term();
    writeBytes += entry.data().length;
    proposal.ifPresent(waiting -> finished.add(new Applied(waiting, results, index, term)));
    if (writeBytes >= BATCH_BYTES_MAX) {
      writeBatch();
    }
  }

  private Result apply(Operation operation) {
    boolean existed = exists(operation.key());
    if (operation instanceof Operation.Put put) {
      operationCounter++;
      writes.put(put.key(), new ValueRecord(operationCounter, ValueRecord.NEVER, put.value()));
      keyCount += existed ? 0 : 1;
      return new Result.Ok();
    }
    if (existed) {
      operationCounter++;
      writes.delete(operation.key());
      keyCount--;
    }
    return new Result.Int(existed ? 1 : 0);
  }

  private boolean exists(byte[] key) {
    return writes.touches(key) ? writes.get(key).isPresent() : folder.store().get(key).isPresent();
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
    folder.store().apply(writes, row());
    writes = new Writes();
    writeBytes = 0;
  }

  private AppliedRow row() {
    return new AppliedRow(
        index, term, operationCounter, keyCount, partitionTimeMillis, peers, oldPeers, learners);
  }

  void configurationCommitted(List<Peer> voters, List<Peer> followers) {
    peers = voters.stream().map(Peer::toString).toList();
    oldPeers = List.of();
    learners = followers.stream().map(Peer::toString).toList();
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
    return index >= point.index();
  }

  /** Answers a query from what has been written. Any thread. */
  static Result answer(PartitionStore store, Query query) {
    if (query instanceof Query.Get get) {
      return store
          .get(get.key())
          .<Result>map(record -> new Result.Bytes(record.value()))
          .orElseGet(Result.Nil::new);
    }
    if (query instanceof Query.Exists exists) {
      return new Result.Int(store.get(exists.key()).isPresent() ? 1 : 0);
    }
    return new Result.Int(store.applied().keyCount());
  }
}

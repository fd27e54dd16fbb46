// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.operation.EntryCodec;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Request;
import dev.cairn.server.operation.Result;
import dev.cairn.server.raft.GroupListener.Entry;
import dev.cairn.state.Database;
import dev.cairn.state.Flush;
import dev.cairn.state.Install;
import dev.cairn.state.RequestIds;
import dev.cairn.state.State;
import dev.cairn.state.TwinDatabase;
import dev.cairn.state.View;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A partition's state on the twin of its database, for tests that apply and ask. */
final class TwinState {
  private final KeyMetrics metrics = KeyMetrics.of(new Metrics());
  private final TwinDatabase database = new TwinDatabase();
  private State state;
  private PartitionState partition;

  TwinState(RequestIds.Bounds idBounds) {
    open(idBounds);
  }

  private void open(RequestIds.Bounds idBounds) {
    state = State.open(database, 1, idBounds);
    partition = new PartitionState(state, metrics);
  }

  State state() {
    return state;
  }

  /** Applies an entry, the next one; what its requests were answered. */
  List<List<Result>> apply(long timeMillis, Request... requests) throws IOException {
    return apply(List.of(new EntryCodec.Entry(timeMillis, List.of(requests)))).get(0).results();
  }

  /** Applies entries as one batch. */
  List<PartitionState.Outcome> apply(List<EntryCodec.Entry> entries) throws IOException {
    List<Entry> batch = new ArrayList<>();
    for (EntryCodec.Entry entry : entries) {
      long index = state.applied().index() + 1 + batch.size();
      batch.add(new Entry(index, 1, EntryCodec.encode(entry), Optional.empty()));
    }
    return partition.apply(PartitionState.read(batch));
  }

  /** Puts all on disk, after which memory knows nothing of it. */
  void flush() {
    Optional<Flush> begun = state.beginFlush();
    if (begun.isPresent()) {
      Flush flush = begun.get();
      boolean more = true;
      while (more) {
        more = flush.step();
      }
      flush.end();
    }
  }

  /** Ends and starts again; nothing is lost. */
  void restart(RequestIds.Bounds idBounds) {
    flush();
    state.close();
    open(idBounds);
  }

  /** A copy of all. */
  Database.Copy copy() {
    flush();
    return state.copy();
  }

  void install(Database.Copy copy) {
    Install install = state.beginInstall(copy);
    install.carryOut();
    install.end();
  }

  Optional<BatchReply> answer(List<List<Query>> requests, long nowMillis) {
    try (View view = state.view()) {
      return PartitionState.answer(view, requests, nowMillis, 0, metrics);
    }
  }

  Optional<BatchReply> answerFromMemory(List<List<Query>> requests, long nowMillis) {
    return partition.answerFromMemory(requests, nowMillis, metrics);
  }
}

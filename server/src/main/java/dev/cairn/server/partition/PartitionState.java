// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.operation.EntryCodec;
import dev.cairn.server.operation.Keyspace;
import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Request;
import dev.cairn.server.operation.Requests;
import dev.cairn.server.operation.Result;
import dev.cairn.server.operation.StateKeyspace;
import dev.cairn.server.raft.GroupListener.Entry;
import dev.cairn.server.storage.KeyRange;
import dev.cairn.server.storage.NotInMemoryException;
import dev.cairn.server.storage.ScannedKey;
import dev.cairn.server.storage.StoredKeys;
import dev.cairn.state.Fetch;
import dev.cairn.state.RequestId;
import dev.cairn.state.RequestIds;
import dev.cairn.state.State;
import dev.cairn.state.ValueRecord;
import dev.cairn.state.View;
import dev.cairn.state.Wanted;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A partition's operations over a {@link State}: turns committed entries into changes in memory,
 * and answers queries. {@link ReplicaState} is its owner.
 *
 * <p><b>Cold keys.</b> An entry may ask for what memory does not know. Who applies learns that
 * beforehand, and the loop that owns the partition never waits for the disk:
 *
 * <pre>
 *   read(entries)  ─▶ a batch                             any thread, from the append on
 *   fetch(batch)   ─▶ empty: apply(batch), at once        the owner
 *                  ─▶ a Fetch: park the group             run() elsewhere, then end() by the owner;
 *                                                         then fetch(batch) again
 *   batch.walks()  ─▶ apply(batch) where one may wait     the group is parked, and the other thread
 *                                                         owns the state until it returns
 * </pre>
 *
 * A parked group applies nothing and answers nothing from what it would have applied. All else of
 * it goes on: it appends, acknowledges, votes, beats. Other groups are not concerned, since a state
 * is one partition's. A fetch may begin while earlier entries are applied; a flush that ends
 * meanwhile makes it void, and {@link #fetch} then says so by another one.
 *
 * <p>Not known beforehand is only what answers of other sizes than usual do to the bytes that ids
 * may take: then the owner waits for a row or two.
 *
 * <p>Threads: the state's owner, but where it says otherwise. Invariants:
 *
 * <ol>
 *   <li>What an entry does depends on the entry and the state alone: no clock, no configuration, no
 *       random, and neither on where batches end nor on what is in memory.
 *   <li>An entry at or below the applied row is skipped.
 *   <li>What came of an entry is known once it is applied whole, so a reader who saw the reply sees
 *       the write. That it is durable the log has seen to.
 *   <li>A user's mistake is a result; an exception from here is a fault of this node, and stops the
 *       replica.
 * </ol>
 */
final class PartitionState {
  private final State state;
  private final KeyMetrics metrics;
  private final Keyspace keyspace;
  private final Requests requests;

  PartitionState(State state, KeyMetrics metrics) {
    this.state = state;
    this.metrics = metrics;
    this.keyspace = new StateKeyspace(state);
    this.requests =
        new Requests(
            keyspace,
            new Requests.Ids() {
              @Override
              public RequestIds.Recalled recall(RequestId id) {
                return state.recall(id);
              }

              @Override
              public void remember(RequestId id, byte[] answer) {
                state.remember(id, answer);
              }
            });
  }

  // ---- Applying ----

  /** Entries that follow one another, as they were read. For one {@link #apply}. */
  static final class Batch {
    private final List<Entry> entries;
    private final List<EntryCodec.Entry> decoded;
    private final Wanted wanted;
    private final boolean walks;
    private final List<Fetch> fetches = new ArrayList<>();

    private Batch(List<Entry> entries, List<EntryCodec.Entry> decoded) {
      this.entries = entries;
      this.decoded = decoded;
      List<byte[]> keys = new ArrayList<>();
      List<RequestId> ids = new ArrayList<>();
      boolean anyWalks = false;
      long timeMillis = 0;
      for (EntryCodec.Entry entry : decoded) {
        timeMillis = Math.max(timeMillis, entry.partitionTimeMillis());
        for (Request request : entry.requests()) {
          request.id().ifPresent(ids::add);
          for (Operation operation : request.operations()) {
            keys.addAll(operation.keys());
            anyWalks |= operation.walks();
          }
        }
      }
      wanted = new Wanted(keys, ids, entries.size(), timeMillis);
      walks = anyWalks;
    }

    /**
     * Whether it looks at keys that it does not name: a sweep, a range among writes. What these ask
     * for cannot be fetched, so it is applied where one may wait.
     */
    boolean walks() {
      return walks;
    }

    /** What was fetched is not needed any more. For the owner; also of a batch that failed. */
    void letGo() {
      fetches.forEach(Fetch::close);
      fetches.clear();
    }
  }

  /**
   * Reads entries. Threads: any.
   *
   * @throws IOException for bytes that are no entry, or of a format that is not known: the replica
   *     stops
   */
  static Batch read(List<Entry> entries) throws IOException {
    List<EntryCodec.Entry> decoded = new ArrayList<>(entries.size());
    for (Entry entry : entries) {
      decoded.add(EntryCodec.decode(entry.data()));
    }
    return new Batch(List.copyOf(entries), decoded);
  }

  /** What is to be fetched before the batch can be applied without waiting; empty for nothing. */
  Optional<Fetch> fetch(Batch batch) {
    Optional<Fetch> fetch = state.beginFetch(batch.wanted);
    fetch.ifPresent(batch.fetches::add);
    return fetch;
  }

  /**
   * What came of an entry.
   *
   * @param results what each of its requests was answered
   */
  record Outcome(Entry entry, List<List<Result>> results) {
    /**
     * Tells whoever proposed it here. Threads: any; not the state's owner, as long as it is that.
     */
    void tell() {
      entry
          .proposal()
          .map(InFlight.class::cast)
          .ifPresent(proposal -> proposal.applied(results, entry.index(), entry.term()));
    }
  }

  /** Applies a batch, and lets go of what was fetched for it; an entry that is skipped has none. */
  List<Outcome> apply(Batch batch) {
    List<Outcome> outcomes = new ArrayList<>(batch.entries.size());
    for (int i = 0; i < batch.entries.size(); i++) {
      apply(batch.entries.get(i), batch.decoded.get(i)).ifPresent(outcomes::add);
    }
    batch.letGo();
    return outcomes;
  }

  private Optional<Outcome> apply(Entry entry, EntryCodec.Entry decoded) {
    if (!state.begin(entry.index(), entry.term(), decoded.partitionTimeMillis())) {
      return Optional.empty();
    }
    List<List<Result>> results = requests.apply(decoded.requests());
    state.end();
    if (entry.proposal().isPresent()) {
      metrics.take(keyspace.lookups());
    } else {
      keyspace.lookups().clear();
    }
    return Optional.of(new Outcome(entry, results));
  }

  // ---- Reading ----

  /**
   * Answers requests from what was applied, as {@link ReadView} does from a store; at once. Empty
   * when a key's time is up by the clock and not by the log, when memory does not know a key, or
   * where that would take long: then {@link #answer} is asked, of a view and elsewhere.
   *
   * @param nowMillis partition time by the clock
   * @param lookups told of what was looked up if there is an answer
   */
  Optional<BatchReply> answerFromMemory(
      List<List<Query>> requests, long nowMillis, KeyMetrics lookups) {
    if (requests.size() > ReadView.MEMORY_REQUESTS_MAX) {
      return Optional.empty();
    }
    ReadView view = new ReadView(new Memory(), state.timeMillis(), nowMillis, state.keys());
    try {
      return ReadView.answer(view, requests, () -> state.applied().index(), 0, lookups);
    } catch (NotInMemoryException e) {
      return Optional.empty();
    }
  }

  /**
   * Answers requests from a view of a state; may wait. Threads: one, any.
   *
   * @param ageMillis as of {@link ReadView#answer}
   */
  static Optional<BatchReply> answer(
      View view, List<List<Query>> requests, long nowMillis, long ageMillis, KeyMetrics metrics) {
    return ReadView.answer(
        new ReadView(keys(view), view.applied().timeMillis(), nowMillis, view.applied().keys()),
        requests,
        () -> view.applied().index(),
        ageMillis,
        metrics);
  }

  /** The keys of a view, expired or not. */
  static StoredKeys keys(View view) {
    return new StoredKeys() {
      @Override
      public Optional<ValueRecord> get(byte[] key) {
        return view.stored(key);
      }

      @Override
      public Optional<byte[]> scan(KeyRange range, int keysMax, ScannedKey.Visitor visitor) {
        return view.scan(
            range.from(),
            range.to(),
            keysMax,
            (key, record) -> visitor.visit(ScannedKey.of(key, record)));
      }
    };
  }

  /** What memory knows, and so much of it and no more; for one question. */
  private final class Memory implements StoredKeys {
    private long bytesLeft = ReadView.MEMORY_BYTES_MAX;

    @Override
    public Optional<ValueRecord> get(byte[] key) {
      Optional<ValueRecord> record =
          state.stored(
              key,
              () -> {
                throw new NotInMemoryException();
              });
      bytesLeft -= record.map(ValueRecord::encodedBytes).orElse(0);
      if (bytesLeft < 0) {
        throw new NotInMemoryException();
      }
      return record;
    }

    @Override
    public Optional<byte[]> scan(KeyRange range, int keysMax, ScannedKey.Visitor visitor) {
      throw new NotInMemoryException();
    }
  }
}

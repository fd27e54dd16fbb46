// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.operation.Condition;
import dev.cairn.server.operation.EntryCodec;
import dev.cairn.server.operation.Expiry;
import dev.cairn.server.operation.KeyOperation;
import dev.cairn.server.operation.Mistake;
import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Request;
import dev.cairn.server.operation.Result;
import dev.cairn.server.operation.ValueOperation;
import dev.cairn.server.raft.GroupListener.Configuration;
import dev.cairn.server.raft.GroupListener.Entry;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.storage.EngineConfig;
import dev.cairn.server.storage.PartitionFolder;
import dev.cairn.server.storage.PartitionIdentity;
import dev.cairn.server.storage.StorageEngine;
import dev.cairn.server.storage.StorageException;
import dev.cairn.server.value.Digest;
import dev.cairn.state.Applied;
import dev.cairn.state.Cursor;
import dev.cairn.state.Database;
import dev.cairn.state.RequestIds;
import dev.cairn.state.ValueRecord;
import dev.cairn.state.View;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A replica's state over its folder: what entries come to, through flushes and starts. */
class ReplicaStateTest {
  private static final PartitionIdentity IDENTITY = new PartitionIdentity("c".repeat(40), 3, 1);
  private static final int KEYS = 12;

  private final KeyMetrics keys = KeyMetrics.of(new Metrics());

  @TempDir Path temp;

  private final StorageEngine engine =
      StorageEngine.open(EngineConfig.DEFAULT, damage -> {}, new Metrics());
  private final Map<Integer, String> model = new TreeMap<>();
  private final WriteMemory memory = new WriteMemory(64 << 20, Runnable::run);
  private ReplicaState state;

  private void open(Path path) {
    PartitionFolder folder = PartitionFolder.open(engine, path, IDENTITY);
    state = new ReplicaState(folder, RequestIds.Bounds.DEFAULT, keys, memory);
  }

  @AfterEach
  void close() {
    if (state != null) {
      state.close();
    }
    engine.close();
  }

  @Test
  void doesWhatAPlainMapDoesThroughFlushesStartsAndCrashes() throws IOException {
    for (long seed = 1; seed <= 5; seed++) {
      Random random = new Random(seed);
      model.clear();
      Path path = temp.resolve("seed" + seed);
      open(path);
      List<Entry> log = new ArrayList<>();
      for (int round = 0; round < 40; round++) {
        String as = "seed " + seed + ", round " + round;
        for (int i = 0; i <= random.nextInt(4); i++) {
          List<List<Result>> expected = new ArrayList<>();
          log.add(entry(log.size() + 1, randomOperations(random, expected)));
          assertThat(applied(log.get(log.size() - 1))).as(as).isEqualTo(expected);
        }
        assertSameAsModel(as);
        if (random.nextInt(6) == 0) {
          assertThat(state.flush()).isEqualTo(log.size());
          assertSameAsModel(as + ", after a flush");
        }
        int dice = random.nextInt(10);
        if (dice < 2) {
          long durable = state.durableIndex();
          if (dice == 0) {
            Path crashed = temp.resolve("seed" + seed + "at" + round);
            FolderCopies.copy(path, crashed);
            path = crashed;
          }
          state.close();
          open(path);
          assertThat(state.applied().index()).as(as).isEqualTo(dice == 0 ? durable : log.size());
          assertThat(state.durableIndex()).isEqualTo(state.applied().index());
          int from = random.nextInt((int) state.applied().index() + 1);
          for (Entry entry : log.subList(from, log.size())) {
            boolean skipped = entry.index() <= state.applied().index();
            assertThat(state.apply(entry)).as(as).hasSize(skipped ? 0 : 1);
          }
          assertSameAsModel(as + ", after a start");
        }
      }
      state.close();
    }
  }

  @Test
  void operationCounterCountsChangesOnly() throws IOException {
    open(temp.resolve("p"));
    state.apply(
        entry(
            1,
            List.of(
                List.of(put(1, "a"), put(1, "b")), List.of(delete(1), delete(1), put(2, "c")))));
    assertThat(state.applied().counter()).isEqualTo(4);
    assertThat(stored(key(2)).orElseThrow().version()).isEqualTo(4);
  }

  @Test
  void twoWritesOfOneProposalDifferAndTheFirstOnesCompareAndSetIsRefused() throws IOException {
    open(temp.resolve("p"));
    List<List<List<Result>>> replies = new ArrayList<>();
    Entry both = entry(1, List.of(List.of(put(1, "a")), List.of(put(1, "b"))));
    replies.add(applied(both));
    assertThat(stored(key(1)).orElseThrow().version()).isEqualTo(2);
    Entry compared = entry(2, List.of(List.of(putIf(1, "c", "a")), List.of(putIf(1, "d", "b"))));
    replies.add(applied(compared));
    assertThat(replies.get(1))
        .isEqualTo(List.of(List.of(new Result.Nil()), List.of(new Result.Ok())));
    assertThat(stored(key(1)).orElseThrow().value()).isEqualTo("d".getBytes(UTF_8));

    // The same value twice: only versions tell one write from the other.
    Operation version = new Operation.Read(new Query.Version(key(1)));
    Entry twice = entry(3, List.of(List.of(put(1, "e"), version), List.of(put(1, "e"), version)));
    replies.add(applied(twice));
    assertThat(replies.get(2))
        .isEqualTo(
            List.of(
                List.of(new Result.Ok(), new Result.Int(4)),
                List.of(new Result.Ok(), new Result.Int(5))));
    assertThat(applied(4, transaction(List.of(seen(1, 4)), put(1, "f"))))
        .isEqualTo(List.of(new Result.Nil()));
    assertThat(applied(5, digestPut(1, "f", "d"), transaction(List.of(seen(1, 5)), put(1, "g"))))
        .isEqualTo(List.of(new Result.Nil(), new Result.Many(List.of(new Result.Ok()))));
    assertThat(applied(6, digestPut(1, "h", "g"))).isEqualTo(List.of(new Result.Ok()));
  }

  @Test
  void aTransactionIsOneStepThatSeesItselfAndNothingWhereAVersionIsAnother() throws IOException {
    open(temp.resolve("p"));
    assertThat(applied(1, put(1, "a"), new ValueOperation.Increment(key(2), 5)))
        .isEqualTo(List.of(new Result.Ok(), new Result.Int(5)));
    Result[] both =
        applied(
                2,
                transaction(
                    List.of(seen(1, 1), seen(3, 0)),
                    read(1),
                    put(1, "b"),
                    new ValueOperation.Increment(key(1), 1),
                    read(1),
                    delete(2)),
                transaction(List.of(seen(1, 1)), put(1, "c"), delete(1)))
            .toArray(new Result[0]);
    List<Result> first = ((Result.Many) both[0]).results();
    assertThat(first).hasSize(5);
    assertThat(((Result.Bytes) first.get(0)).value()).isEqualTo("a".getBytes(UTF_8));
    assertThat(first.get(2)).as("one fails alone").isInstanceOf(Result.Failed.class);
    assertThat(((Result.Bytes) first.get(3)).value()).isEqualTo("b".getBytes(UTF_8));
    assertThat(first.get(4)).isEqualTo(new Result.Int(1));
    assertThat(both[1])
        .as("key1 has another version in the same proposal")
        .isEqualTo(new Result.Nil());
    assertThat(state.applied().counter()).isEqualTo(4);
    // Deleted and made anew with the same value: another version. A missing key: 0.
    applied(3, delete(1), put(1, "b"));
    assertThat(applied(4, transaction(List.of(seen(1, 3)), delete(1))))
        .isEqualTo(List.of(new Result.Nil()));
    assertThat(applied(5, transaction(List.of(seen(1, 0)), delete(1))))
        .isEqualTo(List.of(new Result.Nil()));
    assertThat(applied(6, transaction(List.of(seen(1, 6), seen(9, 0)), delete(1))))
        .isEqualTo(List.of(new Result.Many(List.of(new Result.Int(1)))));
    assertThat(applied(7, transaction(List.of(seen(9, 6)), put(9, "x"))))
        .isEqualTo(List.of(new Result.Nil()));
  }

  @Test
  void aKeyThatExpiredHasAnotherVersionThanItHad() throws IOException {
    open(temp.resolve("p"));
    state.apply(entry(1, 1_000, List.of(List.of(expiring(1, 500)))));
    List<List<List<Result>>> replies = new ArrayList<>();
    Operation guarded = transaction(List.of(seen(1, 1)), put(2, "x"));
    Operation guardedByAbsence = transaction(List.of(seen(1, 0)), put(3, "x"));
    Entry before = entry(2, 1_499, List.of(List.of(guarded)));
    Entry after = entry(3, 1_500, List.of(List.of(guarded, guardedByAbsence)));
    replies.add(applied(before));
    replies.add(applied(after));
    Result done = new Result.Many(List.of(new Result.Ok()));
    assertThat(replies)
        .isEqualTo(List.of(List.of(List.of(done)), List.of(List.of(new Result.Nil(), done))));
  }

  @Test
  void theAnswersOfATransactionAreBounded() throws IOException {
    open(temp.resolve("p"));
    Operation large =
        new Operation.Put(key(1), new byte[(int) KeyOperation.Transaction.ANSWER_BYTES_MAX]);
    List<Result> results =
        ((Result.Many)
                applied(1, large, transaction(List.of(), read(1), read(1), put(2, "x"), delete(1)))
                    .get(1))
            .results();
    assertThat(results.get(0)).isInstanceOf(Result.Bytes.class);
    assertThat(results.subList(1, 4))
        .isEqualTo(
            List.of(
                new Result.Failed(Mistake.ANSWERS_TOO_LARGE), new Result.Ok(), new Result.Int(1)));
  }

  @Test
  void keyIsGoneByTheTimeOfAnAppliedEntryAndNeverBack() throws IOException {
    open(temp.resolve("p"));
    state.apply(entry(1, 1_000, List.of(List.of(expiring(1, 500)))));
    Query exists = new Query.Exists(key(1));
    assertThat(answer(exists)).isEqualTo(new Result.Int(1));
    assertThat(state.answer(List.of(List.of(exists)), 1_499, 0, keys)).isPresent();
    assertThat(state.answer(List.of(List.of(exists)), 1_500, 0, keys))
        .as("its time is up by the clock only: not to be answered yet")
        .isEmpty();
    state.apply(entry(2, 1_500, List.of()));
    assertThat(answer(exists)).isEqualTo(new Result.Int(0));
    assertThat(state.answer(List.of(List.of(exists)), 0, 0, keys)).isPresent();
    state.apply(entry(3, 900, List.of(List.of(new ValueOperation.Increment(key(1), 1)))));
    assertThat(stored(key(1)).orElseThrow().value())
        .as("a new value, although its entry carries an older time")
        .isEqualTo("1".getBytes(UTF_8));
    assertThat(answer(new Query.Count())).isEqualTo(new Result.Int(1));
  }

  @Test
  void sweepRemovesWhatHasExpiredAtMostSoMuchAndNothingElse() throws IOException {
    open(temp.resolve("p"));
    List<Operation> puts = new ArrayList<>();
    for (int key = 0; key < 5; key++) {
      puts.add(expiring(key, 10 + key));
    }
    state.apply(entry(1, 1_000, List.of(puts)));
    assertThat(state.anyExpires(1_009)).isFalse();
    assertThat(state.anyExpires(1_010)).isTrue();
    // One is prolonged and one replaced in the very batch that sweeps.
    state.apply(entry(2, 1_009, List.of(List.of(expiring(0, 100), put(1, "stays")))));
    state.apply(entry(3, 1_014, List.of(List.of(new Operation.Sweep(2)))));
    assertThat(answer(new Query.Count())).isEqualTo(new Result.Int(3));
    state.apply(entry(4, 1_014, List.of(List.of(new Operation.Sweep(2)))));
    assertThat(answer(new Query.Count())).isEqualTo(new Result.Int(2));
    state.apply(entry(5, 1_014, List.of(List.of(new Operation.Sweep(2)))));
    assertThat(answer(new Query.Count())).isEqualTo(new Result.Int(2));
    assertThat(state.anyExpires(1_108)).isFalse();
    assertThat(state.mayExpire(1_108)).as("it has looked").isFalse();
    assertThat(state.anyExpires(1_109)).isTrue();
    state.apply(entry(6, 2_000, List.of(List.of(new Operation.Clear()))));
    assertThat(answer(new Query.Count())).isEqualTo(new Result.Int(0));
    assertThat(state.anyExpires(Long.MAX_VALUE - 2)).isFalse();
    assertThat(stored(key(1))).isEmpty();
  }

  @Test
  void whatASweepDoesDoesNotDependOnFlushes() throws IOException {
    for (long seed = 1; seed <= 4; seed++) {
      Random random = new Random(seed);
      List<Entry> log = new ArrayList<>();
      for (int i = 1; i <= 60; i++) {
        int key = random.nextInt(KEYS);
        List<Operation> operations = new ArrayList<>();
        operations.add(random.nextInt(3) == 0 ? put(key, "stays") : expiring(key, 5));
        if (random.nextInt(3) == 0) {
          operations.add(new Operation.Sweep(1 + random.nextInt(3)));
        }
        if (random.nextInt(20) == 0) {
          operations.add(0, new Operation.Clear());
        }
        log.add(entry(i, 1_000 + 2 * i, List.of(operations)));
      }
      String never = outcome("never" + seed, log, 100);
      assertThat(outcome("always" + seed, log, 1)).as("seed " + seed).isEqualTo(never);
      assertThat(outcome("some" + seed, log, 7)).as("seed " + seed).isEqualTo(never);
    }
  }

  /** What a log comes to: how far its counters are, and the version of each key. */
  private String outcome(String name, List<Entry> log, int entriesAFlush) throws IOException {
    open(temp.resolve(name));
    for (Entry entry : log) {
      state.apply(entry);
      if (entry.index() % entriesAFlush == 0) {
        state.flush();
      }
    }
    StringBuilder outcome = new StringBuilder(state.applied().toString());
    for (int key = 0; key < KEYS; key++) {
      outcome.append(' ').append(stored(key(key)).map(ValueRecord::version));
    }
    state.close();
    return outcome.toString();
  }

  @Test
  void partitionTimeNeverGoesBack() throws IOException {
    open(temp.resolve("p"));
    state.apply(entry(1, 500, List.of()));
    state.apply(entry(2, 400, List.of()));
    assertThat(state.applied().timeMillis()).isEqualTo(500);
  }

  @Test
  void whatChangesNothingIsAppliedToo() throws IOException {
    open(temp.resolve("p"));
    applied(1, put(1, "a"));
    state.pass(2, 3);
    assertThat(state.applied().index()).isEqualTo(2);
    assertThat(state.voters()).isEmpty();
    Peer voter = new Peer("a", 2);
    state.configure(new Configuration(3, 4, List.of(voter), List.of(), List.of()));
    assertThat(state.applied().index()).isEqualTo(3);
    assertThat(state.applied().term()).isEqualTo(4);
    state.pass(1, 1);
    assertThat(state.applied().index()).as("never back").isEqualTo(3);
    assertThat(state.voters()).containsExactly(voter.toString());
    state.close();
    open(temp.resolve("p"));
    assertThat(state.voters()).containsExactly(voter.toString());
  }

  @Test
  void anEntryThatIsMissingIsNoticed() throws IOException {
    open(temp.resolve("p"));
    applied(1, put(1, "a"));
    assertThatThrownBy(() -> applied(3, put(1, "b"))).isInstanceOf(IllegalStateException.class);
    assertThat(applied(2, read(1)).get(0)).isInstanceOf(Result.Bytes.class);
  }

  /** Although a view of the state before was in use while the database was compacted. */
  @Test
  void whatWasDeletedGoesFromTheDiskThoughNothingIsWrittenAnyMore() throws IOException {
    open(temp.resolve("p"));
    Random random = new Random(1);
    for (int round = 0; round < 3; round++) {
      List<Operation> puts = new ArrayList<>();
      List<Operation> deletes = new ArrayList<>();
      for (int key = 0; key < 2_000; key++) {
        byte[] value = new byte[500];
        random.nextBytes(value);
        puts.add(new Operation.Put(key(key), value));
        deletes.add(delete(key));
      }
      long index = state.applied().index();
      applied(index + 1, puts.toArray(new Operation[0]));
      state.flush();
      assertThat(state.folder().diskBytes()).isGreaterThan(1_000_000);
      applied(index + 2, deletes.toArray(new Operation[0]));
      state.flush();
      await().until(() -> state.folder().diskBytes() < 100_000);
    }
  }

  @Test
  void whatIsHeldIsTold() throws IOException {
    open(temp.resolve("p"));
    long empty = state.heldBytes();
    assertThat(memory.heldBytes()).isEqualTo(empty);
    applied(1, put(1, "a".repeat(100_000)));
    assertThat(state.heldBytes()).isGreaterThan(100_000);
    assertThat(memory.heldBytes()).isEqualTo(state.heldBytes());
    assertThat(state.canFlush()).isTrue();
    assertThat(state.flush()).isEqualTo(1);
    assertThat(state.canFlush()).isFalse();
    assertThat(memory.heldBytes()).isEqualTo(state.heldBytes()).isEqualTo(empty);
    applied(2, put(1, "a".repeat(100_000)));
    state.close();
    assertThat(memory.heldBytes()).isZero();
    state.close();
    assertThat(memory.heldBytes()).as("once").isZero();
  }

  @Test
  @Timeout(60)
  void rowsThatCannotBeReadAreDamageAndCloseTheFolder() {
    PartitionFolder folder = PartitionFolder.open(engine, temp.resolve("p"), IDENTITY);
    byte[] idsRow = {3, 2};
    Applied row = new Applied(1, 1, 0, 0, 0, 0, new byte[0]);
    folder.write(new Database.Batch(false, () -> oneRow(idsRow, new byte[] {99}), row));
    folder.sync();
    folder.close();
    for (int i = 0; i < 2; i++) {
      assertThatThrownBy(() -> open(temp.resolve("p")))
          .isInstanceOfSatisfying(
              StorageException.class,
              e -> assertThat(e.kind()).isEqualTo(StorageException.Kind.DAMAGED))
          .hasMessageContaining("format 99");
    }
    assertThat(memory.heldBytes()).isZero();
  }

  private static Cursor oneRow(byte[] key, byte[] value) {
    return new Cursor() {
      private boolean passed;

      @Override
      public boolean next() {
        boolean first = !passed;
        passed = true;
        return first;
      }

      @Override
      public byte[] key() {
        return key;
      }

      @Override
      public byte[] value() {
        return value;
      }
    };
  }

  @Test
  void whatIsClosedDoesNothing() throws IOException {
    open(temp.resolve("p"));
    applied(1, put(1, "a"));
    state.close();
    List<List<Query>> one = List.of(List.of(new Query.Get(key(1))));
    assertThat(state.answerFromMemory(one, 0, keys)).isEmpty();
    assertThat(state.mayExpire(0)).isFalse();
    assertThatThrownBy(() -> state.answer(one, 0, 0, keys)).hasMessageContaining("closed");
    assertThatThrownBy(() -> applied(2, put(1, "b"))).hasMessageContaining("closed");
    assertThatThrownBy(state::view).hasMessageContaining("closed");
  }

  @Test
  void entryOfAnotherFormatStopsTheReplica() {
    open(temp.resolve("p"));
    Entry newer = new Entry(1, 1, new byte[] {2}, Optional.empty());
    assertThatThrownBy(() -> state.apply(newer))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("format 2");
  }

  private List<List<Operation>> randomOperations(Random random, List<List<Result>> expected) {
    List<List<Operation>> requests = new ArrayList<>();
    for (int i = 0; i < random.nextInt(3); i++) {
      List<Operation> operations = new ArrayList<>();
      List<Result> results = new ArrayList<>();
      for (int j = 0; j <= random.nextInt(4); j++) {
        int key = random.nextInt(KEYS);
        if (random.nextInt(3) > 0) {
          String value = "v" + random.nextInt();
          model.put(key, value);
          operations.add(put(key, value));
          results.add(new Result.Ok());
        } else {
          operations.add(delete(key));
          results.add(new Result.Int(model.remove(key) == null ? 0 : 1));
        }
      }
      requests.add(operations);
      expected.add(results);
    }
    return requests;
  }

  private void assertSameAsModel(String as) {
    for (int key = 0; key < KEYS; key++) {
      Optional<String> found = stored(key(key)).map(record -> new String(record.value(), UTF_8));
      assertThat(found).as(as).isEqualTo(Optional.ofNullable(model.get(key)));
      assertThat(answer(new Query.Exists(key(key))))
          .as(as)
          .isEqualTo(new Result.Int(model.containsKey(key) ? 1 : 0));
    }
    assertThat(answer(new Query.Count())).as(as).isEqualTo(new Result.Int(model.size()));
  }

  private Result answer(Query query) {
    BatchReply reply = state.answer(List.of(List.of(query)), 0, 0, keys).orElseThrow();
    return ((BatchReply.Done) reply).results().get(0).get(0);
  }

  private Optional<ValueRecord> stored(byte[] key) {
    try (View view = state.view()) {
      return view.stored(key);
    }
  }

  /** Applies an entry; what its requests were answered. */
  private List<List<Result>> applied(Entry entry) throws IOException {
    return state.apply(entry).get(0).results();
  }

  private static Entry entry(long index, List<List<Operation>> requests) {
    return entry(index, 1_000 + index, requests);
  }

  private static Entry entry(long index, long timeMillis, List<List<Operation>> requests) {
    byte[] data =
        EntryCodec.encode(
            new EntryCodec.Entry(
                timeMillis,
                requests.stream()
                    .map(operations -> new Request(Optional.empty(), operations))
                    .toList()));
    return new Entry(index, 1, data, Optional.empty());
  }

  /** Applies one request as an entry of its own; its results. */
  private List<Result> applied(long index, Operation... operations) throws IOException {
    return applied(entry(index, List.of(List.of(operations)))).get(0);
  }

  private static Operation transaction(List<KeyOperation.Seen> seen, Operation... operations) {
    return new KeyOperation.Transaction(seen, List.of(operations));
  }

  private static KeyOperation.Seen seen(int key, long version) {
    return new KeyOperation.Seen(key(key), version);
  }

  private static Operation read(int key) {
    return new Operation.Read(new Query.Get(key(key)));
  }

  private static Operation put(int key, String value) {
    return new Operation.Put(key(key), value.getBytes(UTF_8));
  }

  private static Operation putIf(int key, String value, String expected) {
    return new Operation.Put(
        key(key),
        value.getBytes(UTF_8),
        Expiry.NEVER,
        new Condition(Condition.Kind.IF_EQUAL, expected.getBytes(UTF_8)),
        false);
  }

  /** Where the digest of what stands there is that of a value. */
  private static Operation digestPut(int key, String value, String expected) {
    byte[] digest = Digest.of(expected.getBytes(UTF_8)).getBytes(UTF_8);
    return new Operation.Put(
        key(key),
        value.getBytes(UTF_8),
        Expiry.NEVER,
        new Condition(Condition.Kind.IF_DIGEST_EQUAL, digest),
        false);
  }

  private static Operation expiring(int key, long millis) {
    return new Operation.Put(
        key(key),
        "v".getBytes(UTF_8),
        new Expiry(Expiry.Kind.AFTER, millis),
        Condition.ALWAYS,
        false);
  }

  private static Operation delete(int key) {
    return new Operation.Delete(key(key));
  }

  private static byte[] key(int number) {
    return ("key" + number).getBytes(UTF_8);
  }
}

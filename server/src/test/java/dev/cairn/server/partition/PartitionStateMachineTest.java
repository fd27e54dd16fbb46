// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import dev.cairn.server.raft.GroupListener.SnapshotPoint;
import dev.cairn.server.storage.DurableFiles;
import dev.cairn.server.storage.EngineConfig;
import dev.cairn.server.storage.PartitionFolder;
import dev.cairn.server.storage.PartitionIdentity;
import dev.cairn.server.storage.StorageEngine;
import dev.cairn.server.value.Digest;
import dev.cairn.state.RequestIds;
import dev.cairn.state.ValueRecord;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PartitionStateMachineTest {
  private static final PartitionIdentity IDENTITY = new PartitionIdentity("c".repeat(40), 3, 1);
  private static final int KEYS = 12;

  private final KeyMetrics keys = KeyMetrics.of(new Metrics());

  @TempDir Path temp;

  private final StorageEngine engine =
      StorageEngine.open(EngineConfig.DEFAULT, damage -> {}, new Metrics());
  private final Map<Integer, String> model = new TreeMap<>();
  private PartitionFolder folder;
  private PartitionStateMachine machine;

  private void open(Path path) {
    folder = PartitionFolder.open(engine, path, IDENTITY);
    machine = new PartitionStateMachine(folder, RequestIds.Bounds.DEFAULT, keys);
  }

  @AfterEach
  void close() {
    if (folder != null) {
      folder.close();
    }
    engine.close();
  }

  @Test
  void doesWhatAPlainMapDoesThroughRestartsAndReplay() throws IOException {
    for (long seed = 1; seed <= 5; seed++) {
      Random random = new Random(seed);
      model.clear();
      open(temp.resolve("seed" + seed));
      List<Entry> log = new ArrayList<>();
      for (int round = 0; round < 40; round++) {
        int from = log.size();
        List<List<Result>> expected = new ArrayList<>();
        List<BatchReply> replies = new ArrayList<>();
        for (int i = 0; i <= random.nextInt(4); i++) {
          log.add(entry(log.size() + 1, randomOperations(random, expected)));
        }
        for (Entry entry : log.subList(from, log.size())) {
          machine.apply(entry, Optional.of(waiting(entry, replies)));
        }
        assertThat(replies).as("not before the batch is written").isEmpty();
        machine.flushBatch();
        String as = "seed " + seed + ", round " + round;
        assertThat(results(replies)).as(as).isEqualTo(expected);
        assertSameAsModel(as);
        if (random.nextInt(10) == 0) {
          folder.close();
          open(temp.resolve("seed" + seed));
          for (Entry entry : log.subList(random.nextInt(log.size()), log.size())) {
            machine.apply(entry, Optional.empty());
          }
          machine.flushBatch();
          assertSameAsModel(as + ", after restart and replay");
        }
      }
      folder.close();
    }
  }

  @Test
  void operationCounterCountsChangesOnly() throws IOException {
    open(temp.resolve("p"));
    machine.apply(
        entry(
            1,
            List.of(List.of(put(1, "a"), put(1, "b")), List.of(delete(1), delete(1), put(2, "c")))),
        Optional.empty());
    machine.flushBatch();
    assertThat(folder.store().applied().operationCounter()).isEqualTo(4);
    assertThat(folder.store().get(key(2)).orElseThrow().version()).isEqualTo(4);
  }

  @Test
  void twoWritesOfOneProposalDifferAndTheFirstOnesCompareAndSetIsRefused() throws IOException {
    open(temp.resolve("p"));
    List<BatchReply> replies = new ArrayList<>();
    Entry both = entry(1, List.of(List.of(put(1, "a")), List.of(put(1, "b"))));
    machine.apply(both, Optional.of(waiting(both, replies)));
    machine.flushBatch();
    assertThat(folder.store().get(key(1)).orElseThrow().version()).isEqualTo(2);
    Entry compared = entry(2, List.of(List.of(putIf(1, "c", "a")), List.of(putIf(1, "d", "b"))));
    machine.apply(compared, Optional.of(waiting(compared, replies)));
    machine.flushBatch();
    assertThat(results(List.of(replies.get(1))))
        .isEqualTo(List.of(List.of(new Result.Nil()), List.of(new Result.Ok())));
    assertThat(folder.store().get(key(1)).orElseThrow().value()).isEqualTo("d".getBytes(UTF_8));

    // The same value twice: only versions tell one write from the other.
    Operation version = new Operation.Read(new Query.Version(key(1)));
    Entry twice = entry(3, List.of(List.of(put(1, "e"), version), List.of(put(1, "e"), version)));
    machine.apply(twice, Optional.of(waiting(twice, replies)));
    machine.flushBatch();
    assertThat(results(List.of(replies.get(2))))
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
    assertThat(folder.store().applied().operationCounter()).isEqualTo(4);
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
    machine.apply(entry(1, 1_000, List.of(List.of(expiring(1, 500)))), Optional.empty());
    List<BatchReply> replies = new ArrayList<>();
    Operation guarded = transaction(List.of(seen(1, 1)), put(2, "x"));
    Operation guardedByAbsence = transaction(List.of(seen(1, 0)), put(3, "x"));
    Entry before = entry(2, 1_499, List.of(List.of(guarded)));
    Entry after = entry(3, 1_500, List.of(List.of(guarded, guardedByAbsence)));
    machine.apply(before, Optional.of(waiting(before, replies)));
    machine.apply(after, Optional.of(waiting(after, replies)));
    machine.flushBatch();
    Result done = new Result.Many(List.of(new Result.Ok()));
    assertThat(results(replies)).isEqualTo(List.of(List.of(done), List.of(new Result.Nil(), done)));
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
    machine.apply(entry(1, 1_000, List.of(List.of(expiring(1, 500)))), Optional.empty());
    machine.flushBatch();
    Query exists = new Query.Exists(key(1));
    assertThat(answer(exists)).isEqualTo(new Result.Int(1));
    assertThat(ReadView.answer(folder.store(), List.of(List.of(exists)), 1_499, 0, keys))
        .isPresent();
    assertThat(ReadView.answer(folder.store(), List.of(List.of(exists)), 1_500, 0, keys))
        .as("its time is up by the clock only: not to be answered yet")
        .isEmpty();
    machine.apply(entry(2, 1_500, List.of()), Optional.empty());
    machine.flushBatch();
    assertThat(answer(exists)).isEqualTo(new Result.Int(0));
    assertThat(ReadView.answer(folder.store(), List.of(List.of(exists)), 0, 0, keys)).isPresent();
    machine.apply(
        entry(3, 900, List.of(List.of(new ValueOperation.Increment(key(1), 1)))), Optional.empty());
    machine.flushBatch();
    assertThat(folder.store().get(key(1)).orElseThrow().value())
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
    machine.apply(entry(1, 1_000, List.of(puts)), Optional.empty());
    machine.flushBatch();
    assertThat(folder.store().anyExpiring(1_009)).isFalse();
    assertThat(folder.store().anyExpiring(1_010)).isTrue();
    // One is prolonged and one replaced in the very batch that sweeps.
    machine.apply(
        entry(2, 1_009, List.of(List.of(expiring(0, 100), put(1, "stays")))), Optional.empty());
    machine.apply(entry(3, 1_014, List.of(List.of(new Operation.Sweep(2)))), Optional.empty());
    machine.flushBatch();
    assertThat(answer(new Query.Count())).isEqualTo(new Result.Int(3));
    machine.apply(entry(4, 1_014, List.of(List.of(new Operation.Sweep(2)))), Optional.empty());
    machine.flushBatch();
    assertThat(answer(new Query.Count())).isEqualTo(new Result.Int(2));
    machine.apply(entry(5, 1_014, List.of(List.of(new Operation.Sweep(2)))), Optional.empty());
    machine.flushBatch();
    assertThat(answer(new Query.Count())).isEqualTo(new Result.Int(2));
    assertThat(folder.store().expiring(Long.MAX_VALUE, 10)).containsExactly(key(0));
    machine.apply(entry(6, 2_000, List.of(List.of(new Operation.Clear()))), Optional.empty());
    machine.flushBatch();
    assertThat(answer(new Query.Count())).isEqualTo(new Result.Int(0));
    assertThat(folder.store().expiring(Long.MAX_VALUE, 10)).isEmpty();
    assertThat(folder.store().get(key(1))).isEmpty();
  }

  /** Each replica makes batches of what was committed when it looked. */
  @Test
  void whatASweepDoesDoesNotDependOnWhereBatchesEnd() throws IOException {
    for (long seed = 1; seed <= 10; seed++) {
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
      String alone = outcome("alone" + seed, log, 1);
      assertThat(outcome("together" + seed, log, log.size())).as("seed " + seed).isEqualTo(alone);
      assertThat(outcome("some" + seed, log, 7)).as("seed " + seed).isEqualTo(alone);
    }
  }

  /** What a log comes to: how far its counters are, and the version of each key. */
  private String outcome(String name, List<Entry> log, int entriesABatch) throws IOException {
    open(temp.resolve(name));
    for (Entry entry : log) {
      machine.apply(entry, Optional.empty());
      if (entry.index() % entriesABatch == 0) {
        machine.flushBatch();
      }
    }
    machine.flushBatch();
    StringBuilder outcome = new StringBuilder(folder.store().applied().toString());
    for (int key = 0; key < KEYS; key++) {
      outcome.append(' ').append(folder.store().get(key(key)).map(ValueRecord::version));
    }
    folder.close();
    return outcome.toString();
  }

  @Test
  void partitionTimeNeverGoesBack() throws IOException {
    open(temp.resolve("p"));
    machine.apply(entry(1, 500, List.of()), Optional.empty());
    machine.apply(entry(2, 400, List.of()), Optional.empty());
    machine.flushBatch();
    assertThat(machine.partitionTimeMillis()).isEqualTo(500);
  }

  @Test
  void snapshotAheadOfTheDataIsRefusedUnlessItBringsTheData() throws IOException {
    open(temp.resolve("p"));
    machine.apply(entry(5, List.of(List.of(put(1, "a")))), Optional.empty());
    machine.flushBatch();
    assertThat(machine.load(point(5), Optional.empty(), new byte[0])).isTrue();
    assertThat(machine.load(point(6), Optional.empty(), new byte[0])).isFalse();
  }

  /** A copy of the data says that it covers them; so it must. */
  @Test
  void dataCoversWhatChangesNothingOfIt() throws IOException {
    open(temp.resolve("p"));
    machine.apply(entry(1, List.of(List.of(put(1, "a")))), Optional.empty());
    machine.passed(2, 3);
    machine.flushBatch();
    assertThat(folder.store().applied().index()).isEqualTo(2);
    machine.configurationCommitted(new Configuration(3, 4, List.of(), List.of(), List.of()));
    machine.flushBatch();
    assertThat(folder.store().applied().index()).isEqualTo(3);
    assertThat(folder.store().applied().term()).isEqualTo(4);
    machine.passed(1, 1);
    machine.flushBatch();
    assertThat(folder.store().applied().index()).as("never back").isEqualTo(3);
  }

  @Test
  void savedSnapshotIsDurableUpToItsIndex() {
    open(temp.resolve("p"));
    machine.save(point(9));
    assertThat(folder.store().durableIndex()).isEqualTo(9);
    assertThat(folder.store().applied().peers()).containsExactly("a:1:1");
  }

  /**
   * The steps are: the row, the data on disk, the meta, and only then does the log go. A crash is a
   * copy of what the disk holds at that moment, with the log as it is then.
   */
  @Test
  void aCrashBetweenAnyTwoStepsOfASnapshotLosesNothing() throws IOException {
    Random random = new Random(11);
    open(temp.resolve("p"));
    List<Entry> log = new ArrayList<>();
    List<Path> crashes = new ArrayList<>();
    List<Integer> logBegins = new ArrayList<>(); // how many entries of it are gone by then
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < 20; i++) {
        log.add(entry(log.size() + 1, randomOperations(random, new ArrayList<>())));
        machine.apply(log.get(log.size() - 1), Optional.empty());
      }
      machine.flushBatch();
      int gone = logBegins.isEmpty() ? 0 : logBegins.get(logBegins.size() - 1);
      crash(crashes, logBegins, gone); // before it
      machine.save(point(log.size()));
      crash(crashes, logBegins, gone); // the row and the data are on disk, the meta is not
      folder.saveSnapshotMeta(Integer.toString(log.size()).getBytes(UTF_8));
      crash(crashes, logBegins, gone); // the log has all of it still
      crash(crashes, logBegins, log.size()); // it is gone
    }
    folder.close();
    for (int i = 0; i < crashes.size(); i++) {
      open(crashes.get(i));
      String as = "crash " + i;
      int covered =
          folder.snapshotMeta().map(meta -> Integer.parseInt(new String(meta, UTF_8))).orElse(0);
      assertThat(covered).as(as).isGreaterThanOrEqualTo(logBegins.get(i));
      if (covered > 0) {
        assertThat(machine.load(point(covered), Optional.empty(), new byte[0])).as(as).isTrue();
      }
      for (Entry entry : log.subList(logBegins.get(i), log.size())) {
        machine.apply(entry, Optional.empty());
      }
      machine.flushBatch();
      assertSameAsModel(as);
      folder.close();
    }
  }

  private void crash(List<Path> crashes, List<Integer> logBegins, int gone) throws IOException {
    Path from = temp.resolve("p");
    Path to = temp.resolve("crash" + crashes.size());
    while (!copiedUnchanged(from, to)) {
      DurableFiles.deleteTree(to); // the database tidied up meanwhile
    }
    crashes.add(to);
    logBegins.add(gone);
  }

  private static boolean copiedUnchanged(Path from, Path to) throws IOException {
    List<String> before = names(from);
    try {
      for (String name : before) {
        Files.copy(from.resolve(name), to.resolve(name));
      }
    } catch (NoSuchFileException gone) {
      return false;
    }
    return names(from).equals(before);
  }

  private static List<String> names(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      return files.map(file -> root.relativize(file).toString()).sorted().toList();
    } catch (UncheckedIOException gone) {
      return List.of();
    }
  }

  @Test
  void entryOfAnotherFormatStopsTheReplica() {
    open(temp.resolve("p"));
    Entry newer = new Entry(1, 1, new byte[] {2}, Optional.empty());
    assertThatThrownBy(() -> machine.apply(newer, Optional.empty()))
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
      Optional<String> found =
          folder.store().get(key(key)).map(record -> new String(record.value(), UTF_8));
      assertThat(found).as(as).isEqualTo(Optional.ofNullable(model.get(key)));
      assertThat(answer(new Query.Exists(key(key))))
          .as(as)
          .isEqualTo(new Result.Int(model.containsKey(key) ? 1 : 0));
    }
    assertThat(answer(new Query.Count())).as(as).isEqualTo(new Result.Int(model.size()));
  }

  private Result answer(Query query) {
    BatchReply reply =
        ReadView.answer(
                folder.store(), List.of(List.of(query)), machine.partitionTimeMillis(), 0, keys)
            .orElseThrow();
    return ((BatchReply.Done) reply).results().get(0).get(0);
  }

  private static InFlight waiting(Entry entry, List<BatchReply> replies) throws IOException {
    List<Request> requests = EntryCodec.decode(entry.data()).requests();
    return new InFlight(
        List.of(new InFlight.WaitingBatch(requests, 0, 0, replies::add)),
        0,
        Long.MAX_VALUE,
        (self, end) -> {});
  }

  private static List<List<Result>> results(List<BatchReply> replies) {
    return replies.stream().flatMap(reply -> ((BatchReply.Done) reply).results().stream()).toList();
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

  private static SnapshotPoint point(long index) {
    return new SnapshotPoint(index, 1, List.of("a:1:1"), List.of(), List.of());
  }

  /** Applies one request as an entry of its own; its results. */
  private List<Result> applied(long index, Operation... operations) throws IOException {
    List<BatchReply> replies = new ArrayList<>();
    Entry entry = entry(index, List.of(List.of(operations)));
    machine.apply(entry, Optional.of(waiting(entry, replies)));
    machine.flushBatch();
    return results(replies).get(0);
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

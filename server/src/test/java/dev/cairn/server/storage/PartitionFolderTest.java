// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.storage.PartitionFolder.InstallStep;
import dev.cairn.server.storage.PartitionFolder.Received;
import dev.cairn.state.Applied;
import dev.cairn.state.Cursor;
import dev.cairn.state.Database.Live;
import dev.cairn.state.Database.View;
import dev.cairn.state.Fetch;
import dev.cairn.state.Flush;
import dev.cairn.state.RequestIds;
import dev.cairn.state.Spaces;
import dev.cairn.state.State;
import dev.cairn.state.StateException;
import dev.cairn.state.ValueRecord;
import dev.cairn.state.Wanted;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.WriteOptions;

class PartitionFolderTest {
  private static final PartitionIdentity IDENTITY = new PartitionIdentity("cluster-a", 3, 1);
  private static final RandomOperations OLD = new RandomOperations(1, 500);
  private static final RandomOperations NEW = new RandomOperations(2, 500);
  private static final RequestIds.Bounds ID_BOUNDS =
      new RequestIds.Bounds(1_000, 100, 1 << 20, 1_000);
  private static final String FORMER =
      " was written by an earlier version of Cairn in a form that this one does not read: start"
          + " that version, write the data out with './cairn export', and bring it into a new data"
          + " folder with './cairn import'";

  @TempDir Path temporary;
  private final List<Throwable> damages = new ArrayList<>();
  private final Metrics metrics = new Metrics();
  private StorageEngine engine;

  @BeforeEach
  void open() {
    engine =
        StorageEngine.open(new EngineConfig(4 << 20, 4 << 20, 1 << 20, 2), damages::add, metrics);
  }

  @AfterEach
  void close() {
    engine.close();
  }

  @Test
  void writesAreReadAndComeBackOnceTheyAreSynced() {
    try (PartitionFolder folder = openFolder("p")) {
      assertThat(Changes.applied(folder)).isEqualTo(Applied.NONE);
      write(folder, OLD, 1, 100);
      assertThat(Changes.contents(folder)).isEqualTo(OLD.model(100));
      OLD.model(100)
          .forEach((key, record) -> assertThat(Changes.get(folder, key)).contains(record));
      assertThat(Changes.get(folder, "no such key")).isEmpty();
      folder.sync();
      assertThat(folder.approximateBytes()).isPositive();
      assertThat(folder.diskBytes()).isPositive();
      write(folder, OLD, 101, 110);
    }
    try (PartitionFolder folder = openFolder("p")) {
      long found = Changes.applied(folder).index();
      assertThat(Changes.applied(folder)).isEqualTo(RandomOperations.row(found));
      assertThat(found).as("what was not synced is in the log").isEqualTo(100);
      assertThat(Changes.contents(folder)).isEqualTo(OLD.model(100));
    }
  }

  @Test
  void largeAndEmptyValuesAndBinaryKeys() {
    byte[] large = new byte[17 << 20];
    large[large.length - 1] = 1;
    byte[] key = {0, -1, 13, 10, 0};
    byte[] longKey = new byte[128 << 10];
    ValueRecord record = new ValueRecord(1, ValueRecord.NEVER, large);
    ValueRecord empty = new ValueRecord(2, 5, new byte[0]);
    try (PartitionFolder folder = openFolder("p")) {
      folder.write(
          new Changes()
              .put(key, record)
              .put(new byte[] {0}, empty)
              .put(longKey, empty)
              .batch(RandomOperations.row(1)));
      folder.sync();
      try (Live view = folder.view()) {
        assertThat(view.get(Changes.row(key))).isEqualTo(record.encode());
        assertThat(view.get(Changes.row(new byte[] {0}))).isEqualTo(empty.encode());
        assertThat(view.get(Changes.row(longKey))).isEqualTo(empty.encode());
      }
    }
  }

  /** Each batch is one, whatever it has: rows that go, all keys that go first, its own row. */
  @Test
  void aClearTakesKeysAndExpiriesAndLeavesTheRest() {
    ValueRecord expires = new ValueRecord(1, 1_000, utf8("value"));
    try (PartitionFolder folder = openFolder("p")) {
      folder.write(
          new Changes()
              .put("goes", expires)
              .put("comes back", expires)
              .putRow(Changes.own("id"), utf8("answer"))
              .batch(RandomOperations.row(1)));
      folder.write(
          new Changes()
              .clear()
              .put("comes back", new ValueRecord(2, ValueRecord.NEVER, utf8("new")))
              .batch(RandomOperations.row(2)));
      try (Live view = folder.view();
          Cursor cleared = view.rows(Spaces.clearedFrom(), Spaces.clearedTo())) {
        assertThat(cleared.next()).isTrue();
        assertThat(cleared.key()).isEqualTo(Changes.row("comes back"));
        assertThat(cleared.next()).isFalse();
        assertThat(cleared.next()).as("again").isFalse();
        assertThat(view.get(Changes.own("id"))).isEqualTo(utf8("answer"));
        assertThat(view.applied()).isEqualTo(RandomOperations.row(2));
      }
    }
  }

  @Test
  void aViewStaysAsItWas() {
    try (PartitionFolder folder = openFolder("p")) {
      write(folder, OLD, 1, 100);
      try (Live live = folder.view();
          View view = live.snapshot()) {
        write(folder, OLD, 101, 200);
        folder.sync();
        assertThat(Changes.contents(view)).isEqualTo(OLD.model(100));
        OLD.model(100)
            .forEach((key, record) -> assertThat(Changes.get(view, key)).contains(record));
        assertThat(view.applied()).isEqualTo(RandomOperations.row(100));
        assertThat(Changes.contents(folder)).isEqualTo(OLD.model(200));
      }
    }
  }

  // ---- What is known without the disk ----

  @Test
  void aViewKnowsWhatIsInMemoryAndNothingElse() {
    byte[] content = new byte[100_000]; // a block of its own
    String key = new TreeMap<>(OLD.model(200)).lastKey();
    byte[] record = OLD.model(200).get(key).encode();
    try (PartitionFolder folder = openFolder("p")) {
      write(folder, OLD, 1, 200);
      Changes rows = new Changes();
      for (String name : List.of("row 1", "row 2", "row 3")) {
        rows.putRow(Changes.own(name), content);
      }
      folder.write(rows.batch(RandomOperations.row(201)));
      try (Live view = folder.view()) {
        assertThat(view.known(Changes.row(key))).isEqualTo(record);
        assertThat(view.known(Changes.row("none like this"))).isSameAs(Live.ABSENT);
        assertThat(view.known(Changes.own("row 2"))).as("in a buffer").isEqualTo(content);
      }
      folder.sync();
    }
    try (PartitionFolder folder = openFolder("p");
        Live view = folder.view()) {
      assertThat(view.known(Changes.row(key))).as("cold").isNull();
      assertThat(view.get(Changes.row(key))).isEqualTo(record);
      assertThat(view.known(Changes.row(key))).as("in the cache of records").isEqualTo(record);
      assertThat(view.known(Changes.own("row 2"))).as("cold").isNull();
      assertThat(view.get(Changes.own("row 2"))).isEqualTo(content);
      assertThat(view.known(Changes.own("row 2"))).as("in a block").isEqualTo(content);
      assertThat(view.get(Changes.row("none like this"))).isNull();
      assertThat(view.known(Changes.row("none like this"))).isSameAs(Live.ABSENT);
    }
  }

  @Test
  void aStateFetchesWhatIsColdAndAppliesWithoutTheDiskThen() {
    List<byte[]> keys = OLD.model(200).keySet().stream().map(PartitionFolderTest::utf8).toList();
    Wanted wanted = new Wanted(keys, List.of(), 1, 1);
    try (PartitionFolder folder = openFolder("p")) {
      write(folder, OLD, 1, 200);
      folder.sync();
    }
    State state = State.open(openFolder("p"), 1, ID_BOUNDS);
    Fetch fetch = state.beginFetch(wanted).orElseThrow();
    fetch.run();
    assertThat(fetch.end()).isTrue();
    assertThat(state.beginFetch(wanted)).isEmpty();
    fetch.close();
    assertThat(state.beginFetch(wanted)).as("the cache has what was read").isEmpty();
    state.close();
  }

  /** What a reader sees does not depend on what the caches have, however far a flush is. */
  @Test
  void aStateReadsWhatWasAppliedBeforeInAndAfterAFlush() {
    String key = "key";
    State state = State.open(openFolder("p"), 1, ID_BOUNDS);
    for (int index = 1; index <= 20; index++) {
      put(state, index, key, "value " + index);
      Flush flush = state.beginFlush().orElseThrow();
      do {
        if (index % 2 == 0) {
          assertThat(value(state, key)).isEqualTo("value " + index);
        }
      } while (flush.step());
      assertThat(value(state, key)).isEqualTo("value " + index);
      assertThat(flush.end()).isTrue();
      assertThat(value(state, key)).isEqualTo("value " + index);
      assertThat(state.durableIndex()).isEqualTo(index);
    }
    state.close();
  }

  @Test
  void whatWasWrittenIsKnownAsTheDatabaseHasIt() {
    try (PartitionFolder folder = openFolder("p")) {
      write(folder, OLD, 1, 300);
      for (int i = 301; i <= 600; i++) {
        OLD.write(folder, i);
        try (Live view = folder.view()) {
          Map<String, ValueRecord> inDatabase = Changes.contents(view);
          long hits = lookups("hit");
          inDatabase.forEach(
              (key, record) -> assertThat(view.known(Changes.row(key))).isEqualTo(record.encode()));
          inDatabase.forEach((key, record) -> assertThat(Changes.get(view, key)).contains(record));
          assertThat(lookups("hit") - hits).isGreaterThan(inDatabase.size() * 9 / 10);
        }
      }
      assertThat(Changes.contents(folder)).isEqualTo(OLD.model(600));
    }
  }

  @Test
  void cacheHoldsKeysThatExpireAndKeysThatAreGone() {
    try (PartitionFolder folder = openFolder("p")) {
      ValueRecord expires = new ValueRecord(1, 1_000, utf8("value"));
      folder.write(
          new Changes()
              .put("expires", expires)
              .put("deleted", new ValueRecord(2, ValueRecord.NEVER, utf8("value")))
              .batch(RandomOperations.row(1)));
      folder.write(new Changes().delete("deleted").batch(RandomOperations.row(2)));
      long hits = lookups("hit");
      try (Live view = folder.view()) {
        assertThat(view.known(Changes.row("expires"))).isEqualTo(expires.encode());
        assertThat(view.known(Changes.row("deleted"))).isSameAs(Live.ABSENT);
      }
      assertThat(lookups("hit")).isEqualTo(hits + 2);
      folder.write(new Changes().delete("expires", 1_000).batch(RandomOperations.row(3)));
      try (Live view = folder.view();
          Cursor left = view.rows(Spaces.clearedFrom(), Spaces.clearedTo())) {
        assertThat(view.known(Changes.row("expires"))).isSameAs(Live.ABSENT);
        assertThat(left.next()).isFalse();
      }
    }
  }

  @Test
  void cacheIsEmptyAfterReopeningAndFilledByReads() {
    try (PartitionFolder folder = openFolder("p")) {
      write(folder, OLD, 1, 200);
      folder.sync();
    }
    try (PartitionFolder folder = openFolder("p");
        Live view = folder.view()) {
      for (String result : List.of("miss", "hit")) {
        long before = lookups(result);
        for (String key : OLD.model(10).keySet()) {
          ValueRecord record = OLD.model(200).get(key);
          byte[] known = view.known(Changes.row(key));
          if (result.equals("hit")) {
            assertThat(known).isEqualTo(record == null ? Live.ABSENT : record.encode());
          }
          assertThat(Changes.get(view, key)).isEqualTo(Optional.ofNullable(record));
        }
        assertThat(lookups(result) - before).isEqualTo(OLD.model(10).size());
      }
    }
  }

  @Test
  void cacheIsClearedWithTheKeys() {
    try (PartitionFolder folder = openFolder("p")) {
      write(folder, OLD, 1, 200);
      ValueRecord stays = new ValueRecord(1, ValueRecord.NEVER, utf8("put after"));
      folder.write(new Changes().clear().put("stays", stays).batch(RandomOperations.row(201)));
      try (Live view = folder.view()) {
        OLD.model(200)
            .keySet()
            .forEach(key -> assertThat(view.known(Changes.row(key))).isSameAs(Live.ABSENT));
        assertThat(view.known(Changes.row("stays"))).isEqualTo(stays.encode());
        assertThat(Changes.contents(view)).containsOnlyKeys("stays");
      }
    }
  }

  /** Else the cache would say for good what was so before. */
  /** A snapshot's reads are not kept: they may be of before. */
  @Test
  void whatASnapshotReadsIsNotKept() {
    ValueRecord before = new ValueRecord(1, ValueRecord.NEVER, utf8("before"));
    ValueRecord after = new ValueRecord(2, ValueRecord.NEVER, new byte[20_000]); // is not kept
    try (PartitionFolder folder = openFolder("p")) {
      folder.write(new Changes().put("key", before).batch(RandomOperations.row(1)));
      folder.sync();
    }
    try (PartitionFolder folder = openFolder("p");
        Live live = folder.view();
        View snapshot = live.snapshot()) {
      folder.write(new Changes().put("key", after).batch(RandomOperations.row(2)));
      assertThat(snapshot.get(Changes.row("key"))).isEqualTo(before.encode());
      long hits = lookups("hit");
      assertThat(live.known(Changes.row("key"))).isEqualTo(after.encode());
      assertThat(live.get(Changes.row("key"))).isEqualTo(after.encode());
      assertThat(lookups("hit")).as("nothing was kept").isEqualTo(hits);
    }
  }

  @Test
  void nothingIsReadOfAClosedFolderAndItsCacheIsGone() {
    PartitionFolder folder = openFolder("p");
    folder.write(
        new Changes()
            .put("key", new ValueRecord(1, ValueRecord.NEVER, new byte[91]))
            .batch(RandomOperations.row(1)));
    Generation generation = engine.generations().get(0);
    assertThat(generation.recordCacheBytes()).isGreaterThan(1_000);
    folder.close();
    folder.close();
    assertThat(generation.recordCacheBytes()).isLessThan(100);
    assertThat(engine.generations()).isEmpty();
    assertThatThrownBy(folder::view).hasMessageContaining("closed");
    assertThatThrownBy(generation::view).hasMessageContaining("closed");
    assertThatThrownBy(folder::sync).hasMessageContaining("closed");
    assertThatThrownBy(() -> write(folder, OLD, 2, 2)).hasMessageContaining("closed");
    assertThatThrownBy(folder::newIncoming).hasMessageContaining("closed");
    assertThatThrownBy(folder::checkpoint).hasMessageContaining("closed");
    assertThatThrownBy(() -> folder.saveSnapshotMeta(new byte[0])).hasMessageContaining("closed");
    assertThat(folder.approximateBytes()).isZero();
  }

  private long lookups(String result) {
    String name = "cairn_record_cache_lookups_total{result=\"" + result + "\"} ";
    return new String(metrics.scrape(), UTF_8)
        .lines()
        .filter(line -> line.startsWith(name))
        .mapToLong(line -> (long) Double.parseDouble(line.substring(name.length())))
        .sum();
  }

  @Test
  void rangesAreBoundedAndGoOnWhereTheyStopped() {
    try (PartitionFolder folder = openFolder("p")) {
      write(folder, OLD, 1, 100);
      List<byte[]> rows =
          new TreeMap<>(OLD.model(100)).keySet().stream().map(Changes::row).toList();
      try (Live view = folder.view()) {
        for (int from = 0; from < rows.size(); from += 7) {
          int to = Math.min(from + 7, rows.size() - 1);
          List<byte[]> page = new ArrayList<>();
          try (Cursor cursor = view.rows(rows.get(from), rows.get(to))) {
            while (cursor.next()) {
              page.add(cursor.key());
            }
          }
          assertThat(page).containsExactlyElementsOf(rows.subList(from, to));
        }
      }
    }
  }

  // ---- Whose it is, and what it is ----

  @Test
  void aFolderOfTheFormerFormatIsRefusedWithWhatHelpsAndLeftAlone() throws IOException {
    try (PartitionFolder folder = openFolder("p")) {
      write(folder, OLD, 1, 10);
      folder.sync();
    }
    Path file = temporary.resolve("p/state");
    byte[] former = Files.readAllBytes(file);
    former[8] = 1;
    Files.write(file, former);
    Map<Path, Long> before = files(temporary.resolve("p"));
    assertThatThrownBy(() -> openFolder("p"))
        .isInstanceOf(StorageException.class)
        .hasMessage(file + FORMER);
    assertThatThrownBy(() -> WitnessFolder.open(temporary.resolve("p"), IDENTITY))
        .hasMessage(file + FORMER);
    assertThat(files(temporary.resolve("p"))).isEqualTo(before);
    assertThat(Files.readAllBytes(file)).isEqualTo(former);
    assertThat(damages).isEmpty();
  }

  @Test
  void aDatabaseOfTheFormerFormatIsRefusedWithWhatHelps() throws Exception {
    try (PartitionFolder folder = openFolder("p")) {
      write(folder, OLD, 1, 10);
      makeFormer(engine.generations().get(0));
      folder.sync();
    }
    Path database = temporary.resolve("p/generation-1");
    assertThatThrownBy(() -> openFolder("p"))
        .isInstanceOf(StorageException.class)
        .hasMessage("the database " + database + FORMER);
    assertThat(engine.generations()).isEmpty();
    assertThat(database).exists();
    assertThat(damages).isEmpty();
  }

  @Test
  void aCopyOfTheFormerFormatIsRefusedAndTheOldDataCounts() throws Exception {
    try (PartitionFolder source = openFolder("source");
        PartitionFolder target = openFolder("target")) {
      write(source, NEW, 1, 30);
      write(target, OLD, 1, 10);
      makeFormer(generationOf("source"));
      Received received = received(source, target, new byte[0]);
      assertThatThrownBy(() -> target.install(received))
          .hasMessage("the database " + temporary.resolve("target/generation-2") + FORMER);
      assertThat(Changes.contents(target)).isEqualTo(OLD.model(10));
    }
  }

  private static void makeFormer(Generation generation) throws Exception {
    byte[] identity = new DatabaseIdentity(IDENTITY).encode();
    identity[0] = 1;
    try (WriteOptions withoutLog = new WriteOptions().setDisableWAL(true)) {
      generation.rocks().put(withoutLog, utf8("\0identity"), identity);
    }
  }

  private static Map<Path, Long> files(Path folder) throws IOException {
    Map<Path, Long> lengths = new TreeMap<>();
    try (Stream<Path> files = Files.walk(folder)) {
      files.filter(Files::isRegularFile).forEach(file -> lengths.put(file, file.toFile().length()));
    }
    return lengths;
  }

  @Test
  void foreignDataIsRefusedNamingBothAndLeftAlone() throws IOException {
    openFolder("p").close();
    byte[] before = Files.readAllBytes(temporary.resolve("p/state"));
    for (PartitionIdentity other :
        List.of(
            new PartitionIdentity("cluster-b", 3, 1),
            new PartitionIdentity("cluster-a", 4, 1),
            new PartitionIdentity("cluster-a", 3, 2))) {
      assertThatThrownBy(() -> PartitionFolder.open(engine, temporary.resolve("p"), other))
          .isInstanceOf(StorageException.class)
          .hasMessageContaining(IDENTITY.toString())
          .hasMessageContaining(other.toString());
    }
    assertThat(Files.readAllBytes(temporary.resolve("p/state"))).isEqualTo(before);
    openFolder("p").close();
  }

  @Test
  void dataWithoutAStateFileIsNeitherOpenedNorDeleted() throws IOException {
    try (PartitionFolder folder = openFolder("p")) {
      write(folder, OLD, 1, 10);
      folder.sync();
    }
    Path state = temporary.resolve("p/state");
    byte[] bytes = Files.readAllBytes(state);
    Files.delete(state);
    assertThatThrownBy(() -> openFolder("p")).hasMessageContaining("no state file");
    Files.write(state, bytes);
    try (PartitionFolder folder = openFolder("p")) {
      assertThat(Changes.contents(folder)).isEqualTo(OLD.model(10));
    }
  }

  @Test
  void aCreationThatWasCutShortBeginsAnew() throws IOException {
    openFolder("p").close();
    Files.delete(temporary.resolve("p/state"));
    try (PartitionFolder folder = openFolder("p")) {
      assertThat(Changes.applied(folder)).isEqualTo(Applied.NONE);
    }
  }

  @Test
  void aMissingDatabaseIsNotReplacedByAnEmptyOne() throws IOException {
    openFolder("p").close();
    DurableFiles.deleteTree(temporary.resolve("p/generation-1"));
    assertThatThrownBy(() -> openFolder("p")).isInstanceOf(StorageException.class);
  }

  @Test
  void leftoversAreDeletedAtOpen() throws IOException {
    Path checkpoint;
    Path incoming;
    try (PartitionFolder folder = openFolder("p")) {
      write(folder, OLD, 1, 10);
      checkpoint = folder.checkpoint();
      incoming = folder.newIncoming();
      assertThat(checkpoint).isNotEmptyDirectory();
      assertThat(incoming).isEmptyDirectory();
      Path deleted = folder.checkpoint();
      folder.deleteCheckpoint(deleted);
      assertThat(deleted).doesNotExist();
      assertThatThrownBy(() -> folder.deleteCheckpoint(incoming))
          .isInstanceOf(IllegalArgumentException.class);
    }
    Files.createDirectory(temporary.resolve("p/generation-9"));
    openFolder("p").close();
    assertThat(checkpoint).doesNotExist();
    assertThat(incoming).doesNotExist();
    assertThat(temporary.resolve("p/generation-9")).doesNotExist();
  }

  @Test
  void aDeletedFolderLeavesNothing() {
    openFolder("p").close();
    PartitionFolder.delete(temporary.resolve("p"));
    PartitionFolder.delete(temporary.resolve("p"));
    assertThat(temporary).isEmptyDirectory();
  }

  @Test
  void snapshotMetaSurvives() {
    try (PartitionFolder folder = openFolder("p")) {
      assertThat(folder.snapshotMeta()).isEmpty();
      folder.saveSnapshotMeta(new byte[] {1, 2});
      folder.saveSnapshotMeta(new byte[] {3});
    }
    try (PartitionFolder folder = openFolder("p")) {
      assertThat(folder.snapshotMeta()).contains(new byte[] {3});
    }
  }

  // ---- Copies ----

  @Test
  void aReceivedCopyReplacesTheData() throws IOException {
    try (PartitionFolder source = openFolder("source");
        PartitionFolder target = openFolder("target")) {
      write(source, NEW, 1, 300);
      write(target, OLD, 1, 100);
      Generation before = generationOf("target");
      target.install(received(source, target, new byte[] {9}));
      assertThat(Changes.contents(target)).isEqualTo(NEW.model(300));
      assertThat(Changes.applied(target)).isEqualTo(RandomOperations.row(300));
      assertThat(target.snapshotMeta()).contains(new byte[] {9});
      assertThatThrownBy(before::view).hasMessageContaining("replaced");
      await().until(() -> Files.notExists(temporary.resolve("target/generation-1")));
      write(target, NEW, 301, 310);
      target.install(received(source, target, new byte[] {10}));
    }
    try (PartitionFolder target = openFolder("target")) {
      assertThat(Changes.contents(target)).as("durable").isEqualTo(NEW.model(300));
      assertThat(target.snapshotMeta()).contains(new byte[] {10});
    }
  }

  private Generation generationOf(String name) {
    return engine.generations().stream()
        .filter(each -> each.folder().startsWith(temporary.resolve(name)))
        .findFirst()
        .orElseThrow();
  }

  /** As a state asks for it. */
  @Test
  void aCopyIsAllThatWasWrittenAndNoMore() throws IOException {
    try (PartitionFolder source = openFolder("source");
        PartitionFolder target = openFolder("target")) {
      write(source, NEW, 1, 50);
      Received copy = (Received) source.copy();
      write(source, NEW, 51, 60);
      assertThat(copy.applied()).isEqualTo(RandomOperations.row(50));
      Path incoming = target.newIncoming();
      Files.delete(incoming);
      Files.move(copy.folder(), incoming);
      target.install(new Received(incoming, copy.meta(), copy.applied()));
      assertThat(Changes.contents(target)).isEqualTo(NEW.model(50));
      source.install(source.copy());
      assertThat(Changes.contents(source)).as("its own, too").isEqualTo(NEW.model(60));
      assertThatThrownBy(() -> source.install(() -> RandomOperations.row(70)))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> source.install(copy)).isInstanceOf(StorageException.class);
    }
  }

  @Test
  void aCrashAtAnyStepOfInstallLeavesTheOldOrTheNewWhole() throws IOException {
    Map<InstallStep, Path> crashes = new EnumMap<>(InstallStep.class);
    Path path = temporary.resolve("target");
    try (PartitionFolder source = openFolder("source");
        PartitionFolder target =
            PartitionFolder.open(
                engine,
                path,
                IDENTITY,
                step -> crashes.put(step, copy(path, temporary.resolve("crash-" + step))))) {
      write(source, NEW, 1, 300);
      write(target, OLD, 1, 100);
      target.sync();
      target.saveSnapshotMeta(new byte[] {1});
      target.install(received(source, target, new byte[] {2}));
    }
    assertThat(crashes).containsOnlyKeys(InstallStep.values());
    crashes.forEach(
        (step, crashed) -> {
          boolean switched = step == InstallStep.SWITCHED;
          try (PartitionFolder found = PartitionFolder.open(engine, crashed, IDENTITY)) {
            assertThat(found.snapshotMeta()).contains(new byte[] {(byte) (switched ? 2 : 1)});
            assertThat(Changes.contents(found))
                .as("%s", step)
                .isEqualTo(switched ? NEW.model(300) : OLD.model(100));
            assertThat(crashed.toFile().list()).hasSize(2);
          }
        });
  }

  @Test
  void aCopyThatIsBrokenOrForeignLeavesTheOldData() throws IOException {
    PartitionIdentity foreign = new PartitionIdentity("cluster-b", 3, 1);
    try (PartitionFolder source =
            PartitionFolder.open(engine, temporary.resolve("source"), foreign);
        PartitionFolder target = openFolder("target")) {
      write(source, NEW, 1, 30);
      write(target, OLD, 1, 10);
      Received received = received(source, target, new byte[0]);
      assertThatThrownBy(() -> target.install(received))
          .hasMessageContaining("cluster-b")
          .hasMessageContaining("cluster-a");
      Received empty = new Received(target.newIncoming(), new byte[0], received.applied());
      assertThatThrownBy(() -> target.install(empty)).isInstanceOf(StorageException.class);
      Received elsewhere = new Received(source.newIncoming(), new byte[0], received.applied());
      assertThatThrownBy(() -> target.install(elsewhere))
          .isInstanceOf(IllegalArgumentException.class);
      assertThat(Changes.contents(target)).isEqualTo(OLD.model(10));
      assertThat(target.snapshotMeta()).isEmpty();
      assertThat(damages).isEmpty();
    }
  }

  @Test
  void aViewStaysOnTheOldDataAfterAnInstall() throws IOException {
    try (PartitionFolder source = openFolder("source");
        PartitionFolder target = openFolder("target")) {
      write(source, NEW, 1, 300);
      write(target, OLD, 1, 100);
      Live old = target.view();
      assertThat(old.known(Changes.row("key-1"))).isNotNull();
      target.install(received(source, target, new byte[] {9}));
      assertThat(Changes.applied(target).index()).isEqualTo(300);
      for (String key : List.of("key-1", "key-2", "key-3")) {
        ValueRecord record = OLD.model(100).get(key);
        byte[] row = record == null ? null : record.encode();
        assertThat(old.get(Changes.row(key))).isEqualTo(row);
        assertThat(old.known(Changes.row(key))).isIn(null, row == null ? Live.ABSENT : row);
      }
      assertThat(Changes.contents(old)).isEqualTo(OLD.model(100));
      assertThat(old.applied().index()).isEqualTo(100);
      assertThat(temporary.resolve("target/generation-1")).exists();
      old.close();
      await().until(() -> Files.notExists(temporary.resolve("target/generation-1")));
      assertThat(Changes.contents(target)).isEqualTo(NEW.model(300));
    }
  }

  @Test
  void readersNeverTouchAClosedHandle() throws Exception {
    try (PartitionFolder source = openFolder("source");
        PartitionFolder target = openFolder("target")) {
      write(source, NEW, 1, 100);
      AtomicBoolean stop = new AtomicBoolean();
      List<CompletableFuture<Void>> readers = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        readers.add(
            CompletableFuture.runAsync(
                () -> {
                  while (!stop.get()) {
                    try (Live view = target.view()) {
                      view.get(Changes.row("key-1"));
                      view.known(Changes.row("key-2"));
                      view.applied();
                    }
                    target.approximateBytes();
                  }
                }));
      }
      for (int i = 1; i <= 20; i++) {
        target.install(received(source, target, new byte[] {(byte) i}));
      }
      stop.set(true);
      for (CompletableFuture<Void> reader : readers) {
        reader.get(30, TimeUnit.SECONDS);
      }
    }
  }

  // ---- Damage ----

  @Test
  void aFailedFlushLatchesDamageOnce() throws IOException {
    PartitionFolder folder = openFolder("p");
    PartitionFolder other = openFolder("other");
    write(folder, OLD, 1, 10);
    DurableFiles.deleteTree(temporary.resolve("p/generation-1"));
    Files.writeString(temporary.resolve("p/generation-1"), "no folder any more");
    assertThatThrownBy(() -> folder.sync()).isInstanceOf(StorageException.class);
    assertThat(engine.damage().map(StorageException::kind)).contains(StorageException.Kind.FAILED);
    assertThat(damages).hasSize(1);
    assertThatThrownBy(() -> write(other, OLD, 1, 1)).hasMessageContaining("damaged");
    assertThatThrownBy(() -> other.saveSnapshotMeta(new byte[0])).hasMessageContaining("damaged");
    assertThatThrownBy(() -> other.sync()).hasMessageContaining("damaged");
    assertThat(damages).hasSize(1);
    folder.close();
    other.close();
  }

  @Test
  void aDatabaseWhoseFilesAreGoneIsDamagedAndTheOtherGoesOn() throws IOException {
    PartitionFolder folder = openFolder("p");
    PartitionFolder other = openFolder("other");
    List<StorageException> told = new ArrayList<>();
    folder.onDamage(told::add);
    write(folder, OLD, 1, 10);
    DurableFiles.deleteTree(temporary.resolve("p/generation-1"));
    assertThatThrownBy(() -> folder.sync()).isInstanceOf(StorageException.class);
    assertThat(told).extracting(StorageException::kind).contains(StorageException.Kind.DAMAGED);
    assertThatThrownBy(() -> write(folder, OLD, 11, 20)).hasMessageContaining("damaged");
    write(other, OLD, 1, 10);
    other.sync();
    assertThat(engine.damage()).isEmpty();
    folder.close();
    other.close();
  }

  @Test
  void aFlippedBitIsFoundByVerifyingAndNeverLeavesInACheckpoint() throws IOException {
    PartitionFolder folder = openFolder("p");
    write(folder, OLD, 1, 1_000);
    folder.sync();
    Path table = largestTable(temporary.resolve("p/generation-1"));
    byte[] bytes = Files.readAllBytes(table);
    bytes[bytes.length / 4] ^= 1;
    Files.write(table, bytes);
    assertThatThrownBy(folder::checkpoint)
        .isInstanceOfSatisfying(
            StorageException.class,
            e -> assertThat(e.kind()).isEqualTo(StorageException.Kind.DAMAGED));
    List<StorageException> told = new ArrayList<>();
    folder.onDamage(told::add);
    assertThat(told).as("told also who asks later").hasSize(1);
    engine.generations().get(0).verify(read -> true);
    assertThat(told).as("once").hasSize(1);
    folder.close();
  }

  /** It is its database's affair, not the disk's: the others of the node go on. */
  @Test
  void aDamagedRowStopsItsDatabaseAndNoOther() throws IOException {
    PartitionFolder folder = openFolder("p");
    PartitionFolder other = openFolder("other");
    List<StorageException> told = new ArrayList<>();
    folder.onDamage(told::add);
    Changes rows = new Changes();
    for (int i = 0; i < 5_000; i++) {
      rows.putRow(Changes.own("row " + i), utf8("what row " + i + " holds"));
    }
    folder.write(rows.batch(RandomOperations.row(1)));
    folder.sync();
    Path table = largestTable(temporary.resolve("p/generation-1"));
    byte[] bytes = Files.readAllBytes(table);
    for (int at = 0; at < bytes.length / 2; at += 512) {
      bytes[at] ^= 1;
    }
    Files.write(table, bytes);
    try (Live view = folder.view()) {
      assertThatThrownBy(() -> view.get(Changes.own("row 1000")))
          .isInstanceOf(StorageException.class);
      assertThatThrownBy(
              () -> {
                try (Cursor cursor = view.rows(Changes.own("row "), new byte[] {4})) {
                  while (cursor.next()) {
                    assertThat(cursor.value()).isNotEmpty();
                  }
                }
              })
          .isInstanceOf(StorageException.class);
    }
    assertThat(told).extracting(StorageException::kind).contains(StorageException.Kind.DAMAGED);
    assertThat(engine.damage()).isEmpty();
    write(other, OLD, 1, 10);
    other.sync();
    folder.close();
    other.close();
  }

  private static Path largestTable(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> file.toString().endsWith(".sst"))
          .max(Comparator.comparingLong(file -> file.toFile().length()))
          .orElseThrow();
    }
  }

  /** Blocks may be whole, and what stands in them no row of a state. */
  @Test
  void aRowThatIsNoneIsDamageOfItsDatabase() {
    try (PartitionFolder folder = openFolder("p");
        PartitionFolder other = openFolder("other")) {
      List<StorageException> told = new ArrayList<>();
      folder.onDamage(told::add);
      write(folder, OLD, 1, 10);
      StateException cause = new StateException("the index of expiries names no such key");
      StorageException damaged = folder.damaged(cause);
      assertThat(damaged).hasMessage(cause.getMessage());
      assertThat(told).containsExactly(damaged);
      assertThat(damaged.kind()).isEqualTo(StorageException.Kind.DAMAGED);
      assertThatThrownBy(() -> write(folder, OLD, 11, 11)).hasMessageContaining("damaged");
      assertThatThrownBy(folder::sync).hasMessageContaining("damaged");
      assertThatThrownBy(folder::checkpoint).hasMessageContaining("damaged");
      assertThat(engine.damage()).isEmpty();
      write(other, OLD, 1, 10);
      other.sync();
    }
  }

  /** Buffers are charged to one budget: what a flush has written must not stay in them. */
  @Test
  void whatIsSyncedLeavesTheWriteBudget() {
    List<PartitionFolder> folders = new ArrayList<>();
    byte[] value = new byte[100_000];
    for (int i = 0; i < 6; i++) {
      PartitionFolder folder = openFolder("p" + i);
      folders.add(folder);
      Changes puts = new Changes();
      for (int key = 1; key <= 20; key++) {
        puts.put("key-" + key, new ValueRecord(key, ValueRecord.NEVER, value));
      }
      folder.write(puts.batch(RandomOperations.row(1)));
      folder.sync();
    }
    assertThat(
            engine.generations().stream()
                .mapToLong(each -> each.property("rocksdb.cur-size-all-mem-tables"))
                .sum())
        .isLessThan(1 << 20);
    folders.forEach(PartitionFolder::close);
  }

  /**
   * A delete is a mark, and what it marks stays on disk until both are compacted: as here, where
   * the first level may grow to 64 MiB before anything is.
   */
  @Test
  void whatIsDeletedLeavesTheDiskThoughNothingElseIsWritten() {
    engine.close();
    engine = StorageEngine.open(EngineConfig.DEFAULT, damages::add, new Metrics());
    PartitionFolder folder = openFolder("deleted");
    Random random = new Random(1);
    Changes puts = new Changes();
    Changes deletes = new Changes();
    for (int i = 0; i < 1_000; i++) {
      byte[] value = new byte[2_000]; // which cannot be compressed
      random.nextBytes(value);
      puts.put("key-" + i, new ValueRecord(i, 1_000 + i, value));
      deletes.delete("key-" + i, 1_000 + i);
    }
    Changes stays = new Changes().put("stays", new ValueRecord(1, ValueRecord.NEVER, utf8("v")));
    folder.write(puts.batch(RandomOperations.row(1)));
    folder.sync();
    folder.write(stays.batch(RandomOperations.row(2)));
    assertThat(folder.diskBytes()).isGreaterThan(2_000_000);
    folder.write(deletes.batch(RandomOperations.row(3)));
    folder.sync();
    await().untilAsserted(() -> assertThat(folder.diskBytes()).isLessThan(100_000));
    assertThat(Changes.get(folder, "stays")).isPresent();
    folder.close();
  }

  @Test
  void aFolderIsAWitnessOrAFullReplicas() {
    Path path = temporary.resolve("w");
    WitnessFolder.open(path, IDENTITY);
    WitnessFolder.open(path, IDENTITY);
    assertThatThrownBy(() -> PartitionFolder.open(engine, path, IDENTITY))
        .hasMessageContaining("witness");
    openFolder("p").close();
    assertThatThrownBy(() -> WitnessFolder.open(temporary.resolve("p"), IDENTITY))
        .hasMessageContaining("full replica");
  }

  private PartitionFolder openFolder(String name) {
    return PartitionFolder.open(engine, temporary.resolve(name), IDENTITY);
  }

  private static void write(
      PartitionFolder folder, RandomOperations operations, long first, long last) {
    for (long index = first; index <= last; index++) {
      operations.write(folder, index);
    }
  }

  /** A checkpoint of the source, carried over file by file as another node would. */
  private static Received received(PartitionFolder source, PartitionFolder target, byte[] meta)
      throws IOException {
    Path checkpoint = source.checkpoint();
    Path incoming = target.newIncoming();
    for (Path file : DurableFiles.list(checkpoint)) {
      Files.copy(file, incoming.resolve(file.getFileName()));
    }
    source.deleteCheckpoint(checkpoint);
    return new Received(incoming, meta, Changes.applied(source));
  }

  private static Path copy(Path from, Path to) {
    try {
      Files.walkFileTree(
          from,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes)
                throws IOException {
              Files.createDirectories(to.resolve(from.relativize(folder)));
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.copy(file, to.resolve(from.relativize(file)));
              return FileVisitResult.CONTINUE;
            }
          });
      return to;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void put(State state, long index, String key, String value) {
    state.begin(index, 1, index);
    state.put(utf8(key), utf8(value), ValueRecord.NEVER);
    state.end();
  }

  private static String value(State state, String key) {
    return new String(state.get(utf8(key)).orElseThrow().value(), UTF_8);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}

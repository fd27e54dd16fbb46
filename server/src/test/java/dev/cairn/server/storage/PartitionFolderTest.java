// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.storage.PartitionFolder.InstallStep;
import dev.cairn.state.ValueRecord;
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
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.RocksDBException;

class PartitionFolderTest {
  private static final PartitionIdentity IDENTITY = new PartitionIdentity("cluster-a", 3, 1);
  private static final RandomOperations OLD = new RandomOperations(1, 500);
  private static final RandomOperations NEW = new RandomOperations(2, 500);

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
  void writesAreReadAndComeBackAfterClose() {
    try (PartitionFolder folder = openFolder("p")) {
      write(folder, OLD, 1, 100);
      assertThat(RandomOperations.contents(folder.store())).isEqualTo(OLD.model(100));
      OLD.model(100)
          .forEach((key, record) -> assertThat(folder.store().get(utf8(key))).contains(record));
      assertThat(folder.store().get(utf8("no such key"))).isEmpty();
      assertThat(folder.store().approximateBytes()).isPositive();
    }
    try (PartitionFolder folder = openFolder("p")) {
      assertThat(folder.store().applied()).isEqualTo(RandomOperations.row(100));
      assertThat(RandomOperations.contents(folder.store())).isEqualTo(OLD.model(100));
    }
  }

  @Test
  void largeAndEmptyValuesAndBinaryKeys() {
    byte[] large = new byte[17 << 20];
    large[large.length - 1] = 1;
    byte[] key = {0, -1, 13, 10, 0};
    try (PartitionFolder folder = openFolder("p")) {
      Writes writes = new Writes();
      writes.put(key, new ValueRecord(1, ValueRecord.NEVER, large));
      writes.put(new byte[] {0}, new ValueRecord(2, 5, new byte[0]));
      folder.store().apply(writes, RandomOperations.row(1));
      folder.store().flush();
      assertThat(folder.store().get(key).orElseThrow().value()).isEqualTo(large);
      assertThat(folder.store().get(new byte[] {0})).contains(new ValueRecord(2, 5, new byte[0]));
      assertThatThrownBy(() -> folder.store().get(new byte[PartitionStore.KEY_BYTES_MAX + 1]))
          .isInstanceOf(IllegalArgumentException.class);
      assertThat(folder.store().get(new byte[PartitionStore.KEY_BYTES_MAX])).isEmpty();
    }
  }

  @Test
  void memoryAnswersWithoutTheDiskOrSaysThatItCannot() {
    try (PartitionFolder folder = openFolder("p")) {
      write(folder, OLD, 1, 200);
      String key = new TreeMap<>(OLD.model(200)).lastKey();
      assertThat(folder.store().memory(Long.MAX_VALUE).get(utf8(key)))
          .contains(OLD.model(200).get(key));
      assertThat(folder.store().memory(Long.MAX_VALUE).get(utf8("none like this"))).isEmpty();
      folder.store().flush();
    }
    try (PartitionFolder folder = openFolder("p")) {
      String key = new TreeMap<>(OLD.model(200)).lastKey();
      StoredKeys memory = folder.store().memory(Long.MAX_VALUE);
      assertThatThrownBy(() -> memory.get(utf8(key))).isInstanceOf(NotInMemoryException.class);
      assertThat(folder.store().get(utf8(key))).isPresent();
      assertThat(memory.get(utf8(key))).isPresent();
      assertThatThrownBy(() -> memory.scan(KeyRange.ALL, 1, scanned -> true))
          .isInstanceOf(NotInMemoryException.class);
    }
  }

  @Test
  void whoeverMustNotWaitIsToldBeforeTheDiskIsRead() {
    byte[] content = new byte[100_000]; // a block of its own
    try (PartitionFolder folder = openFolder("p")) {
      write(folder, OLD, 1, 200);
      Writes writes = new Writes();
      for (String name : List.of("row 1", "row 2", "row 3")) {
        writes.putRow(utf8(name), content);
      }
      folder.store().apply(writes, RandomOperations.row(201));
      folder.store().flush();
    }
    try (PartitionFolder folder = openFolder("p")) {
      PartitionStore store = folder.store();
      String key = new TreeMap<>(OLD.model(200)).lastKey();
      AtomicInteger told = new AtomicInteger();

      assertThat(store.get(utf8(key), told::incrementAndGet)).contains(OLD.model(200).get(key));
      assertThat(told).hasValue(1);
      assertThat(store.get(utf8(key), told::incrementAndGet)).contains(OLD.model(200).get(key));
      assertThat(told).as("it is in memory now").hasValue(1);
    }
    try (PartitionFolder folder = openFolder("p")) {
      AtomicInteger told = new AtomicInteger();
      assertThat(folder.store().row(utf8("row 2"), told::incrementAndGet)).contains(content);
      assertThat(told).hasValue(1);
      assertThat(folder.store().row(utf8("row 2"), told::incrementAndGet)).contains(content);
      assertThat(told).hasValue(1);
    }
  }

  /** RocksDB holds writers up when its buffers are full and none is written to disk. */
  @Test
  void whoeverMustNotWaitIsToldBeforeAWriteWaits() throws RocksDBException {
    try (PartitionFolder folder = openFolder("p")) {
      PartitionStore store = folder.store();
      ValueRecord large = new ValueRecord(1, ValueRecord.NEVER, new byte[1 << 20]);
      AtomicInteger told = new AtomicInteger();
      store.database().rocks().pauseBackgroundWork();
      int index = 0;
      while (told.get() == 0 && index < 500) {
        index++;
        Writes writes = new Writes();
        writes.put(utf8("key " + index), large);
        store.apply(
            writes,
            RandomOperations.row(index),
            () -> {
              told.incrementAndGet();
              try {
                store.database().rocks().continueBackgroundWork();
              } catch (RocksDBException e) {
                throw new IllegalStateException(e);
              }
            });
      }

      assertThat(told).hasValue(1);
      assertThat(store.applied().index()).isEqualTo(index);
      assertThat(store.get(utf8("key " + index))).contains(large);
    }
  }

  @Test
  void whatWasAppliedIsReadFromTheCacheAsFromTheDatabase() {
    try (PartitionFolder folder = openFolder("p")) {
      write(folder, OLD, 1, 300);
      for (int i = 301; i <= 600; i++) {
        OLD.apply(folder.store(), i);
        Map<String, ValueRecord> inDatabase = RandomOperations.contents(folder.store());
        long hits = lookups("hit");
        inDatabase.forEach(
            (key, record) -> assertThat(folder.store().get(utf8(key))).contains(record));
        inDatabase.forEach(
            (key, record) ->
                assertThat(folder.store().memory(Long.MAX_VALUE).get(utf8(key))).contains(record));
        assertThat(lookups("hit") - hits).isGreaterThan(inDatabase.size());
      }
      assertThat(RandomOperations.contents(folder.store())).isEqualTo(OLD.model(600));
    }
  }

  @Test
  void cacheHoldsKeysThatExpireAndKeysThatAreGone() {
    try (PartitionFolder folder = openFolder("p")) {
      PartitionStore store = folder.store();
      ValueRecord expires = new ValueRecord(1, 1_000, utf8("value"));
      Writes puts = new Writes();
      puts.put(utf8("expires"), expires);
      puts.put(utf8("deleted"), new ValueRecord(2, ValueRecord.NEVER, utf8("value")));
      store.apply(puts, RandomOperations.row(1));
      Writes deletes = new Writes();
      deletes.delete(utf8("deleted"));
      store.apply(deletes, RandomOperations.row(2));
      long hits = lookups("hit");
      assertThat(store.get(utf8("expires"))).contains(expires);
      assertThat(store.get(utf8("deleted"))).isEmpty();
      assertThat(lookups("hit")).isEqualTo(hits + 2);
      Writes sweeps = new Writes();
      sweeps.delete(utf8("expires"), 1_000);
      store.apply(sweeps, RandomOperations.row(3));
      assertThat(store.get(utf8("expires"))).isEmpty();
      assertThat(store.expiring(Long.MAX_VALUE, 10)).isEmpty();
    }
  }

  @Test
  void cacheIsEmptyAfterReopeningAndFilledByReads() {
    try (PartitionFolder folder = openFolder("p")) {
      write(folder, OLD, 1, 200);
    }
    try (PartitionFolder folder = openFolder("p")) {
      for (String result : List.of("miss", "hit")) {
        long before = lookups(result);
        OLD.model(10)
            .keySet()
            .forEach(
                key ->
                    assertThat(folder.store().get(utf8(key)))
                        .isEqualTo(Optional.ofNullable(OLD.model(200).get(key))));
        assertThat(lookups(result) - before).isEqualTo(OLD.model(10).size());
      }
    }
  }

  @Test
  void cacheIsClearedWithTheKeys() {
    try (PartitionFolder folder = openFolder("p")) {
      PartitionStore store = folder.store();
      write(folder, OLD, 1, 200);
      OLD.model(200).keySet().forEach(key -> assertThat(store.get(utf8(key))).isPresent());
      ValueRecord stays = new ValueRecord(1, ValueRecord.NEVER, utf8("put after"));
      Writes clear = new Writes();
      clear.clear();
      clear.put(utf8("stays"), stays);
      store.apply(clear, RandomOperations.row(201));
      OLD.model(200).keySet().forEach(key -> assertThat(store.get(utf8(key))).isEmpty());
      assertThat(store.get(utf8("stays"))).contains(stays);
    }
  }

  @Test
  void cachedKeyIsNotReadOfAClosedStoreNorPastTheBound() {
    PartitionFolder folder = openFolder("p");
    PartitionStore store = folder.store();
    Writes writes = new Writes();
    writes.put(utf8("key"), new ValueRecord(1, ValueRecord.NEVER, new byte[91]));
    store.apply(writes, RandomOperations.row(1));
    long hits = lookups("hit");
    assertThat(store.memory(100).get(utf8("key"))).isPresent(); // 9 bytes of head, 91 of value
    assertThatThrownBy(() -> store.memory(99).get(utf8("key")))
        .isInstanceOf(NotInMemoryException.class);
    assertThat(lookups("hit")).isEqualTo(hits + 2);
    StoredKeys memory = store.memory(1_000);
    folder.close();
    assertThatThrownBy(() -> store.get(utf8("key"))).hasMessageContaining("closed");
    assertThatThrownBy(() -> memory.get(utf8("key"))).hasMessageContaining("closed");
    assertThat(store.recordCacheBytes()).isLessThan(100);
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
  void scansAreBoundedAndGoOnWhereTheyStopped() {
    try (PartitionFolder folder = openFolder("p")) {
      write(folder, OLD, 1, 100);
      List<String> keys = new ArrayList<>();
      Optional<byte[]> next = Optional.of(new byte[0]);
      while (next.isPresent()) {
        List<String> page = new ArrayList<>();
        next =
            folder
                .store()
                .scan(
                    KeyRange.ALL.startingAt(next.get()),
                    7,
                    scanned -> page.add(new String(scanned.key(), StandardCharsets.UTF_8)));
        assertThat(page).hasSizeLessThanOrEqualTo(7);
        keys.addAll(page);
      }
      assertThat(keys).containsExactlyElementsOf(OLD.model(100).keySet());
    }
  }

  @Test
  void writesInOneBatchSeeEachOther() {
    Writes writes = new Writes();
    ValueRecord record = new ValueRecord(1, ValueRecord.NEVER, utf8("v"));
    assertThat(writes.touches(utf8("k"))).isFalse();
    writes.put(utf8("k"), record);
    assertThat(writes.get(utf8("k"))).contains(record);
    writes.delete(utf8("k"));
    assertThat(writes.touches(utf8("k"))).isTrue();
    assertThat(writes.get(utf8("k"))).isEmpty();
    assertThat(writes.size()).isEqualTo(1);
  }

  @Test
  void aRowThatGoesBackIsRefused() {
    try (PartitionFolder folder = openFolder("p")) {
      write(folder, OLD, 1, 5);
      assertThatThrownBy(() -> folder.store().apply(new Writes(), RandomOperations.row(4)))
          .isInstanceOf(IllegalArgumentException.class);
    }
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
    }
    Path state = temporary.resolve("p/state");
    byte[] bytes = Files.readAllBytes(state);
    Files.delete(state);
    assertThatThrownBy(() -> openFolder("p")).hasMessageContaining("no state file");
    Files.write(state, bytes);
    try (PartitionFolder folder = openFolder("p")) {
      assertThat(RandomOperations.contents(folder.store())).isEqualTo(OLD.model(10));
    }
  }

  @Test
  void aCreationThatWasCutShortBeginsAnew() throws IOException {
    openFolder("p").close();
    Files.delete(temporary.resolve("p/state"));
    try (PartitionFolder folder = openFolder("p")) {
      assertThat(folder.store().applied()).isEqualTo(AppliedRow.EMPTY);
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

  @Test
  void aReceivedCopyReplacesTheData() throws IOException {
    try (PartitionFolder source = openFolder("source");
        PartitionFolder target = openFolder("target")) {
      write(source, NEW, 1, 300);
      write(target, OLD, 1, 100);
      PartitionStore before = target.store();
      target.install(received(source, target), new byte[] {9});
      assertThat(RandomOperations.contents(target.store())).isEqualTo(NEW.model(300));
      assertThat(target.store().durableIndex()).isEqualTo(300);
      assertThat(target.snapshotMeta()).contains(new byte[] {9});
      assertThatThrownBy(() -> before.get(utf8("k"))).hasMessageContaining("replaced");
      await().until(() -> Files.notExists(temporary.resolve("target/generation-1")));
      write(target, NEW, 301, 310);
      target.install(received(source, target), new byte[] {10});
    }
    try (PartitionFolder target = openFolder("target")) {
      assertThat(RandomOperations.contents(target.store())).isEqualTo(NEW.model(300));
      assertThat(target.snapshotMeta()).contains(new byte[] {10});
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
      target.store().flush();
      target.saveSnapshotMeta(new byte[] {1});
      target.install(received(source, target), new byte[] {2});
    }
    assertThat(crashes).containsOnlyKeys(InstallStep.values());
    crashes.forEach(
        (step, crashed) -> {
          boolean switched = step == InstallStep.SWITCHED;
          try (PartitionFolder found = PartitionFolder.open(engine, crashed, IDENTITY)) {
            assertThat(found.snapshotMeta()).contains(new byte[] {(byte) (switched ? 2 : 1)});
            assertThat(RandomOperations.contents(found.store()))
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
      assertThatThrownBy(() -> target.install(received(source, target), new byte[0]))
          .hasMessageContaining("cluster-b")
          .hasMessageContaining("cluster-a");
      assertThatThrownBy(() -> target.install(target.newIncoming(), new byte[0]))
          .isInstanceOf(StorageException.class);
      assertThat(RandomOperations.contents(target.store())).isEqualTo(OLD.model(10));
      assertThat(target.snapshotMeta()).isEmpty();
      assertThat(damages).isEmpty();
    }
  }

  @Test
  void aRunningReadFinishesOnTheOldDataDuringInstall() throws Exception {
    try (PartitionFolder source = openFolder("source");
        PartitionFolder target = openFolder("target")) {
      write(source, NEW, 1, 300);
      write(target, OLD, 1, 100);
      CountDownLatch reading = new CountDownLatch(1);
      CountDownLatch installed = new CountDownLatch(1);
      CompletableFuture<Map<String, ValueRecord>> read =
          CompletableFuture.supplyAsync(
              () ->
                  target.read(
                      store -> {
                        reading.countDown();
                        awaitLatch(installed);
                        assertThat(store.get(utf8("key-1")))
                            .isEqualTo(Optional.ofNullable(OLD.model(100).get("key-1")));
                        return RandomOperations.contents(store);
                      }));
      awaitLatch(reading);
      target.install(received(source, target), new byte[] {9});
      assertThat(target.<Long>read(store -> store.applied().index())).isEqualTo(300);
      assertThat(temporary.resolve("target/generation-1")).exists();
      installed.countDown();
      assertThat(read.get(30, TimeUnit.SECONDS)).isEqualTo(OLD.model(100));
      await().until(() -> Files.notExists(temporary.resolve("target/generation-1")));
    }
  }

  @Test
  void readersNeverTouchAClosedHandle() throws Exception {
    engine.close();
    // Without a cache of records: every read takes the handle.
    engine = StorageEngine.open(new EngineConfig(4 << 20, 4 << 20, 0, 2), damages::add, metrics);
    try (PartitionFolder source = openFolder("source");
        PartitionFolder target = openFolder("target")) {
      write(source, NEW, 1, 100);
      AtomicReference<Boolean> stop = new AtomicReference<>(false);
      List<CompletableFuture<Void>> readers = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        readers.add(
            CompletableFuture.runAsync(
                () -> {
                  while (!stop.get()) {
                    target.read(
                        store -> {
                          store.get(utf8("key-1"));
                          return store.get(utf8("key-2"));
                        });
                  }
                }));
      }
      for (int i = 1; i <= 20; i++) {
        target.install(received(source, target), new byte[] {(byte) i});
      }
      stop.set(true);
      for (CompletableFuture<Void> reader : readers) {
        reader.get(30, TimeUnit.SECONDS);
      }
    }
  }

  @Test
  void aFailedFlushLatchesDamageOnce() throws IOException {
    PartitionFolder folder = openFolder("p");
    PartitionFolder other = openFolder("other");
    write(folder, OLD, 1, 10);
    DurableFiles.deleteTree(temporary.resolve("p/generation-1"));
    Files.writeString(temporary.resolve("p/generation-1"), "no folder any more");
    assertThatThrownBy(() -> folder.store().flush()).isInstanceOf(StorageException.class);
    assertThat(engine.damage().map(StorageException::kind)).contains(StorageException.Kind.FAILED);
    assertThat(damages).hasSize(1);
    assertThatThrownBy(() -> write(other, OLD, 1, 1)).hasMessageContaining("damaged");
    assertThatThrownBy(() -> other.saveSnapshotMeta(new byte[0])).hasMessageContaining("damaged");
    assertThatThrownBy(() -> other.store().flush()).hasMessageContaining("damaged");
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
    assertThatThrownBy(() -> folder.store().flush()).isInstanceOf(StorageException.class);
    assertThat(told).extracting(StorageException::kind).contains(StorageException.Kind.DAMAGED);
    assertThatThrownBy(() -> write(folder, OLD, 11, 20)).hasMessageContaining("damaged");
    write(other, OLD, 1, 10);
    assertThat(other.store().flush()).isEqualTo(10);
    assertThat(engine.damage()).isEmpty();
    folder.close();
    other.close();
  }

  @Test
  void aFlippedBitIsFoundByVerifyingAndNeverLeavesInACheckpoint() throws IOException {
    PartitionFolder folder = openFolder("p");
    write(folder, OLD, 1, 1_000);
    folder.store().flush();
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
    folder.store().verify(read -> true);
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
    Writes rows = new Writes();
    for (int i = 0; i < 5_000; i++) {
      rows.putRow(("row " + i).getBytes(UTF_8), ("what row " + i + " holds").getBytes(UTF_8));
    }
    folder.store().apply(rows, new AppliedRow(1, 1, 1, 0, 1, List.of(), List.of(), List.of()));
    folder.store().flush();
    Path table = largestTable(temporary.resolve("p/generation-1"));
    byte[] bytes = Files.readAllBytes(table);
    for (int at = 0; at < bytes.length / 2; at += 512) {
      bytes[at] ^= 1;
    }
    Files.write(table, bytes);
    assertThatThrownBy(() -> folder.store().row("row 1000".getBytes(UTF_8)))
        .isInstanceOf(StorageException.class);
    assertThat(told).extracting(StorageException::kind).contains(StorageException.Kind.DAMAGED);
    assertThat(engine.damage()).isEmpty();
    write(other, OLD, 1, 10);
    assertThat(other.store().flush()).isEqualTo(10);
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

  @Test
  void idleDatabasesDoNotKeepTheWriteBudget() {
    List<PartitionFolder> folders = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      folders.add(openFolder("p" + i));
    }
    byte[] value = new byte[100_000];
    for (PartitionFolder folder : folders) {
      for (int i = 1; i <= 20; i++) {
        Writes writes = new Writes();
        writes.put(utf8("key-" + i), new ValueRecord(i, ValueRecord.NEVER, value));
        folder.store().apply(writes, RandomOperations.row(i));
      }
    }
    await()
        .untilAsserted(
            () ->
                assertThat(
                        folders.stream()
                            .mapToLong(f -> f.store().database().writeBufferBytes())
                            .sum())
                    .isLessThan(4 << 20));
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
    PartitionStore store = folder.store();
    Random random = new Random(1);
    Writes puts = new Writes();
    Writes deletes = new Writes();
    for (int i = 0; i < 1_000; i++) {
      byte[] value = new byte[2_000]; // which cannot be compressed
      random.nextBytes(value);
      puts.put(utf8("key-" + i), new ValueRecord(i, 1_000 + i, value));
      deletes.delete(utf8("key-" + i), 1_000 + i);
    }
    Writes stays = new Writes();
    stays.put(utf8("stays"), new ValueRecord(1, ValueRecord.NEVER, utf8("value")));
    store.apply(puts, RandomOperations.row(1));
    store.flush();
    store.apply(stays, RandomOperations.row(2));
    assertThat(store.diskBytes()).isGreaterThan(2_000_000);
    store.apply(deletes, RandomOperations.row(3));
    store.flush();
    await().untilAsserted(() -> assertThat(store.diskBytes()).isLessThan(100_000));
    assertThat(store.get(utf8("stays"))).isPresent();
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
      operations.apply(folder.store(), index);
    }
  }

  /** A checkpoint of the source, carried over file by file as another node would. */
  private static Path received(PartitionFolder source, PartitionFolder target) throws IOException {
    Path checkpoint = source.checkpoint();
    Path incoming = target.newIncoming();
    for (Path file : DurableFiles.list(checkpoint)) {
      Files.copy(file, incoming.resolve(file.getFileName()));
    }
    source.deleteCheckpoint(checkpoint);
    return incoming;
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

  private static void awaitLatch(CountDownLatch latch) {
    try {
      assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.storage.LogStorage;
import com.alipay.sofa.jraft.storage.RaftMetaStorage;
import dev.cairn.server.metrics.Metrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

/** A log that lost something says so: at once, or when it is read, never by "no entry". */
class LogDamageTest {
  private static final String GROUP = "c1-p0";
  private static final int ENTRIES = 60;

  @TempDir Path temporary;
  private Path folder;
  private final List<Throwable> damages = new ArrayList<>();

  @BeforeEach
  void folder() {
    folder = temporary.resolve("store.log");
  }

  private SharedLog open(Path path) throws IOException {
    return SharedLog.open(path, damages::add, new Metrics(), LogFixture.NO_MARKS_MILLIS);
  }

  private static LogEntry entry(long index) {
    byte[] data = new byte[500];
    new Random(index).nextBytes(data);
    return LogFixture.data(index, 1, data);
  }

  private static void append(SharedLog log, long from, long to) {
    LogStorage storage = LogFixture.storage(log, GROUP);
    for (long index = from; index <= to; index++) {
      assertThat(storage.appendEntry(entry(index))).isTrue();
    }
  }

  /** A crash: all entries in the WAL, or in tables, and the mark up to date. */
  private Path crashed(String name, boolean inTables) throws IOException {
    Path source = temporary.resolve("source-" + inTables).resolve("store.log");
    if (!Files.exists(source)) {
      try (SharedLog log = open(source)) {
        append(log, 1, ENTRIES);
        LogFixture.meta(log, GROUP).setTermAndVotedFor(3, new PeerId("127.0.0.1", 1));
        log.writeMark();
        if (!inTables) {
          LogFixture.crash(source, temporary.resolve("wal"));
        }
      }
      if (inTables) {
        open(source).close();
        assertThat(LogFixture.largest(source, ".sst")).as("recovery writes a table").isNotNull();
        LogFixture.crash(source, temporary.resolve("tables"));
      }
    }
    Path image = temporary.resolve(inTables ? "tables" : "wal").resolve("store.log");
    return LogFixture.crash(image, temporary.resolve(name));
  }

  @Test
  void aCrashImageOpensWhole() throws IOException {
    for (boolean inTables : new boolean[] {false, true}) {
      try (SharedLog log = open(crashed("whole-" + inTables, inTables))) {
        assertThat(checkAll(log)).isEqualTo(ENTRIES);
      }
    }
  }

  @Test
  void aWalCutBelowTheMarkIsLost() throws IOException {
    Path image = crashed("cut", false);
    cut(LogFixture.largest(image, ".log"), 0.5);
    assertThatThrownBy(() -> open(image))
        .isInstanceOf(LogLostException.class)
        .hasMessageContaining("must not vote");
    assertThatThrownBy(() -> open(image)).as("it stays lost").isInstanceOf(LogLostException.class);
    SharedLog.discard(image);
    try (SharedLog log = open(image)) {
      assertThat(log.groups()).isEmpty();
    }
  }

  @Test
  void aWalThatIsGoneIsLost() throws IOException {
    Path image = crashed("gone", false);
    Files.delete(LogFixture.largest(image, ".log"));
    assertThatThrownBy(() -> open(image)).isInstanceOf(LogLostException.class);
  }

  @Test
  void aTornTailAboveTheMarkIsNormal() throws IOException {
    Path image;
    try (SharedLog log = open(folder)) {
      append(log, 1, 10);
      log.writeMark();
      append(log, 11, 20);
      image = LogFixture.crash(folder, temporary.resolve("torn"));
    }
    Path wal = LogFixture.largest(image, ".log");
    cut(wal, 1 - 20.0 / Files.size(wal));
    try (SharedLog log = open(image)) {
      assertThat(log.lastIndex(GROUP)).isEqualTo(19);
      append(log, 20, 22);
      for (long index = 1; index <= 22; index++) {
        assertThat(LogFixture.storage(log, GROUP).getEntry(index)).isEqualTo(entry(index));
      }
    }
  }

  /** Every file of the database, many places: wrong data and missing data must both show. */
  @ParameterizedTest
  @ValueSource(strings = {".log", ".sst", "MANIFEST"})
  void aFlippedBitNeverPassesInSilence(String kind) throws IOException {
    Random random = new Random(4711);
    int found = 0;
    for (int round = 0; round < 40; round++) {
      damages.clear();
      Path image = crashed(kind + round, kind.equals(".sst"));
      Path file =
          kind.equals("MANIFEST")
              ? LogFixture.files(image, "").stream()
                  .filter(each -> each.getFileName().toString().startsWith("MANIFEST"))
                  .findFirst()
                  .orElseThrow()
              : LogFixture.largest(image, kind);
      int offset = flip(file, random);
      try (SharedLog log = open(image)) {
        int whole = checkAll(log);
        assertThat((whole == ENTRIES && log.term(GROUP) == 3) || log.damaged())
            .as("%s, byte %d", file.getFileName(), offset)
            .isTrue();
        found += log.damaged() ? 1 : 0;
      } catch (LogLostException | LogDamagedException e) {
        found++;
      }
      LogFixture.delete(image.getParent());
    }
    assertThat(found).isGreaterThan(20);
  }

  /** Reads everything; what is wrong must have latched the log and closed it for writes. */
  private int checkAll(SharedLog log) {
    assertThat(log.lastIndex(GROUP)).isEqualTo(ENTRIES);
    LogStorage storage = log.logStorage(GROUP);
    int whole = 0;
    for (long index = 1; index <= ENTRIES; index++) {
      try {
        assertThat(storage.getEntry(index)).isEqualTo(entry(index));
        whole++;
      } catch (LogDamagedException e) {
        assertLatched(log, storage);
      }
    }
    return whole;
  }

  private void assertLatched(SharedLog log, LogStorage storage) {
    assertThat(log.damaged()).isTrue();
    assertThat(damages).hasSize(1);
    assertThat(storage.appendEntry(LogFixture.data(log.lastIndex(GROUP) + 1))).isFalse();
  }

  @Test
  void aMissingRowLatchesTheWholeLog() throws Exception {
    try (SharedLog log = open(folder)) {
      append(log, 1, 10);
      LogFixture.storage(log, "other").appendEntry(LogFixture.data(1));
    }
    raw(database -> database.delete(LogRows.key(LogRows.ENTRY, 1, 5)));
    try (SharedLog log = open(folder)) {
      LogStorage storage = LogFixture.storage(log, GROUP);
      LogStorage other = LogFixture.storage(log, "other");
      RaftMetaStorage meta = LogFixture.meta(log, "other");
      assertThat(storage.getEntry(4)).isEqualTo(entry(4));
      assertThat(damages).isEmpty();
      for (int round = 0; round < 2; round++) {
        assertThatThrownBy(() -> storage.getEntry(5))
            .isInstanceOf(LogDamagedException.class)
            .hasMessageContaining("missing");
        assertThat(damages).hasSize(1);
      }
      assertThat(storage.getEntry(11)).as("outside is no damage").isNull();
      assertThat(other.appendEntry(LogFixture.data(2))).isFalse();
      assertThat(other.truncatePrefix(2)).isFalse();
      assertThat(meta.setTermAndVotedFor(9, new PeerId("127.0.0.1", 1))).isFalse();
      assertThat(meta.getTerm()).isZero();
      assertThatThrownBy(() -> log.writeIncarnation("other", 2))
          .isInstanceOf(LogDamagedException.class);
      assertThat(
              log.metaStorage(GROUP)
                  .init(new com.alipay.sofa.jraft.option.RaftMetaStorageOptions()))
          .isFalse();
    }
    try (SharedLog log = open(folder)) {
      assertThat(log.incarnation("other")).isZero();
      assertThat(log.term("other")).isZero();
    }
  }

  @Test
  void aRowOfAnotherKeyOrVersionIsDamage() throws Exception {
    try (SharedLog log = open(folder)) {
      append(log, 1, 10);
    }
    raw(
        database -> {
          byte[] row = database.get(LogRows.key(LogRows.ENTRY, 1, 4));
          database.put(LogRows.key(LogRows.ENTRY, 1, 5), row);
          byte[] future = row.clone();
          future[0] = 9;
          database.put(LogRows.key(LogRows.ENTRY, 1, 4), future);
        });
    try (SharedLog log = open(folder)) {
      LogStorage storage = LogFixture.storage(log, GROUP);
      assertThatThrownBy(() -> storage.getEntry(5)).hasMessageContaining("checksum");
      assertThatThrownBy(() -> storage.getEntry(4))
          .hasMessageContaining("version 9; this node reads version 1");
      assertThat(damages).hasSize(1);
    }
  }

  @Test
  void aLogThatLostItsStartIsLost() throws Exception {
    try (SharedLog log = open(folder)) {
      append(log, 1, 10);
    }
    raw(database -> database.delete(LogRows.key(LogRows.ENTRY, 1, 1)));
    assertThatThrownBy(() -> open(folder)).isInstanceOf(LogLostException.class);
  }

  @Test
  void anUnknownFormatIsRefusedNamingBoth() throws Exception {
    try (SharedLog log = open(folder)) {
      append(log, 1, 10);
    }
    Path mark = DurableMark.file(folder);
    String text = Files.readString(mark, UTF_8);
    Files.writeString(mark, DurableMark.text(7, 3));
    List<Path> files = LogFixture.files(folder, "");
    assertThatThrownBy(() -> open(folder))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("has format 7; this node reads format 1");
    assertThat(LogFixture.files(folder, "")).as("nothing was touched").isEqualTo(files);
    Files.writeString(mark, text);
    raw(database -> database.put(LogRows.FORMAT_KEY, new byte[] {0, 0, 0, 2}));
    assertThatThrownBy(() -> open(folder))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("has format 2; this node reads format 1");
    assertThatThrownBy(() -> LogDump.print(folder, line -> {}, data -> ""))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("has format 2");
  }

  @Test
  void anUnknownMarkIsRefusedNamingBothAndADamagedOneIsALostLog() throws IOException {
    open(folder).close();
    Path mark = DurableMark.file(folder);
    String text = Files.readString(mark, UTF_8);
    assertThat(text).matches("cairn-log-mark 1\nlog-format 1\nsequence 1\ncrc32c [0-9a-f]{8}\n");
    Files.writeString(mark, text.replace("mark 1", "mark 2"));
    assertThatThrownBy(() -> open(folder))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("has version 2; this node reads version 1");
    for (int length = 0; length < text.length(); length++) {
      Files.writeString(mark, text.substring(0, length));
      assertThatThrownBy(() -> open(folder)).isInstanceOf(LogLostException.class);
    }
    Files.writeString(mark, text.replace("sequence 1", "sequence 0"));
    assertThatThrownBy(() -> open(folder)).isInstanceOf(LogLostException.class);
    Files.writeString(mark, text);
    open(folder).close();
  }

  @Test
  void aLogWithoutItsMarkOrAMarkWithoutItsLogIsLost() throws IOException {
    open(folder).close();
    Files.delete(DurableMark.file(folder));
    try (SharedLog log = open(folder)) {
      append(log, 1, 10);
    }
    Path image = crashed("elsewhere", false);
    Files.delete(DurableMark.file(folder));
    assertThatThrownBy(() -> open(folder)).isInstanceOf(LogLostException.class);
    LogFixture.delete(image);
    assertThatThrownBy(() -> open(image))
        .isInstanceOf(LogLostException.class)
        .hasMessageContaining("is gone");
  }

  @Test
  void anOldCopyPutBackIsLost() throws IOException {
    Path old = temporary.resolve("old");
    try (SharedLog log = open(folder)) {
      append(log, 1, 10);
      LogFixture.crash(folder, old);
      append(log, 11, 20);
    }
    LogFixture.delete(folder);
    Files.move(old.resolve("store.log"), folder);
    assertThatThrownBy(() -> open(folder)).isInstanceOf(LogLostException.class);
  }

  @Test
  void theMarkFollowsTheLastWriteByItself() throws IOException {
    try (SharedLog log = SharedLog.open(folder, damages::add, new Metrics(), 20)) {
      for (int index = 1; index <= 30; index++) {
        append(log, index, index);
      }
      Awaitility.await()
          .until(
              () ->
                  DurableMark.read(DurableMark.file(folder)).orElseThrow().sequence()
                      // 1 for the format, 1 for the directory, 1 an entry.
                      == 32);
    }
  }

  @Test
  void aMarkThatCannotBeWrittenLatches() throws IOException {
    try (SharedLog log = SharedLog.open(folder, damages::add, new Metrics(), 0)) {
      Path mark = DurableMark.file(folder);
      Files.delete(mark);
      Files.createDirectories(mark.resolve("in the way"));
      append(log, 1, 1);
      Awaitility.await().until(log::damaged);
      assertThat(LogFixture.storage(log, "x").appendEntry(LogFixture.data(1))).isFalse();
    } catch (IllegalStateException e) {
      assertThat(damages).as("init is refused").hasSize(1);
    }
  }

  private void raw(Step step) throws RocksDBException {
    try (LogOptions options = LogOptions.forWriting(status -> {});
        RocksDB database =
            RocksDB.open(
                options.database, folder.toString(), options.columnFamilies(), new ArrayList<>())) {
      step.run(database);
    }
  }

  private interface Step {
    void run(RocksDB database) throws RocksDBException;
  }

  private static void cut(Path file, double part) throws IOException {
    try (var channel = Files.newByteChannel(file, StandardOpenOption.WRITE)) {
      channel.truncate((long) (channel.size() * part));
    }
  }

  private static int flip(Path file, Random random) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    int offset = random.nextInt(bytes.length);
    bytes[offset] ^= (byte) (1 << random.nextInt(8));
    Files.write(file, bytes);
    return offset;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.cairn.log.Append;
import dev.cairn.log.FolderFiles;
import dev.cairn.log.LogEntry;
import dev.cairn.log.LogException;
import dev.cairn.log.LogFile;
import dev.cairn.log.LogFiles;
import dev.cairn.log.LogSettings;
import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.raft.ForeignLogException;
import dev.cairn.server.raft.LogDamagedException;
import dev.cairn.server.raft.LogLostException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who waits for the log's disk, and what an operator is told of it. */
class WrittenLogTest {
  private static final String GROUP = "cairn-test-p0";
  private static final String OTHER = "cairn-test-p1";
  private static final int ENTRY_BYTES = 1_000;
  private static final String MARK = "durable-mark";

  /** Four batches of a block each to a segment. */
  private static final int BLOCKS_OF_A_SEGMENT = 4;

  private static final LogSettings SMALL =
      new LogSettings(BLOCKS_OF_A_SEGMENT << 12, 1 << 12, 4, 1 << 20, 4 << 20);

  @TempDir Path temporary;
  private final List<RuntimeException> faults = new CopyOnWriteArrayList<>();
  private final Disk disk = new Disk();
  private final Metrics metrics = new Metrics();
  private WrittenLog log;

  @AfterEach
  void close() {
    disk.released.countDown();
    if (log != null) {
      log.close();
    }
  }

  @Test
  void whoWaitsWhenTheLogIsClosedIsToldSo() throws Exception {
    open(LogSettings.DEFAULT);
    disk.holds = true;
    CompletableFuture<Throwable> first = marking(GROUP);
    assertThat(disk.held.await(20, TimeUnit.SECONDS)).isTrue();
    CompletableFuture<Throwable> second = marking(OTHER);
    eventually(() -> log.log().queuedBytes() > 0);
    Thread closing = new Thread(log::close);
    closing.start();
    eventually(() -> closing.getState() == Thread.State.TIMED_WAITING);
    disk.released.countDown();
    assertThat(first.get(20, TimeUnit.SECONDS)).isNull();
    assertThat(second.get(20, TimeUnit.SECONDS))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
    closing.join();
    assertThat(faults).isEmpty();
  }

  @Test
  void aClosedLogIsNoFault() throws Exception {
    open(LogSettings.DEFAULT);
    log.close();
    assertThat(marking(GROUP).get(20, TimeUnit.SECONDS)).isInstanceOf(IllegalStateException.class);
    log.fault(new LogException(LogException.Kind.CLOSED, "the log is closed"));
    assertThat(faults).isEmpty();
  }

  @Test
  void whatIsThrownSaysWhatIsWrongAsWhatIsTold() throws Exception {
    open(LogSettings.DEFAULT);
    disk.failure = new LogException(LogException.Kind.DAMAGED, "not what was written");
    Throwable thrown = marking(GROUP).get(20, TimeUnit.SECONDS);
    assertThat(thrown).isInstanceOf(LogDamagedException.class);
    assertThat(((LogDamagedException) thrown).kind()).isEqualTo(LogDamagedException.Kind.DAMAGED);
    assertThat(faults)
        .extracting(fault -> ((LogDamagedException) fault).kind())
        .containsExactly(LogDamagedException.Kind.DAMAGED);
  }

  @Test
  void anOperatorSeesWritesAndSyncsAndAFailure() throws Exception {
    open(LogSettings.DEFAULT);
    long before = figure("cairn_log_fsync_duration_seconds_count");
    assertThat(marking(GROUP).get(20, TimeUnit.SECONDS)).isNull();
    eventually(() -> figure("cairn_log_commit_duration_seconds_count") == 1);
    assertThat(figure("cairn_log_fsync_duration_seconds_count")).isEqualTo(before + 1);
    assertThat(metrics.value(Metric.LOG_DAMAGED)).isZero();
    disk.failure = new LogException(LogException.Kind.FAILED, "no such disk");
    assertThat(marking(OTHER).get(20, TimeUnit.SECONDS)).isNotNull();
    assertThat(metrics.value(Metric.LOG_DAMAGED)).isOne();
    assertThat(figure("cairn_log_commit_duration_seconds_count")).isOne();
  }

  @Test
  void damageToWhatIsOnDiskIsTold() throws Exception {
    open(LogSettings.DEFAULT);
    append(1, 20);
    log.verify(bytes -> true);
    assertThat(faults).isEmpty();
    Path segment = temporary.resolve("log").resolve("segment-000001");
    try (FileChannel file = FileChannel.open(segment, StandardOpenOption.WRITE)) {
      file.write(ByteBuffer.wrap(new byte[] {77}), 4096 + 70);
    }
    log.verify(bytes -> true);
    log.verify(bytes -> true);
    assertThat(faults)
        .as("once")
        .extracting(fault -> ((LogDamagedException) fault).kind())
        .containsExactly(LogDamagedException.Kind.DAMAGED);
    assertThat(metrics.value(Metric.LOG_DAMAGED)).isOne();
  }

  @Test
  void whoWaitsForRoomIsToldAfterAWhile() throws Exception {
    open(SMALL);
    useUpWhatThereIs();
    // Files may be in hand still. Each of these takes a block; a group of its own, or entries go.
    for (int i = 0; faults.isEmpty() && i < 4 * BLOCKS_OF_A_SEGMENT; i++) {
      Throwable thrown = marking("cairn-test-p" + (i + 1)).get(60, TimeUnit.SECONDS);
      if (thrown != null) {
        assertThat(((LogDamagedException) thrown).kind())
            .isEqualTo(LogDamagedException.Kind.NO_ROOM);
        break;
      }
    }
    assertThat(faults)
        .extracting(fault -> ((LogDamagedException) fault).kind())
        .containsExactly(LogDamagedException.Kind.NO_ROOM);
  }

  @Test
  void howLongALogIsOutlivesARestart() throws Exception {
    open(LogSettings.DEFAULT);
    log.writeIncarnation(GROUP, 1);
    log.opened(GROUP);
    assertThat(log.entryBytes(GROUP)).isZero();
    append(1, 20);
    restart();
    assertThat(log.entryBytes(GROUP))
        .isEqualTo(20L * (ENTRY_BYTES + UnappliedEntries.ENTRY_BYTES)); // read whole
    append(21, 4_000);
    restart();
    long all = 4_000L * (ENTRY_BYTES + UnappliedEntries.ENTRY_BYTES);
    assertThat(log.entryBytes(GROUP)).isBetween(all * 9 / 10, all * 11 / 10);
  }

  @Test
  void aLogThatLostWhatItHadSyncedIsLostAndStaysSo() throws IOException {
    open(LogSettings.DEFAULT);
    append(1, 20);
    log.close();
    flip(4096 + 70);
    for (int i = 0; i < 2; i++) {
      assertThatThrownBy(() -> WrittenLog.open(folder(), "node", faults::add, metrics))
          .isInstanceOf(LogLostException.class)
          .hasMessageContaining(folder().toString())
          .hasMessageContaining("must not vote");
    }
  }

  @Test
  void aLogWithoutItsMarkIsLost() throws IOException {
    open(LogSettings.DEFAULT);
    append(1, 20);
    log.close();
    Files.delete(folder().resolve(MARK));
    assertThatThrownBy(() -> WrittenLog.open(folder(), "node", faults::add, metrics))
        .isInstanceOf(LogLostException.class);
  }

  @Test
  void anEndThatACrashCutOffAboveTheMarkIsNoLoss() throws IOException {
    open(LogSettings.DEFAULT);
    append(1, 10);
    log.close(); // writes the mark
    byte[] mark = Files.readAllBytes(folder().resolve(MARK));
    open(LogSettings.DEFAULT);
    append(11, 11);
    append(12, 12);
    log.close();
    Files.write(folder().resolve(MARK), mark);
    long blocks = 0;
    while (startsWith("CLOG", blocks << 12)) {
      blocks++; // each append here is a batch, and each batch a block
    }
    flip(((blocks - 1) << 12) + 70);
    open(LogSettings.DEFAULT);
    assertThat(log.lastIndex(GROUP)).isEqualTo(11);
    assertThat(log.termAt(GROUP, 11)).hasValue(1);
    append(12, 13);
    assertThat(log.lastIndex(GROUP)).isEqualTo(13);
  }

  @Test
  void aLogThatWasCondemnedIsLost() throws IOException {
    WrittenLog.open(folder(), "node", faults::add, metrics).close();
    LogFolder.condemn(folder(), "found by the scrub");
    assertThatThrownBy(() -> WrittenLog.open(folder(), "node", faults::add, metrics))
        .isInstanceOf(LogLostException.class)
        .hasMessageContaining("found by the scrub");
    for (Path file : LogFolder.files(folder())) {
      MapReplica.deleteAll(file);
    }
    WrittenLog.open(folder(), "node", faults::add, metrics).close();
  }

  @Test
  void aLogThatHasNothingOfAGroupThatWasThereIsLost() throws IOException {
    open(LogSettings.DEFAULT);
    log.writeIncarnation(GROUP, 1);
    log.requireGroup(GROUP);
    assertThatThrownBy(() -> log.requireGroup(OTHER))
        .isInstanceOf(LogLostException.class)
        .hasMessageContaining("is gone");
  }

  @Test
  void aLogIsOpenOnce() throws IOException {
    open(LogSettings.DEFAULT);
    assertThatThrownBy(() -> WrittenLog.open(folder(), "node", faults::add, metrics))
        .isInstanceOf(IOException.class)
        .isNotInstanceOf(LogLostException.class);
  }

  @Test
  void anotherIncarnationStartsEmptyAndOthersKeepWhatTheyHave() throws IOException {
    open(LogSettings.DEFAULT);
    assertThat(log.incarnation(GROUP)).isZero();
    assertThat(log.firstIndex(GROUP)).isOne();
    assertThat(log.lastIndex(GROUP)).isZero();
    assertThat(log.termAt(GROUP, 1)).isEmpty();
    log.writeIncarnation(OTHER, 1);
    long other = GroupNumbers.of(OTHER);
    LogEntry entry = new LogEntry(1, 4, LogEntry.Kind.DATA, new byte[ENTRY_BYTES]);
    log.log().append(new Append().hardState(other, 4, new byte[0]).entry(other, entry));
    log.writeIncarnation(GROUP, 1);
    append(1, 9);
    log.writeIncarnation(GROUP, 2);
    for (int round = 0; round < 2; round++) {
      assertThat(log.incarnation(GROUP)).isEqualTo(2);
      assertThat(log.firstIndex(GROUP)).isOne();
      assertThat(log.lastIndex(GROUP)).isZero();
      assertThat(log.entryBytes(GROUP)).isZero();
      assertThat(log.log().group(GroupNumbers.of(GROUP)).orElseThrow().term()).isZero();
      assertThat(log.incarnation(OTHER)).isOne();
      assertThat(log.lastIndex(OTHER)).isOne();
      assertThat(log.termAt(OTHER, 1)).hasValue(4);
      restart();
    }
  }

  @Test
  void aLogOfTheFormerFormIsLeftAsItIs() throws IOException {
    Path folder = temporary.resolve("log");
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("CURRENT"), "MANIFEST-000005\n"); // a RocksDB has one
    Files.writeString(folder.resolve("000004.log"), "what the former form wrote");
    Path mark = Files.writeString(temporary.resolve("log.mark"), "its mark");
    List<Path> files = files(folder);
    assertThatThrownBy(() -> WrittenLog.open(folder, "node", faults::add, metrics))
        .isInstanceOf(ForeignLogException.class)
        .hasMessageContaining("another form of Cairn")
        .hasMessageContaining("./cairn export")
        .hasMessageContaining("./cairn import");
    assertThat(files(folder)).isEqualTo(files);

    Files.delete(folder.resolve("CURRENT")); // the mark beside the folder still says so
    assertThatThrownBy(() -> WrittenLog.open(folder, "node", faults::add, metrics))
        .isInstanceOf(ForeignLogException.class);
    Files.delete(mark);
    WrittenLog.open(folder, "node", faults::add, metrics).close();
  }

  @Test
  void aLogOfAnotherVersionIsNoFailedDisk() throws IOException {
    Path folder = temporary.resolve("log");
    WrittenLog.open(folder, "node", faults::add, metrics).close();
    Path mark = folder.resolve("durable-mark");
    Files.writeString(mark, Files.readString(mark).replaceFirst("mark \\d+", "mark 999"));
    assertThatThrownBy(() -> WrittenLog.open(folder, "node", faults::add, metrics))
        .isInstanceOf(ForeignLogException.class)
        .hasMessageContaining("has version 999");
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }

  // ---- Helpers ----

  private long figure(String name) {
    return new String(metrics.scrape(), StandardCharsets.UTF_8)
        .lines()
        .filter(line -> line.startsWith(name + " "))
        .mapToLong(line -> (long) Double.parseDouble(line.substring(name.length() + 1)))
        .sum();
  }

  private Path folder() {
    return temporary.resolve("log");
  }

  private Path newestSegment() throws IOException {
    try (Stream<Path> files = Files.list(folder())) {
      return files
          .filter(file -> file.getFileName().toString().startsWith("segment-"))
          .max(Comparator.comparing(file -> numberOfFirstBatch(file)))
          .orElseThrow();
    }
  }

  /** 0 of a file that was not used yet. */
  private static long numberOfFirstBatch(Path segment) {
    try (FileChannel file = FileChannel.open(segment, StandardOpenOption.READ)) {
      ByteBuffer header = ByteBuffer.allocate(64);
      file.read(header, 0);
      return header.getLong(32);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private boolean startsWith(String text, long offset) throws IOException {
    try (FileChannel file = FileChannel.open(newestSegment(), StandardOpenOption.READ)) {
      ByteBuffer bytes = ByteBuffer.allocate(text.length());
      file.read(bytes, offset);
      return new String(bytes.array(), StandardCharsets.UTF_8).equals(text);
    }
  }

  private void flip(long offset) throws IOException {
    try (FileChannel file =
        FileChannel.open(newestSegment(), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer one = ByteBuffer.allocate(1);
      file.read(one, offset);
      one.put(0, (byte) (one.get(0) ^ 1)).flip();
      file.write(one, offset);
    }
  }

  private void open(LogSettings settings) throws IOException {
    Path folder = folder();
    Files.createDirectories(folder);
    disk.files = FolderFiles.open(folder);
    log = WrittenLog.open(folder, "node", disk, settings, faults::add, metrics);
  }

  private void restart() throws IOException {
    log.close();
    open(LogSettings.DEFAULT);
    assertThat(log.entryBytes(GROUP)).isZero();
    log.opened(GROUP);
  }

  private void append(long from, long to) {
    long number = GroupNumbers.of(GROUP);
    long sequence = 0;
    for (long index = from; index <= to; index++) {
      LogEntry entry = new LogEntry(index, 1, LogEntry.Kind.DATA, new byte[ENTRY_BYTES]);
      sequence = log.log().append(new Append().entry(number, entry));
    }
    long last = sequence;
    eventually(() -> log.log().durable() >= last);
  }

  /** The disk is full from now on. Nobody lets the entries go, so no segment is used again. */
  private void useUpWhatThereIs() {
    long number = GroupNumbers.of(GROUP);
    try {
      for (long index = 1; !log.log().isOutOfRoom(); index++) {
        LogEntry entry = new LogEntry(index, 1, LogEntry.Kind.DATA, new byte[ENTRY_BYTES]);
        long sequence = log.log().append(new Append().entry(number, entry));
        eventually(() -> log.log().durable() >= sequence || log.log().isOutOfRoom());
        disk.full = true;
      }
    } catch (LogException full) {
      assertThat(full.kind()).isEqualTo(LogException.Kind.NO_ROOM);
    }
  }

  /** What is thrown by who marks a group; null for nothing. */
  private CompletableFuture<Throwable> marking(String group) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            log.writeIncarnation(group, 1);
            return null;
          } catch (RuntimeException e) {
            return e;
          }
        });
  }

  private static void eventually(Callable<Boolean> condition) {
    await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(10)).until(condition);
  }

  /** A folder that holds a sync up, fails, or has no room for another file. */
  private static final class Disk implements LogFiles {
    LogFiles files;
    final CountDownLatch held = new CountDownLatch(1);
    final CountDownLatch released = new CountDownLatch(1);
    volatile boolean holds;
    volatile boolean full;
    volatile LogException failure;

    @Override
    public List<String> list() throws IOException {
      return files.list();
    }

    @Override
    public LogFile create(String name, long bytes) throws IOException {
      if (full) {
        throw new LogException(LogException.Kind.NO_ROOM, "no room");
      }
      return new File(files.create(name, bytes));
    }

    @Override
    public LogFile open(String name) throws IOException {
      return new File(files.open(name));
    }

    @Override
    public void delete(String name) throws IOException {
      files.delete(name);
    }

    @Override
    public void replace(String name, byte[] bytes) throws IOException {
      files.replace(name, bytes);
    }

    @Override
    public Optional<byte[]> read(String name) throws IOException {
      return files.read(name);
    }

    @Override
    public void close() throws IOException {
      files.close();
    }

    private final class File implements LogFile {
      private final LogFile file;

      File(LogFile file) {
        this.file = file;
      }

      @Override
      public long size() throws IOException {
        return file.size();
      }

      @Override
      public int read(long position, ByteBuffer into) throws IOException {
        return file.read(position, into);
      }

      @Override
      public void write(long position, ByteBuffer from) throws IOException {
        if (failure != null) {
          throw failure;
        }
        file.write(position, from);
      }

      @Override
      public void sync() throws IOException {
        if (holds) {
          held.countDown();
          try {
            released.await();
          } catch (InterruptedException e) {
            throw new IOException(e);
          }
        }
        file.sync();
      }

      @Override
      public void close() throws IOException {
        file.close();
      }
    }
  }
}

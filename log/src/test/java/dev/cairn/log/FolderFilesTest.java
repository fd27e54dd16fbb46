// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The log on real files, with its threads. */
class FolderFilesTest {
  private static final LogSettings SETTINGS =
      new LogSettings(256 << 10, 32 << 10, 3, 1 << 20, 4 << 20);
  private static final int THREADS = 3;
  private static final int APPENDS = 150;

  @TempDir Path temporary;
  private Path folder;

  @BeforeEach
  void makeFolder() {
    folder = temporary.resolve("log");
  }

  @ParameterizedTest
  @EnumSource(FolderFiles.Writing.class)
  void whatManyThreadsAppendIsThereAfterAStart(FolderFiles.Writing writing) throws Exception {
    FolderFiles files = FolderFiles.open(folder, writing);
    AtomicLong durable = new AtomicLong();
    AtomicReference<LogException> failed = new AtomicReference<>();
    Log log = Log.open(files, SETTINGS, new Random(1));
    try (LogThread thread =
        new LogThread(
            log,
            new LogThread.Listener() {
              @Override
              public void durable(long sequence) {
                assertThat(sequence).isGreaterThan(durable.getAndSet(sequence));
              }

              @Override
              public void failed(LogException cause) {
                failed.set(cause);
              }
            })) {
      assertThat(thread).isNotNull();
      List<Thread> threads = new ArrayList<>();
      for (long group = 1; group <= THREADS; group++) {
        long id = group;
        threads.add(new Thread(() -> append(log, id)));
      }
      threads.forEach(Thread::start);
      for (Thread each : threads) {
        each.join();
      }
      long last = log.append(new Append().commit(1, APPENDS));
      while (durable.get() < last && failed.get() == null) {
        Thread.onSpinWait();
      }
      assertThat(failed.get()).isNull();
    }
    try (Log again = Log.open(FolderFiles.open(folder, writing), SETTINGS, new Random(2))) {
      for (long group = 1; group <= THREADS; group++) {
        assertThat(again.group(group).orElseThrow().last()).isEqualTo(APPENDS);
        long at = again.group(group).orElseThrow().base().index() + 1;
        while (at <= APPENDS) {
          for (LogEntry entry : again.read(group, at, 10_000)) {
            assertThat(entry.data()).isEqualTo(data(group, at));
            at++;
          }
        }
      }
    }
  }

  private static byte[] data(long group, long index) {
    byte[] data = new byte[(int) (index * 37 % 2000)];
    new Random(group * 1000 + index).nextBytes(data);
    return data;
  }

  private static void append(Log log, long group) {
    for (long index = 1; index <= APPENDS; index++) {
      LogEntry entry = new LogEntry(index, 1, LogEntry.Kind.DATA, data(group, index));
      log.append(new Append().entry(group, entry));
      // One group lags: what it needs is copied. Reads go on beside that.
      if (group > 1 && index % 50 == 0 && log.group(group).isPresent()) {
        log.append(new Append().compact(group, log.group(group).get().last()));
        log.append(new Append().commit(group, index));
      }
      if (index % 10 == 0) {
        List<LogEntry> read = log.read(group, Math.max(1, index - 20), 1);
        read.forEach(each -> assertThat(each.data()).isEqualTo(data(group, each.index())));
      }
    }
  }

  @Test
  void aRealFileThatWasCutInTheMiddleOfABlockIsFound() throws IOException {
    try (Log log = Log.open(FolderFiles.open(folder), SETTINGS, new Random(1))) {
      for (int term = 1; term <= 3; term++) {
        log.append(new Append().hardState(1, term, new byte[2]));
        assertThat(log.write()).isTrue();
      }
    }
    byte[] whole = Files.readAllBytes(folder.resolve("segment-000001"));
    int lastEnds = 3 * Batch.BLOCK_BYTES + Batch.HEADER_BYTES + Batch.RECORD_BYTES + 2;
    for (int length : new int[] {lastEnds, lastEnds - 1, 5000, 100, 0}) {
      Path cut = folder.resolveSibling("cut-" + length);
      Files.createDirectories(cut);
      Files.write(cut.resolve("segment-000001"), Arrays.copyOf(whole, length));
      Files.copy(folder.resolve(Mark.NAME), cut.resolve(Mark.NAME));
      FolderFiles files = FolderFiles.open(cut);
      if (length == lastEnds) {
        try (Log log = Log.open(files, SETTINGS, new Random(2))) {
          assertThat(log.group(1).orElseThrow().term()).isEqualTo(3);
        }
      } else {
        assertThatThrownBy(() -> Log.open(files, SETTINGS, new Random(2)))
            .isInstanceOfSatisfying(
                LogException.class, e -> assertThat(e.kind()).isEqualTo(LogException.Kind.DAMAGED));
      }
    }
  }

  @Test
  void aFolderHasOneLogAtATime() throws IOException {
    FolderFiles first = FolderFiles.open(folder);
    assertThatThrownBy(() -> FolderFiles.open(folder))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("in use");
    first.close();
    FolderFiles.open(folder).close();
  }

  @Test
  void aFileSystemThatRefusesToPassItsCacheGetsSyncedWrites() throws IOException {
    Path memory = Path.of("/dev/shm");
    assumeThat(memory).isDirectory();
    Path there = Files.createTempDirectory(memory, "cairn-log-test");
    try {
      FolderFiles files = FolderFiles.open(there.resolve("log"));
      try (Log log = Log.open(files, SETTINGS, new Random(1))) {
        log.append(new Append().hardState(1, 5, new byte[2]));
        assertThat(log.write()).isTrue();
      }
      try (Log log = Log.open(FolderFiles.open(there.resolve("log")), SETTINGS, new Random(2))) {
        assertThat(log.group(1).orElseThrow().term()).isEqualTo(5);
      }
    } finally {
      try (var all = Files.walk(there)) {
        for (Path path : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      }
    }
  }

  @Test
  void aFileThatFailsInTheMiddleOfARunIsToldOnce() throws Exception {
    SimulatedFiles files = new SimulatedFiles(new Random(1));
    Log log = Log.open(files, SETTINGS, new Random(1));
    AtomicLong told = new AtomicLong();
    CountDownLatch failed = new CountDownLatch(1);
    files.failAt = files.steps() + 1;
    log.append(new Append().hardState(1, 1, new byte[0]));
    assertThat(log.write()).isFalse();
    try (LogThread thread =
        new LogThread(
            log,
            new LogThread.Listener() {
              @Override
              public void durable(long sequence) {
                throw new AssertionError("nothing is durable");
              }

              @Override
              public void failed(LogException cause) {
                told.incrementAndGet();
                failed.countDown();
              }
            })) {
      assertThat(thread).isNotNull();
      assertThat(failed.await(60, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(told).hasValue(1);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Disks that fail or are full, queues that are full, and appends that do not fit. */
class LogFaultsTest {
  private static final LogSettings SETTINGS = Simulation.SMALL;
  private static final LogEntry.Kind DATA = LogEntry.Kind.DATA;

  private final SimulatedFiles files = new SimulatedFiles(new Random(1));

  private Log open() throws IOException {
    return Log.open(files, SETTINGS, new Random(2));
  }

  private static Append entry(long index, int bytes) {
    return new Append().entry(1, new LogEntry(index, 1, DATA, new byte[bytes]));
  }

  @Test
  void afterAFailedSyncNothingIsAcknowledgedAnyMore() throws IOException {
    for (int step = 1; step <= 2; step++) {
      SimulatedFiles failing = new SimulatedFiles(new Random(1));
      Log log = Log.open(failing, SETTINGS, new Random(2));
      log.append(entry(1, 10));
      assertThat(log.write()).isTrue();
      log.append(entry(2, 10));
      failing.failAt = failing.steps() + step; // the write, then its sync
      assertThat(log.write()).isFalse();
      assertThat(log.failure())
          .get()
          .extracting(LogException::kind)
          .isEqualTo(LogException.Kind.FAILED);
      assertThat(log.durable()).isEqualTo(1);
      assertThat(log.write()).isFalse();
      assertThat(log.durable()).isEqualTo(1);
      assertKind(() -> log.append(entry(3, 10)), LogException.Kind.FAILED);
      assertKind(() -> log.read(1, 1, 1), LogException.Kind.FAILED);
      long steps = failing.steps();
      assertThat(log.mark()).isFalse();
      assertThat(log.copy()).isFalse();
      assertThat(log.prepare()).isFalse();
      assertThat(failing.steps()).as("nothing is written any more").isEqualTo(steps);
    }
  }

  @Test
  void aSegmentThatCannotBeBegunFailsTheLog() throws IOException {
    Log log = open();
    long index = 1;
    while (log.counts().get("ordinal") == 1 && log.failure().isEmpty()) {
      log.append(entry(index++, 7000));
      files.failAt = log.counts().get("free") == 0 ? Long.MAX_VALUE : files.steps() + 3;
      boolean written = log.write();
      files.failAt = Long.MAX_VALUE;
      assertThat(written || log.failure().isPresent()).isTrue();
    }
    Log again = Log.open(files.afterCrash(), SETTINGS, new Random(3));
    assertThat(again.group(1).orElseThrow().last()).isGreaterThanOrEqualTo(log.durable());
  }

  @Test
  void aReadThatFailsIsNoMissingEntry() throws IOException {
    Log log = open();
    log.append(entry(1, 10));
    log.write();
    files.unreadable = true;
    assertKind(() -> log.read(1, 1, 1), LogException.Kind.FAILED);
    assertThat(log.failure()).isPresent();
  }

  @Test
  void whatIsWrittenWhileOneReadsIsNotTakenForDamage() throws IOException {
    Log log = open();
    log.append(entry(1, 10));
    log.write();
    files.afterRead =
        () -> {
          files.afterRead = () -> {};
          log.append(entry(2, 10));
          assertThat(log.write()).isTrue();
        };
    assertThat(log.read(1, 1, 10_000)).hasSize(2);
    assertThat(log.failure()).isEmpty();
  }

  @Test
  void aFullDiskRefusesEntriesBeforeItWritesAndGoesOnOnceThereIsRoom() throws IOException {
    Log log = open();
    files.room = files.list().stream().mapToLong(name -> files.bytes(name).length).sum() + 5000;
    long index = 1;
    while (!log.isOutOfRoom()) {
      log.append(entry(index++, 7000));
      while (log.write()) {
        // until all is written, or there is no segment to begin
      }
      log.prepare();
    }
    assertThat(log.failure()).isEmpty();
    long last = index;
    long waiting = log.queuedBytes();
    assertKind(() -> log.append(entry(last, 10)), LogException.Kind.NO_ROOM);
    assertThat(log.queuedBytes()).isEqualTo(waiting);
    // What brings room is taken all the same.
    log.append(new Append().hardState(1, 7, new byte[0]));
    assertThat(log.prepare()).isFalse();
    assertThat(log.copy()).isFalse();
    assertThat(log.failure()).isEmpty();

    files.room = Long.MAX_VALUE;
    assertThat(log.prepare()).isTrue();
    assertThat(log.prepare()).isTrue();
    assertThat(log.isOutOfRoom()).isFalse();
    log.append(entry(last, 10));
    while (log.write()) {
      // all that waited too
    }
    assertThat(log.queuedBytes()).isZero();
    assertThat(log.group(1).orElseThrow().last()).isEqualTo(last);
    assertThat(log.group(1).orElseThrow().term()).isEqualTo(7);
    Log again = Log.open(files.copy(), SETTINGS, new Random(3));
    assertThat(again.group(1).orElseThrow().last()).isEqualTo(last);
  }

  @Test
  void onAFullDiskACompactionBringsRoomByItself() throws IOException {
    Log log = open();
    log.prepare();
    log.prepare();
    files.room = files.list().stream().mapToLong(name -> files.bytes(name).length).sum() + 5000;
    long index = 1;
    while (!log.isOutOfRoom()) {
      log.append(entry(index++, 7000));
      log.write();
      log.prepare();
    }
    log.append(new Append().compact(1, index - 1));
    for (int i = 0; i < 10; i++) {
      log.write();
      log.prepare();
    }
    assertThat(log.isOutOfRoom()).isFalse();
    assertThat(log.failure()).isEmpty();
    log.append(entry(index, 7000));
    assertThat(log.write()).isTrue();
  }

  @Test
  void aDiskWithoutRoomForASegmentIsToldWhenTheLogIsOpened() {
    files.room = 20_000;
    assertKind(this::open, LogException.Kind.NO_ROOM);
    files.room = Long.MAX_VALUE;
  }

  @Test
  void tooMuchThatWaitsIsRefused() throws IOException {
    LogSettings settings = new LogSettings(64 << 10, 8 << 10, 3, 1000, 10_000);
    Log log = Log.open(files, settings, new Random(2));
    log.append(entry(1, 20_000)); // one alone is taken, whatever its size
    assertKind(() -> log.append(entry(2, 10)), LogException.Kind.BUSY);
    while (log.write()) {
      // until there is room
    }
    log.append(entry(2, 5_000));
    int exact = 10_000 - 5_000 - 2 * Batch.RECORD_BYTES;
    assertKind(() -> log.append(entry(3, exact + 1)), LogException.Kind.BUSY);
    log.append(entry(3, exact));
  }

  @Test
  void whatDoesNotFollowIsRefusedAndChangesNothing() throws IOException {
    Log log = open();
    log.append(entry(1, 1).entry(1, new LogEntry(2, 1, DATA, new byte[1])));
    Append[] wrong = {
      entry(4, 1),
      entry(0, 1),
      new Append().compact(1, 3),
      new Append().truncate(1, -1),
      new Append().commit(1, 9).entry(1, new LogEntry(9, 1, DATA, new byte[0])),
      new Append().entry(1, new LogEntry(3, 0, DATA, new byte[0])),
      new Append(),
    };
    for (Append append : wrong) {
      assertThatThrownBy(() -> log.append(append)).isInstanceOf(IllegalArgumentException.class);
    }
    log.append(new Append().compact(1, 2));
    assertThatThrownBy(() -> log.append(new Append().truncate(1, 1)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> log.append(entry(2, 1))).isInstanceOf(IllegalArgumentException.class);
    log.append(entry(3, 1));
    while (log.write()) {
      // all
    }
    assertThat(log.group(1).orElseThrow().last()).isEqualTo(3);
    assertThat(log.group(1).orElseThrow().commit()).isEqualTo(2);
  }

  @Test
  void boundsHoldAtTheLimitAndOneAbove() throws IOException {
    LogSettings settings = new LogSettings(4 << 20, 1 << 20, 16, 16 << 20, 64 << 20);
    Log log = Log.open(files, settings, new Random(2));
    byte[] largest = new byte[Change.DATA_BYTES_MAX];
    new Random(5).nextBytes(largest);
    log.append(new Append().entry(1, new LogEntry(1, 1, DATA, largest)));
    while (log.write()) {
      // many batches
    }
    assertThat(log.read(1, 1, 1).get(0).data()).isEqualTo(largest);
    Append append = new Append();
    assertThatThrownBy(
            () -> append.entry(1, new LogEntry(2, 1, DATA, new byte[Change.DATA_BYTES_MAX + 1])))
        .isInstanceOf(IllegalArgumentException.class);
    LogEntry.Kind configuration = LogEntry.Kind.CONFIGURATION;
    append.entry(1, new LogEntry(2, 1, configuration, new byte[64 << 10]));
    append.marker(1, new byte[1 << 10]).hardState(1, 1, new byte[1 << 10]);
    append.reset(2, new Base(5, 1, 1, new byte[64 << 10]));
    assertThatThrownBy(
            () -> append.entry(1, new LogEntry(3, 1, configuration, new byte[(64 << 10) + 1])))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> append.marker(1, new byte[(1 << 10) + 1]))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> append.hardState(1, 1, new byte[(1 << 10) + 1]))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> append.reset(1, new Base(5, 1, 1, new byte[(64 << 10) + 1])))
        .isInstanceOf(IllegalArgumentException.class);
    log.append(append);
    assertThat(log.write()).isTrue();
    assertThat(log.read(1, 1, 1).get(0).data()).isEqualTo(largest);
    assertThat(log.read(1, 2, 1).get(0).data()).hasSize(64 << 10);
    Log again = Log.open(files.copy(), settings, new Random(2));
    assertThat(again.read(1, 1, 1).get(0).data()).isEqualTo(largest);
    assertThat(again.group(1).orElseThrow().marker()).hasSize(1 << 10);
    assertThat(again.group(2).orElseThrow().base().configuration()).hasSize(64 << 10);
  }

  @Test
  void settingsThatContradictEachOtherAreRefused() {
    for (int[] wrong : new int[][] {{64 << 10, 5000, 3}, {60_001, 4096, 3}, {8 << 10, 4096, 3}}) {
      assertThatThrownBy(() -> new LogSettings(wrong[0], wrong[1], wrong[2], 1, 1))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThatThrownBy(() -> new LogSettings(64 << 10, 4096, 0, 1, 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aSmallDiskHasFewerSegments() {
    assertThat(LogSettings.ofDisk(1L << 40)).isEqualTo(LogSettings.DEFAULT);
    assertThat(LogSettings.ofDisk(4L << 30)).isEqualTo(LogSettings.DEFAULT);
    assertThat(LogSettings.ofDisk(2L << 30).segmentsMax()).isEqualTo(8);
    assertThat(LogSettings.ofDisk(1L << 30).segmentsMax()).isEqualTo(4);
    assertThat(LogSettings.ofDisk(1).segmentsMax()).isEqualTo(4);
  }

  @Test
  void aClosedLogRefuses() throws IOException {
    Log log = open();
    log.close();
    assertKind(() -> log.append(entry(1, 1)), LogException.Kind.CLOSED);
    assertKind(() -> log.read(1, 1, 1), LogException.Kind.CLOSED);
    assertThat(log.write()).isFalse();
  }

  @Test
  void positionsStayWithinTheirBound() throws IOException {
    LogSettings settings = new LogSettings(2 << 20, 8 << 10, 9, 50 * 24, 1 << 20);
    Log log = Log.open(files, settings, new Random(2));
    for (long index = 1; index <= 400; index++) {
      log.append(entry(index, 100));
      assertThat(log.write()).isTrue();
      // Thinned every so many batches; a term or a file has one at least.
      assertThat(log.counts().get("runs")).isLessThanOrEqualTo(50 + 16);
    }
    for (long index = 1; index <= 400; index += 31) {
      assertThat(log.read(1, index, 1).get(0).index()).isEqualTo(index);
    }
  }

  @Test
  void thinPositionsStillTellWhatWasReplaced() throws IOException {
    LogSettings settings = new LogSettings(2 << 20, 8 << 10, 9, 24, 1 << 20);
    Log log = Log.open(files, settings, new Random(2));
    for (int round = 0; round < 40; round++) {
      long from = 1L + round;
      log.append(entry(from, 100 + round).entry(1, new LogEntry(from + 1, 1, DATA, new byte[7])));
      assertThat(log.write()).isTrue();
      log.append(entry(from + 1, 200 + round));
      assertThat(log.write()).isTrue();
      for (long index = 1; index <= from; index++) {
        assertThat(log.read(1, index, 1).get(0).data()).hasSize(99 + (int) index);
      }
      assertThat(log.read(1, from + 1, 1).get(0).data()).hasSize(200 + round);
    }
  }

  private static void assertKind(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call, LogException.Kind kind) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(LogException.class, e -> assertThat(e.kind()).isEqualTo(kind));
  }
}

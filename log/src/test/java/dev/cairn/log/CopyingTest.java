// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What a lagging group needs outlasts its segment, and nothing else does. */
class CopyingTest {
  private static final LogSettings SETTINGS =
      new LogSettings(64 << 10, 8 << 10, 1, 1 << 20, 1 << 20);

  private SimulatedFiles files = new SimulatedFiles(new Random(1));
  private Log log;

  private void open() throws IOException {
    log = Log.open(files, SETTINGS, new Random(2));
  }

  private static LogEntry entry(long index, int bytes) {
    byte[] data = new byte[bytes];
    new Random(index).nextBytes(data);
    return new LogEntry(index, 1, LogEntry.Kind.DATA, data);
  }

  private void write(Append append) {
    log.append(append);
    while (log.write()) {
      // until all is written
    }
  }

  /** Writes on in another group until so many segments were begun. */
  private void fill(long segments) {
    long until = log.counts().get("ordinal") + segments;
    while (log.counts().get("ordinal") < until) {
      long next = log.group(9).map(Group::last).orElse(0L) + 1;
      write(new Append().entry(9, entry(next, 7000)));
      write(new Append().compact(9, next));
    }
  }

  @Test
  void aGroupThatLagsKeepsItsEntriesAndNotTheSegments() throws IOException {
    open();
    write(new Append().entry(1, entry(1, 500)).entry(1, entry(2, 500)));
    fill(3);
    assertThat(log.counts().get("segments")).isEqualTo(4);
    assertThat(log.copy()).isTrue();
    fill(1);
    assertThat(log.counts()).containsEntry("copies", 1L);
    assertThat(log.counts().get("segments")).isLessThanOrEqualTo(2);
    for (int start = 0; start < 3; start++) {
      assertThat(Model.same(log.read(1, 1, 1).get(0), entry(1, 500))).isTrue();
      assertThat(log.read(1, 1, 10_000)).hasSize(2);
      files = files.copy();
      open();
    }
    write(new Append().compact(1, 2));
    fill(1);
    assertThat(log.counts()).containsEntry("copies", 0L);
    assertThat(files.list()).noneMatch(Segment::isCopyName);
  }

  @Test
  void startsAgainAndAgainDoNotPileSegmentsUp() throws IOException {
    for (int start = 1; start <= 20; start++) {
      open();
      write(new Append().entry(1, entry(start, 500)));
      while (log.copy() || log.prepare()) {
        log.write(); // as a node's threads do
      }
      assertThat(log.counts().get("segments"))
          .as("after start %d", start)
          .isLessThanOrEqualTo(SETTINGS.segmentsMax() + 2L);
      assertThat(log.read(1, 1, start, 1 << 20, 1 << 20)).hasSize(start);
      files = files.copy();
    }
  }

  /** A new segment is wanted and cannot be had; the present one has room. */
  @Test
  void whatWaitsIsWrittenThoughNoOlderSegmentCanGo() throws IOException {
    for (int start = 1; start <= 4; start++) {
      open();
      write(new Append().entry(1, entry(start, 500)));
      files = files.copy();
    }
    open();
    while (log.copy()) {
      // all that the older ones have
    }
    files.room = 0;
    log.append(new Append().hardState(1, 7, new byte[0]));
    assertThat(log.write()).isTrue();
    assertThat(log.queuedBytes()).isZero();
    assertThat(log.failure()).isEmpty();
    files.room = Long.MAX_VALUE;
    log.write();
    assertThat(log.counts().get("segments")).isLessThanOrEqualTo(SETTINGS.segmentsMax() + 2L);
    assertThat(log.group(1).orElseThrow().term()).isEqualTo(7);
  }

  @Test
  void anAppendThatIsNotWholeIsNotLostWhenItsSegmentCouldBeCopied() throws IOException {
    open();
    write(new Append().entry(1, entry(1, 100)));
    log.append(new Append().hardState(2, 5, new byte[3]).entry(2, entry(1, 200_000)));
    while (log.write()) {
      log.copy();
      log.prepare();
    }
    assertThat(log.counts().get("ordinal")).isGreaterThan(3);
    assertThat(Model.same(log.read(2, 1, 1).get(0), entry(1, 200_000))).isTrue();
    while (log.copy()) {
      // now it may be
    }
    fill(2);
    files = files.copy();
    open();
    assertThat(Model.same(log.read(2, 1, 1).get(0), entry(1, 200_000))).isTrue();
    assertThat(Model.same(log.read(1, 1, 1).get(0), entry(1, 100))).isTrue();
    assertThat(log.group(2).orElseThrow().term()).isEqualTo(5);
  }

  @Test
  void aGroupThatIsRemovedAndMadeAgainHasWhatCameAfter() throws IOException {
    open();
    write(new Append().entry(1, entry(1, 300)).entry(1, entry(2, 300)).entry(1, entry(3, 300)));
    fill(2);
    assertThat(log.copy()).isTrue();
    fill(1);
    write(new Append().remove(1));
    write(new Append().entry(1, entry(1, 50)));
    fill(2);
    while (log.copy()) {
      // what is left of the second
    }
    fill(1);
    files = files.copy();
    open();
    assertThat(log.group(1).orElseThrow().last()).isEqualTo(1);
    assertThat(Model.same(log.read(1, 1, 1).get(0), entry(1, 50))).isTrue();
  }

  @Test
  void aGroupThatIsRemovedStaysAwayThoughItsCopyIsThere() throws IOException {
    open();
    write(new Append().entry(1, entry(1, 300)).entry(2, entry(1, 300)));
    fill(2);
    assertThat(log.copy()).isTrue();
    fill(1);
    write(new Append().remove(1));
    fill(2);
    assertThat(log.counts()).containsEntry("copies", 1L);
    files = files.copy();
    open();
    assertThat(log.groups()).containsExactly(2L, 9L);
    assertThat(Model.same(log.read(2, 1, 1).get(0), entry(1, 300))).isTrue();
  }

  @Test
  void aCopyOfACopyThatACrashCutOffHidesNothing() throws IOException {
    open();
    Append many = new Append();
    for (long index = 1; index <= 60; index++) {
      many.entry(1, entry(index, 100));
    }
    write(many);
    fill(2);
    assertThat(log.copy()).isTrue();
    fill(1);
    write(new Append().compact(1, 45));
    for (int step = 1; step < 8; step++) {
      SimulatedFiles before = files.copy();
      files.crashAt = files.steps() + step;
      boolean copied = false;
      try {
        copied = log.copy();
        fill(1);
      } catch (SimulatedFiles.Crash e) {
        assertThat(copied || step < 5).isTrue();
      }
      files = files.afterCrash();
      open();
      assertThat(log.group(1).orElseThrow().last()).isEqualTo(60);
      for (long index = 46; index <= 60; index++) {
        assertThat(Model.same(log.read(1, index, 1).get(0), entry(index, 100))).isTrue();
      }
      files = before;
      open();
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A log that is read while somebody has it open, or nobody. */
class LogReadingTest {
  private static final int SEGMENT_BYTES = 64 << 10;
  private static final LogSettings SMALL =
      new LogSettings(SEGMENT_BYTES, 16 << 10, 3, 1 << 20, 1 << 20);

  @TempDir Path folder;

  private Log open() throws IOException {
    return Log.open(FolderFiles.open(folder), SMALL, new SplittableRandom(7));
  }

  private static byte[] data(long group, long index) {
    return ("value " + group + " " + index).repeat(20).getBytes(UTF_8);
  }

  private static void append(Log log, long group, long index, long term) {
    log.append(
        new Append()
            .entry(group, new LogEntry(index, term, LogEntry.Kind.DATA, data(group, index))));
    while (log.write()) {
      // until all of it is on disk
    }
  }

  private Map<String, Integer> hashes() throws IOException {
    Map<String, Integer> hashes = new TreeMap<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        hashes.put(file.getFileName().toString(), Arrays.hashCode(Files.readAllBytes(file)));
      }
    }
    return hashes;
  }

  @Test
  void whatIsOnDiskIsReadAndNothingChanges() throws IOException {
    try (Log log = open()) {
      log.append(
          new Append().marker(4, "me".getBytes(UTF_8)).hardState(4, 2, "you".getBytes(UTF_8)));
      for (long index = 1; index <= 300; index++) {
        append(log, 4, index, 1 + index / 100);
        append(log, 9, index, 1);
      }
      Map<String, Integer> before = hashes();
      try (LogReading reading = ReadOnlyFolder.openLog(folder)) {
        assertThat(reading.groups()).containsExactly(4L, 9L);
        Group group = reading.group(4).orElseThrow();
        assertThat(group.last()).isEqualTo(300);
        assertThat(group.term()).isEqualTo(2);
        assertThat(group.vote()).asString(UTF_8).isEqualTo("you");
        assertThat(group.marker()).asString(UTF_8).isEqualTo("me");
        assertThat(all(reading, 4)).hasSize(300);
        assertThat(all(reading, 9)).hasSize(300);
        assertThat(reading.group(5)).isEmpty();
        assertThat(reading.read(4, 301, 1)).isEmpty();
      }
      assertThat(hashes()).isEqualTo(before);
      append(log, 4, 301, 4);
    }
    try (LogReading reading = ReadOnlyFolder.openLog(folder)) {
      assertThat(all(reading, 4)).hasSize(301);
    }
  }

  /** Every entry, each checked: its index, and its data. */
  private static List<LogEntry> all(LogReading reading, long group) throws IOException {
    List<LogEntry> all = new ArrayList<>();
    long from = reading.group(group).orElseThrow().base().index() + 1;
    while (true) {
      List<LogEntry> some = reading.read(group, from, 1 << 10);
      if (some.isEmpty()) {
        return all;
      }
      for (LogEntry entry : some) {
        assertThat(entry.index()).isEqualTo(from++);
        assertThat(entry.data()).isEqualTo(data(group, entry.index()));
        all.add(entry);
      }
    }
  }

  @Test
  void aLogThatIsWrittenMeanwhileIsThatOfOneMomentOrWantsAnotherTry() throws Exception {
    AtomicBoolean stop = new AtomicBoolean();
    int whole = 0;
    try (Log log = open()) {
      append(log, 4, 1, 1);
      Thread writer =
          new Thread(
              () -> {
                for (long index = 2; !stop.get(); index++) {
                  append(log, 4, index, 1);
                  log.prepare();
                  if (index % 200 == 0) { // so that files are used again
                    log.append(new Append().compact(4, index - 50));
                  }
                }
              });
      writer.start();
      long last = 0;
      for (int tries = 0; tries < 200; tries++) {
        try (LogReading reading = ReadOnlyFolder.openLog(folder)) {
          Group group = reading.group(4).orElseThrow();
          assertThat(group.last()).isGreaterThanOrEqualTo(last);
          last = group.last();
          assertThat(all(reading, 4)).hasSize((int) (last - group.base().index()));
          whole++;
        } catch (LogException usedAgain) {
          assertThat(usedAgain.kind()).isEqualTo(LogException.Kind.DAMAGED);
        }
      }
      stop.set(true);
      writer.join();
      assertThat(last).isGreaterThan(1);
      assertThat(whole).isPositive();
    }
  }

  @Test
  void whereThereIsNoneItSaysSo() {
    assertThatThrownBy(() -> ReadOnlyFolder.openLog(folder))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no write-ahead log");
    assertThat(ReadOnlyFolder.isLog(folder)).isFalse();
  }

  @Test
  void whatIsMissingInTheMiddleIsTold() throws IOException {
    try (Log log = open()) {
      for (long index = 1; index <= 600; index++) {
        append(log, 4, index, 1);
      }
    }
    Path oldest;
    try (Stream<Path> files = Files.list(folder)) {
      oldest =
          files
              .filter(file -> Segment.isSegmentName(file.getFileName().toString()))
              .sorted()
              .findFirst()
              .orElseThrow();
    }
    Files.delete(oldest);
    assertThatThrownBy(() -> ReadOnlyFolder.openLog(folder))
        .isInstanceOf(LogException.class)
        .hasMessageContaining("is missing");
  }
}

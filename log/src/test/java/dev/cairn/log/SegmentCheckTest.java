// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A log in use is read and checked: damage to whatever counts is found, and what becomes of files
 * meanwhile is taken for none.
 */
class SegmentCheckTest {
  private static final long SECONDS = Long.getLong("cairn.log.verify.seconds", 3);
  private static final int FLIPS_A_RECORD = 3;

  @TempDir Path folder;

  private final SimulatedFiles files = new SimulatedFiles(new Random(1));

  /** A place in a file. */
  private record Spot(SegmentCheck.Part part, int at, String what) {}

  /** Writes a log that has records of all kinds, and a copied file. */
  private Log written() throws IOException {
    Random random = new Random(7);
    Log log = Log.open(files, Simulation.SMALL, random);
    Program program = new Program(random, new Model(), 20_000);
    boolean complete = false;
    for (int i = 0; i < 20_000 && !complete; i++) {
      Append append = program.next();
      if (!append.changes().isEmpty()) {
        log.append(append);
      }
      while (log.write()) {
        // an append that is cut takes several
      }
      log.copy();
      complete = i % 20 == 0 && hasAllKinds(log.parts()) && hasAllKinds(partsAtAStart());
    }
    assertThat(complete).isTrue();
    return log;
  }

  private static boolean hasAllKinds(List<SegmentCheck.Part> parts) throws IOException {
    Set<String> kinds = new HashSet<>();
    for (SegmentCheck.Part part : parts) {
      spots(part, new Random(1)).forEach(spot -> kinds.add(spot.what()));
    }
    return kinds.contains("1 copied")
        && IntStream.rangeClosed(1, Change.PART).allMatch(each -> kinds.contains("" + each));
  }

  /** Bytes of each batch's header and of each record. */
  private static List<Spot> spots(SegmentCheck.Part part, Random random) throws IOException {
    List<Spot> spots = new ArrayList<>();
    Segment segment = part.segment();
    String in = segment.isCopy() ? " copied" : "";
    BatchReader reader = new BatchReader(segment.file(), 1 << 16);
    int block = 0;
    long number = segment.firstNumber();
    while (segment.isCopy() ? block < segment.blocks() : number <= part.last()) {
      Batch.Header header = reader.header(block);
      Batch batch = reader.batch(header, block);
      int start = block * Batch.BLOCK_BYTES;
      for (int i = 0; i < 2 * FLIPS_A_RECORD; i++) {
        spots.add(new Spot(part, start + random.nextInt(Batch.HEADER_BYTES), "header" + in));
      }
      int at = start + Batch.HEADER_BYTES;
      for (int i = 0; i < batch.size(); i++) {
        int length = Batch.RECORD_BYTES + batch.payloadBytes(i);
        String what = batch.kind(i) + in;
        spots.add(new Spot(part, at + random.nextInt(Batch.RECORD_BYTES), what));
        for (int k = 0; k < FLIPS_A_RECORD; k++) {
          spots.add(new Spot(part, at + random.nextInt(length), what));
        }
        at += length;
      }
      block += header.blocks();
      number++;
    }
    return spots;
  }

  @Test
  void aFlippedBitOfAnyKindOfRecordIsFound() throws IOException {
    Log log = written();
    Random random = new Random(3);
    int flips = 0;
    for (SegmentCheck.Part part : log.parts()) {
      SegmentCheck check = new SegmentCheck(log.id(), bytes -> true);
      assertThat(check.problemOf(part)).isNull();
      for (Spot spot : spots(part, random)) {
        byte[] bytes = files.bytes(part.segment().name());
        byte before = bytes[spot.at()];
        bytes[spot.at()] ^= (byte) (1 << random.nextInt(8));
        assertThat(check.problemOf(part)).as("%s", spot).isNotNull();
        bytes[spot.at()] = before;
        flips++;
      }
      assertThat(check.problemOf(part)).isNull();
    }
    assertThat(flips).isGreaterThan(500);
    log.verify(bytes -> true);
    assertThat(log.failure()).isEmpty();
  }

  @Test
  void aFlippedBitAndACutAtAnyKindOfRecordIsFoundAtTheStart() throws IOException {
    written();
    Random random = new Random(4);
    Set<String> seen = new HashSet<>();
    for (SegmentCheck.Part part : partsAtAStart()) {
      for (Spot spot : spots(part, random)) {
        if (!seen.add(spot.what())) {
          continue;
        }
        String name = part.segment().name();
        SimulatedFiles flipped = files.copy();
        flipped.bytes(name)[spot.at()] ^= (byte) (1 << random.nextInt(8));
        assertRefused(flipped, "flipped " + spot);
        SimulatedFiles cut = files.copy();
        cut.put(name, Arrays.copyOf(files.bytes(name), spot.at()));
        assertRefused(cut, "cut at " + spot);
      }
    }
    assertThat(seen).hasSizeGreaterThan(Change.PART);
  }

  /** Copied files and closed segments, as a start would find them. */
  private List<SegmentCheck.Part> partsAtAStart() throws IOException {
    Recovery found = Recovery.of(files.copy());
    List<SegmentCheck.Part> parts = new ArrayList<>();
    found.copies().values().forEach(each -> parts.add(new SegmentCheck.Part(each, 0)));
    Segment before = null;
    for (Segment segment : found.chain().values()) {
      if (before != null) {
        parts.add(new SegmentCheck.Part(before, segment.firstNumber() - 1));
      }
      before = segment;
    }
    return parts;
  }

  private static void assertRefused(SimulatedFiles damaged, String what) {
    assertThatThrownBy(
            () -> {
              Recovery.of(damaged);
              throw new AssertionError("not found: " + what);
            })
        .isInstanceOf(LogException.class);
  }

  @Test
  void aLogThatIsDamagedHasFailed() throws IOException {
    Log log = written();
    Segment oldest =
        log.parts().stream()
            .map(SegmentCheck.Part::segment)
            .filter(each -> !each.isCopy())
            .findFirst()
            .orElseThrow();
    files.bytes(oldest.name())[100] ^= 1;
    assertThatThrownBy(() -> log.verify(bytes -> true))
        .isInstanceOfSatisfying(
            LogException.class, e -> assertThat(e.kind()).isEqualTo(LogException.Kind.DAMAGED))
        .hasMessageContaining("batch " + oldest.firstNumber() + " of " + oldest.name());
    assertThat(log.failure()).isPresent();
    assertThatThrownBy(() -> log.append(new Append().hardState(1, 1, new byte[1])))
        .isInstanceOf(LogException.class);
    log.verify(bytes -> true); // told once
  }

  @Test
  void aClosedSegmentThatWasCutIsFound() throws IOException {
    Log log = Log.open(FolderFiles.open(folder), Simulation.SMALL, new Random(1));
    for (long index = 1; log.parts().size() < 3; index++) {
      log.append(
          new Append().entry(1, new LogEntry(index, 1, LogEntry.Kind.DATA, new byte[6_000])));
      assertThat(log.write()).isTrue();
    }
    log.verify(bytes -> true);
    Segment oldest = log.parts().get(0).segment();
    try (RandomAccessFile file =
        new RandomAccessFile(folder.resolve(oldest.name()).toFile(), "rw")) {
      file.setLength(5 * Batch.BLOCK_BYTES + 100);
    }
    assertThatThrownBy(() -> log.verify(bytes -> true))
        .isInstanceOf(LogException.class)
        .hasMessageContaining(oldest.name());
    log.close();
  }

  @Test
  void itEndsWhenItsUserSaysSoOrTheLogIsClosed() throws IOException {
    Log log = written();
    assertThat(log.parts()).hasSizeGreaterThan(2);
    AtomicInteger asked = new AtomicInteger();
    log.verify(bytes -> asked.incrementAndGet() > 1);
    assertThat(asked).hasValue(1);
    log.verify(
        bytes -> {
          asked.incrementAndGet();
          try {
            log.close();
          } catch (IOException e) {
            throw new AssertionError(e);
          }
          return true;
        });
    assertThat(asked).hasValue(2);
    assertThat(log.failure()).isEmpty();
  }

  @Test
  void aFileThatIsUsedAgainJustBeforeItIsReadIsNoDamage() throws IOException {
    Log log = Log.open(files, Simulation.SMALL, new Random(1));
    long[] index = {0};
    Runnable write =
        () -> {
          LogEntry entry = new LogEntry(++index[0], 1, LogEntry.Kind.DATA, new byte[6_000]);
          log.append(new Append().entry(1, entry).compact(1, index[0] - 1));
          assertThat(log.write()).isTrue();
        };
    write.run();
    String first = log.parts().get(0).segment().name();
    byte[] epoch = Arrays.copyOfRange(files.bytes(first), 16, 24);
    files.beforeRead =
        () -> {
          files.beforeRead = () -> {};
          while (Arrays.equals(epoch, Arrays.copyOfRange(files.bytes(first), 16, 24))) {
            write.run();
          }
        };
    log.verify(bytes -> true);
    assertThat(index[0]).as("it was used again").isGreaterThan(8);
    assertThat(log.failure()).isEmpty();
  }

  @Test
  void whatIsUsedAgainMeanwhileIsNotTakenForDamage() throws Exception {
    AtomicReference<LogException> failed = new AtomicReference<>();
    Random random = new Random(11);
    Log log = Log.open(FolderFiles.open(folder), Simulation.SMALL, random);
    LogThread.Listener listener =
        new LogThread.Listener() {
          @Override
          public void durable(long sequence) {}

          @Override
          public void failed(LogException cause) {
            failed.set(cause);
          }
        };
    AtomicInteger passes = new AtomicInteger();
    try (LogThread thread = new LogThread(log, listener)) {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
      CompletableFuture<Void> reading =
          CompletableFuture.runAsync(
              () -> {
                while (System.nanoTime() < end) {
                  log.verify(bytes -> true);
                  passes.incrementAndGet();
                }
              });
      Program program = new Program(random, new Model(), 9_000);
      while (System.nanoTime() < end && !reading.isDone()) {
        Append append = program.next();
        if (!append.changes().isEmpty()) {
          log.append(append);
        }
        while (log.queuedBytes() > 100_000) {
          Thread.onSpinWait();
        }
      }
      reading.get(60, TimeUnit.SECONDS);
      assertThat(thread).isNotNull();
      assertThat(log.counts().get("ordinal")).as("segments were used again").isGreaterThan(20);
    }
    assertThat(failed).hasValue(null);
    assertThat(passes.get()).isGreaterThan(10);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/**
 * Bits that flip and files that are cut, at every record. Damage to what was acknowledged is told,
 * as far as anything on the disk proves it; damage to what counts for nothing is not.
 */
class DamageTest {
  private static final int PROGRAMS = Integer.getInteger("cairn.log.damages", 2);

  /** A log that was written and closed: its files, and the model after each batch. */
  private static final class Written {
    SimulatedFiles files;
    Model whole;
    Model withoutLast;
    long lastNumber;
    long marked;

    /** The batches that count, by file. */
    final Map<String, List<Batch.Header>> batches = new HashMap<>();
  }

  @Test
  void everyFlippedBitThatMattersIsFound() throws IOException {
    int found = 0;
    int tails = 0;
    int harmless = 0;
    for (long seed = 1; seed <= PROGRAMS; seed++) {
      Written written = write(seed, seed % 2 == 0, false);
      Random random = new Random(seed);
      for (String name : List.copyOf(written.files.list())) {
        byte[] bytes = written.files.bytes(name);
        for (int at : places(written, name, bytes.length, random)) {
          bytes[at] ^= (byte) (1 << random.nextInt(8));
          String where = "seed " + seed + ", " + name + " at " + at;
          switch (hit(written, name, at)) {
            case ACKNOWLEDGED -> {
              assertDamaged(written.files.copy(), where);
              found++;
            }
            case LAST -> {
              assertIs(written.files.copy(), written.withoutLast, where);
              tails++;
            }
            case NOTHING -> {
              assertIs(written.files.copy(), written.whole, where);
              harmless++;
            }
          }
          bytes = restore(written, name, at, bytes);
        }
      }
    }
    assertThat(found).isGreaterThan(100);
    assertThat(tails).isGreaterThan(64);
    assertThat(harmless).isGreaterThan(100);
  }

  /** Some bytes of a file, and all of the log's last batch. */
  private static int[] places(Written written, String name, int length, Random random) {
    IntStream.Builder places = IntStream.builder();
    for (int at = random.nextInt(11); at < length; at += 1 + random.nextInt(800)) {
      places.add(at);
    }
    for (Batch.Header header : written.batches.getOrDefault(name, List.of())) {
      int start = header.block() * Batch.BLOCK_BYTES;
      if (header.number() == written.lastNumber && !header.is(Batch.COPY)) {
        IntStream.range(start, start + header.bytes()).forEach(places::add);
      }
    }
    return places.build().toArray();
  }

  private enum Hit {
    ACKNOWLEDGED,
    LAST,
    NOTHING
  }

  private static Hit hit(Written written, String name, int at) {
    if (name.equals(Mark.NAME)) {
      return Hit.ACKNOWLEDGED;
    }
    for (Batch.Header header : written.batches.getOrDefault(name, List.of())) {
      int start = header.block() * Batch.BLOCK_BYTES;
      if (at >= start && at < start + header.bytes()) {
        boolean last = header.number() == written.lastNumber && !header.is(Batch.COPY);
        return last && written.marked < written.lastNumber ? Hit.LAST : Hit.ACKNOWLEDGED;
      }
    }
    return Hit.NOTHING;
  }

  private byte[] restore(Written written, String name, int at, byte[] bytes) {
    byte[] whole = original.get(name);
    bytes[at] = whole[at];
    written.files.put(name, bytes);
    return written.files.bytes(name);
  }

  private final Map<String, byte[]> original = new HashMap<>();

  /**
   * Writes a log whose newest segment counts a copied file.
   *
   * @param closed whether it is closed, which marks its end
   * @param marked whether all but the last batch is marked; else the first one only is
   */
  private Written write(long seed, boolean closed, boolean marked) throws IOException {
    Random random = new Random(seed);
    Written written = tryToWrite(random, closed, marked);
    while (written == null) {
      written = tryToWrite(random, closed, marked);
    }
    return written;
  }

  private Written tryToWrite(Random random, boolean closed, boolean marked) throws IOException {
    Written written = new Written();
    SimulatedFiles files = new SimulatedFiles(random);
    written.files = files;
    LogSettings settings = Simulation.SMALL;
    Log log = Log.open(files, settings, random);
    Model model = new Model();
    Program program = new Program(random, model, 9_000);
    written.marked = 1;
    int appends = 0;
    // The last append has a batch of its own, so that a model without it is known.
    while (appends < 200 || Recovery.of(files.copy()).copies().isEmpty()) {
      Append append = program.next();
      if (append.changes().isEmpty()) {
        continue;
      }
      log.append(append);
      while (log.write()) {
        // an append that is cut takes several
      }
      model.apply(append);
      appends++;
      log.copy();
    }
    if (marked) {
      log.mark();
    }
    written.withoutLast = model.copy();
    Append last = new Append().hardState(1, 1_000_000, new byte[3]);
    log.append(last);
    assertThat(log.write()).isTrue();
    model.apply(last);
    written.whole = model;
    if (closed) {
      log.close(); // which marks the end
    }
    Mark mark = Mark.read(files).orElseThrow();
    written.marked = mark.number();
    Recovery found = Recovery.of(files.copy());
    written.lastNumber = found.lastNumber();
    if (found.copies().isEmpty()) {
      return null; // the last append began a segment that counts none
    }
    for (Segment segment : found.chain().values()) {
      written.batches.put(segment.name(), headers(segment, Long.MAX_VALUE));
    }
    for (Segment copy : found.copies().values()) {
      written.batches.put(copy.name(), headers(copy, copy.blocks()));
    }
    original.clear();
    files.list().forEach(name -> original.put(name, files.bytes(name).clone()));
    return written;
  }

  private static List<Batch.Header> headers(Segment segment, long until) throws IOException {
    BatchReader reader = new BatchReader(segment.file(), 1 << 16);
    List<Batch.Header> headers = new ArrayList<>();
    int block = 0;
    Batch.Header header = reader.header(0);
    while (header != null && header.epoch() == segment.epoch() && block < until) {
      headers.add(header);
      block += header.blocks();
      header = block < segment.blocks() ? reader.header(block) : null;
    }
    return headers;
  }

  private static void assertDamaged(SimulatedFiles files, String where) {
    assertThatThrownBy(() -> Log.open(files, Simulation.SMALL, new Random(1)))
        .as(where)
        .isInstanceOfSatisfying(
            LogException.class,
            e -> assertThat(e.kind()).as(where + ": " + e).isNotEqualTo(LogException.Kind.NO_ROOM));
  }

  private static void assertIs(SimulatedFiles files, Model model, String where) throws IOException {
    try {
      assertThat(model.difference(Log.open(files, Simulation.SMALL, new Random(1))))
          .as(where)
          .isNull();
    } catch (LogException e) {
      throw new AssertionError(where, e);
    }
  }

  @Test
  void aFileThatWasCutIsFoundWhereThatMatters() throws IOException {
    for (long seed = 1; seed <= PROGRAMS; seed++) {
      Written written = write(seed, false, true);
      Random random = new Random(seed);
      for (Map.Entry<String, byte[]> file : original.entrySet()) {
        for (int i = 0; i < 15; i++) {
          int length = random.nextInt(file.getValue().length);
          SimulatedFiles files = written.files.copy();
          files.put(file.getKey(), Arrays.copyOf(file.getValue(), length));
          String where = "seed " + seed + ", " + file.getKey() + " cut to " + length;
          Hit worst = Hit.NOTHING;
          for (Batch.Header header : written.batches.getOrDefault(file.getKey(), List.of())) {
            int end = header.block() * Batch.BLOCK_BYTES + header.bytes();
            if (end > length) {
              worst = worst == Hit.ACKNOWLEDGED ? worst : hit(written, file.getKey(), end - 1);
            }
          }
          if (file.getKey().equals(Mark.NAME) || worst == Hit.ACKNOWLEDGED) {
            assertDamaged(files, where);
          } else {
            assertIs(files, worst == Hit.LAST ? written.withoutLast : written.whole, where);
          }
        }
      }
    }
  }

  @Test
  void aFileThatIsGoneIsFoundWhereThatMatters() throws IOException {
    Written written = write(5, false, true);
    for (String name : original.keySet()) {
      SimulatedFiles files = written.files.copy();
      files.remove(name);
      if (name.equals(Mark.NAME) || written.batches.containsKey(name)) {
        assertDamaged(files, name);
      } else {
        assertIs(files, written.whole, name);
      }
    }
  }

  @Test
  void theEndThatWasMarkedIsDamageAndNoTail() throws IOException {
    Written written = write(2, true, true);
    assertThat(written.marked).isEqualTo(written.lastNumber);
    // The tail that the machine left, when it stopped before anything could be marked.
    Written open = write(3, false, true);
    assertThat(open.marked).isLessThan(open.lastNumber);
  }

  @Test
  void filesOfAnotherLogAreRefused() throws IOException {
    SimulatedFiles files = write(1, true, true).files.copy();
    SimulatedFiles other = new SimulatedFiles(new Random(99));
    Log.open(other, Simulation.SMALL, new Random(99)).close();
    files.put("segment-000777", other.bytes("segment-000001"));
    assertForeign(files, "belongs to another log");
  }

  @Test
  void aSegmentThatIsThereTwiceIsRefused() throws IOException {
    Written written = write(1, true, true);
    SimulatedFiles files = written.files.copy();
    String name =
        written.batches.keySet().stream().filter(Segment::isSegmentName).findAny().orElseThrow();
    files.put("segment-000777", files.bytes(name));
    assertForeign(files, "are the same segment");
  }

  @Test
  void aLaterFormatIsRefusedAndNothingIsWritten() throws IOException {
    Written written = write(1, true, true);
    SimulatedFiles files = written.files.copy();
    String name =
        written.batches.keySet().stream().filter(Segment::isSegmentName).findAny().orElseThrow();
    ByteBuffer bytes = ByteBuffer.wrap(files.bytes(name));
    bytes.putShort(4, (short) (Batch.FORMAT + 1));
    bytes.putInt(60, Batch.checksum(bytes, 0, 60, new CRC32C()));
    long steps = files.steps();
    assertForeign(files, "has format 2; this release reads format 1");
    assertThat(files.steps()).isEqualTo(steps);
  }

  @Test
  void aLaterMarkIsRefused() throws IOException {
    SimulatedFiles files = write(1, true, true).files.copy();
    files.put(Mark.NAME, "cairn-log-mark 3\nwhatever\n".getBytes(StandardCharsets.UTF_8));
    assertForeign(files, "has version 3; this release reads version 2");
  }

  private static void assertForeign(SimulatedFiles files, String what) {
    assertThatThrownBy(() -> Log.open(files, Simulation.SMALL, new Random(1)))
        .isInstanceOfSatisfying(
            LogException.class, e -> assertThat(e.kind()).isEqualTo(LogException.Kind.FOREIGN))
        .hasMessageContaining(what);
  }

  @Test
  void whatCannotBeReadLaterFailsTheLog() throws IOException {
    SimulatedFiles files = new SimulatedFiles(new Random(1));
    Log log = Log.open(files, Simulation.SMALL, new Random(1));
    log.append(new Append().entry(1, new LogEntry(1, 1, LogEntry.Kind.DATA, new byte[100])));
    assertThat(log.write()).isTrue();
    byte[] bytes = files.bytes("segment-000001");
    for (int at = Batch.BLOCK_BYTES; at < bytes.length; at += 10) {
      bytes[at] ^= 1;
    }
    assertThatThrownBy(() -> log.read(1, 1, 1))
        .isInstanceOfSatisfying(
            LogException.class, e -> assertThat(e.kind()).isEqualTo(LogException.Kind.DAMAGED));
    assertThatThrownBy(() -> log.append(new Append().commit(1, 1)))
        .isInstanceOf(LogException.class);
    assertThat(log.write()).isFalse();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;

/**
 * Opens logs of which bytes, blocks and whole files were changed at random, partly with checksums
 * that fit. Each start must end well or with a {@link LogException}, and a log that opens must have
 * what was marked, unless its checksums were forged.
 *
 * <pre>
 *   mvn -B -q -pl log test -Dtest=LogFuzzTest -Dcairn.log.fuzz.seconds=600
 * </pre>
 */
final class LogFuzz {
  private final Random random;
  private final CRC32C crc = new CRC32C();
  private SimulatedFiles written;
  private Model marked;

  /** What was appended behind the mark. */
  private final List<Append> behind = new ArrayList<>();

  private boolean forged;

  private LogFuzz(long seed) {
    random = new Random(seed);
  }

  /** Runs seeds from one on until the time is over; says how many, and how many opened. */
  static long[] run(long firstSeed, long seconds) throws IOException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    long[] counts = new long[2];
    for (long seed = firstSeed; System.nanoTime() < end; seed++) {
      try {
        LogFuzz fuzz = new LogFuzz(seed);
        fuzz.write();
        for (int i = 0; i < 40; i++) {
          counts[0]++;
          counts[1] += fuzz.open() ? 1 : 0;
        }
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("seed " + seed, e);
      }
    }
    return counts;
  }

  private void write() throws IOException {
    written = new SimulatedFiles(random);
    marked = new Model();
    Log log = Log.open(written, Simulation.SMALL, random);
    Program program = new Program(random, marked, 12_000);
    int appends = 30 + random.nextInt(200);
    int mark = random.nextInt(appends);
    for (int i = 0; i < appends; i++) {
      Append append = program.next();
      if (append.changes().isEmpty()) {
        continue;
      }
      log.append(append);
      while (log.write()) {
        // all of it
      }
      if (i <= mark) {
        marked.apply(append);
      } else {
        behind.add(append);
      }
      if (i == mark) {
        log.mark();
      }
      log.copy();
    }
  }

  private boolean open() throws IOException {
    SimulatedFiles files = written.copy();
    forged = false;
    int changes = 1 + random.nextInt(3);
    for (int i = 0; i < changes; i++) {
      change(files);
    }
    Log log;
    try {
      log = Log.open(files, Simulation.SMALL, random);
    } catch (LogException e) {
      return false;
    }
    if (forged) {
      return true;
    }
    Model model = marked.copy();
    String difference = model.difference(log);
    for (int i = 0; i < behind.size() && difference != null; i++) {
      model.apply(behind.get(i));
      difference = model.difference(log);
    }
    if (difference != null) {
      throw new AssertionError("opened without an error, but " + difference);
    }
    return true;
  }

  private void change(SimulatedFiles files) {
    List<String> names = files.list();
    String name = names.get(random.nextInt(names.size()));
    byte[] bytes = files.bytes(name).clone();
    if (bytes.length == 0) {
      return;
    }
    int block = random.nextInt(Batch.blocksOf(bytes.length)) * Batch.BLOCK_BYTES;
    int length = Math.min(Batch.BLOCK_BYTES, bytes.length - block);
    switch (random.nextInt(6)) {
      case 0 -> bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
      case 1 -> {
        byte[] noise = new byte[random.nextInt(length) + 1];
        random.nextBytes(noise);
        System.arraycopy(noise, 0, bytes, block, noise.length);
      }
      case 2 -> java.util.Arrays.fill(bytes, block, block + length, (byte) 0);
      case 3 -> bytes = java.util.Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
      case 4 -> {
        byte[] other = files.bytes(names.get(random.nextInt(names.size())));
        int from = random.nextInt(Batch.blocksOf(Math.max(1, other.length))) * Batch.BLOCK_BYTES;
        int copied = Math.min(length, other.length - from);
        System.arraycopy(other, from, bytes, block, Math.max(0, copied));
      }
      default -> {
        if (length == Batch.BLOCK_BYTES) {
          forge(ByteBuffer.wrap(bytes), block);
        }
      }
    }
    files.put(name, bytes);
  }

  /** Changes a number of a header or of its first record, and makes the checksums fit. */
  private void forge(ByteBuffer bytes, int at) {
    forged = true;
    int field = at + random.nextInt(Batch.HEADER_BYTES + 60);
    if (random.nextBoolean()) {
      bytes.put(field, (byte) random.nextInt());
    } else {
      bytes.putInt(field, random.nextInt(3) == 0 ? random.nextInt() : random.nextInt(100));
    }
    bytes.putInt(at + 60, Batch.checksum(bytes, at, 60, crc));
    Batch.Header header = Batch.Header.read(bytes, at, crc);
    int record = at + Batch.HEADER_BYTES;
    int length = Batch.RECORD_BYTES + bytes.getInt(record);
    if (header != null && length >= Batch.RECORD_BYTES && length < bytes.limit() - record) {
      bytes.putInt(
          record + 4,
          Batch.recordChecksum(
              bytes, record, length, Batch.HEADER_BYTES, header.epoch(), header.number(), crc));
    }
  }
}

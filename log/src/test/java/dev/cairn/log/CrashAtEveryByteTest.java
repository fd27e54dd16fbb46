// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * A machine that stops at any byte of any write: before it, all batches are there; of this one, so
 * many bytes from the front. Where a file was used before, its old bytes stand behind them. More
 * programs, and every byte: {@code -Dcairn.log.programs=20 -Dcairn.log.stride=1}.
 */
class CrashAtEveryByteTest {
  private static final int PROGRAMS = Integer.getInteger("cairn.log.programs", 1);
  private static final int APPENDS = 30;
  private static final LogSettings SETTINGS =
      new LogSettings(32 << 10, 8 << 10, 2, 24 * 40, 1 << 20);

  /** The distance of the bytes that are tried, beside those where a sector ends or begins. */
  private static final int STRIDE = Integer.getInteger("cairn.log.stride", 89);

  private long seed;
  private long starts;
  private SimulatedFiles disk;

  /** What is surely on disk, and what is once the present append is. */
  private Model durable;

  private Model appended;

  @Test
  void theLogIsWhatWasDurableOrOneAppendMore() throws IOException {
    for (seed = 1; seed <= PROGRAMS; seed++) {
      run();
    }
    assertThat(starts).isGreaterThan(1000);
  }

  private void run() throws IOException {
    Random random = new Random(seed);
    disk = new SimulatedFiles(random);
    durable = new Model();
    appended = durable;
    disk.watcher = this::startAfterEveryByte;
    Log log = Log.open(disk, SETTINGS, random);
    Program program = new Program(random, durable, 9_000);
    for (int i = 0; i < APPENDS; i++) {
      Append append = program.next();
      if (append.changes().isEmpty()) {
        continue;
      }
      appended = durable.copy();
      appended.apply(append);
      log.append(append);
      while (log.write()) {
        // an append that is cut takes several
      }
      durable = appended;
      log.prepare();
      log.copy();
    }
    assertThat(log.counts().get("ordinal")).isGreaterThan(2L);
  }

  private void startAfterEveryByte(String name, long position, byte[] written) {
    for (int length = 0; length <= written.length; length++) {
      boolean edge = length % 512 <= 1;
      if (edge || length % STRIDE == 0) {
        try {
          start(name, (int) position, written, length);
        } catch (IOException e) {
          throw new AssertionError(e);
        }
        starts++;
      }
    }
  }

  private void start(String name, int position, byte[] written, int length) throws IOException {
    SimulatedFiles files = disk.copy();
    byte[] content = files.bytes(name);
    int end = position + length;
    content = content.length < end ? Arrays.copyOf(content, end) : content;
    System.arraycopy(written, 0, content, position, length);
    files.put(name, content);
    String where = "seed " + seed + ", " + name + " at " + position + " + " + length;
    Log log;
    try {
      log = Log.open(files, SETTINGS, new Random(seed));
    } catch (LogException e) {
      throw new AssertionError(where, e);
    }
    String difference = durable.difference(log);
    if (difference != null && appended != durable) {
      difference = appended.difference(log);
    }
    assertThat(difference).as(where).isNull();
  }
}

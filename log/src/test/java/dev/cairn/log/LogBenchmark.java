// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.Deflater;

/**
 * What a synced write costs, in turn in one run: past the page cache into a file that is there
 * already, through it with fdatasync, and at the end of a file that grows; the log with its
 * threads; and what it would cost to compress a batch. CPU is that of the whole process.
 *
 * <pre>
 *   mvn -B -q -pl log test-compile
 *   java -cp log/target/classes:log/target/test-classes dev.cairn.log.LogBenchmark FOLDER [ROUNDS]
 * </pre>
 */
final class LogBenchmark {
  private static final int WRITES = 1000;
  private static final int FILE_BYTES = 64 << 20;

  private final Path folder;
  private final OperatingSystemMXBean system =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private LogBenchmark(Path folder) {
    this.folder = folder;
  }

  /** Prints medians of rounds. */
  public static void main(String[] arguments) throws Exception {
    Path folder = Files.createTempDirectory(Path.of(arguments[0]), "log-benchmark");
    int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 5;
    LogBenchmark benchmark = new LogBenchmark(folder);
    String[] names = {
      "O_DIRECT and O_DSYNC, 4 KB",
      "fdatasync in place, 4 KB",
      "fdatasync at the end, 4 KB",
      "O_DIRECT and O_DSYNC, 64 KB",
      "fdatasync in place, 64 KB",
      "fdatasync at the end, 64 KB",
      "log, direct, 64 in flight",
      "log, synced, 64 in flight",
      "deflate 4 KB (no write)",
      "deflate 64 KB (no write)"
    };
    double[][] wall = new double[names.length][rounds];
    double[][] cpu = new double[names.length][rounds];
    for (int round = -1; round < rounds; round++) {
      for (int i = 0; i < names.length; i++) {
        long wallBefore = System.nanoTime();
        long cpuBefore = benchmark.system.getProcessCpuTime();
        long[] spent = benchmark.run(i, wallBefore, cpuBefore);
        if (round >= 0) {
          wall[i][round] = spent[0] / 1000.0 / WRITES;
          cpu[i][round] = spent[1] / 1000.0 / WRITES;
        }
      }
    }
    System.out.printf("%-30s %12s %12s%n", "median of " + rounds + ", in µs", "wall", "CPU");
    for (int i = 0; i < names.length; i++) {
      Arrays.sort(wall[i]);
      Arrays.sort(cpu[i]);
      System.out.printf("%-30s %12.1f %12.1f%n", names[i], wall[i][rounds / 2], cpu[i][rounds / 2]);
    }
    try (var all = Files.walk(folder)) {
      for (Path path : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  /** Wall clock and CPU of all writes of one kind, in nanoseconds. */
  private long[] run(int kind, long wallBefore, long cpuBefore) throws Exception {
    switch (kind) {
      case 0, 3 -> {
        return writes(FolderFiles.Writing.DIRECT, kind == 0 ? 4096 : 65536);
      }
      case 1, 4 -> {
        return writes(FolderFiles.Writing.SYNCED, kind == 1 ? 4096 : 65536);
      }
      case 2, 5 -> {
        return appends(kind == 2 ? 4096 : 65536);
      }
      case 6, 7 -> {
        return log(kind == 6 ? FolderFiles.Writing.DIRECT : FolderFiles.Writing.SYNCED);
      }
      default -> deflate(kind == 8 ? 4096 : 65536);
    }
    return spent(wallBefore, cpuBefore);
  }

  private long[] spent(long wallBefore, long cpuBefore) {
    return new long[] {System.nanoTime() - wallBefore, system.getProcessCpuTime() - cpuBefore};
  }

  private long[] writes(FolderFiles.Writing writing, int bytes) throws IOException {
    try (FolderFiles files = FolderFiles.open(folder.resolve("plain"), writing)) {
      String name = "segment-" + writing;
      LogFile file =
          files.list().contains(name) ? files.open(name) : files.create(name, FILE_BYTES);
      ByteBuffer buffer = BatchBuffer.aligned(bytes);
      long wallBefore = System.nanoTime();
      long cpuBefore = system.getProcessCpuTime();
      for (int i = 0; i < WRITES; i++) {
        buffer.clear();
        file.write((long) i * bytes % FILE_BYTES, buffer);
        file.sync();
      }
      return spent(wallBefore, cpuBefore);
    }
  }

  private long[] appends(int bytes) throws IOException {
    Path path = folder.resolve("grows");
    Files.deleteIfExists(path);
    try (FileChannel channel =
        FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      ByteBuffer buffer = BatchBuffer.aligned(bytes);
      long wallBefore = System.nanoTime();
      long cpuBefore = system.getProcessCpuTime();
      for (int i = 0; i < WRITES; i++) {
        buffer.clear();
        channel.write(buffer);
        channel.force(false);
      }
      return spent(wallBefore, cpuBefore);
    }
  }

  /** Sixteen times as many appends as elsewhere writes, of which many share a write. */
  private long[] log(FolderFiles.Writing writing) throws Exception {
    FolderFiles files = FolderFiles.open(folder.resolve("log-" + writing), writing);
    Log log = Log.open(files, LogSettings.DEFAULT, new Random());
    Semaphore inFlight = new Semaphore(64);
    AtomicLong told = new AtomicLong();
    try (LogThread thread = new LogThread(log, listener(inFlight, told))) {
      byte[] data = new byte[700];
      long base = log.group(1).map(Group::last).orElse(0L);
      long wallBefore = System.nanoTime();
      long cpuBefore = system.getProcessCpuTime();
      long last = 0;
      for (long index = base + 1; index <= base + WRITES * 16L; index++) {
        inFlight.acquire();
        Append append = new Append().entry(1, new LogEntry(index, 1, LogEntry.Kind.DATA, data));
        last = log.append(append);
      }
      while (told.get() < last && thread != null) {
        Thread.sleep(1);
      }
      long[] spent = spent(wallBefore, cpuBefore);
      log.append(new Append().compact(1, base + WRITES * 16L));
      return new long[] {spent[0] / 16, spent[1] / 16};
    }
  }

  private static LogThread.Listener listener(Semaphore inFlight, AtomicLong told) {
    return new LogThread.Listener() {
      @Override
      public void durable(long sequence) {
        inFlight.release((int) (sequence - told.getAndSet(sequence)));
      }

      @Override
      public void failed(LogException cause) {
        throw cause;
      }
    };
  }

  /** Text-like bytes: half of them repeat. */
  private static void deflate(int bytes) {
    byte[] data = new byte[bytes];
    new Random(1).nextBytes(data);
    for (int at = 0; at + 100 <= bytes; at += 100) {
      Arrays.fill(data, at, at + 50, (byte) 'x');
    }
    byte[] into = new byte[bytes + 100];
    Deflater deflater = new Deflater(Deflater.BEST_SPEED, true);
    for (int i = 0; i < WRITES; i++) {
      deflater.reset();
      deflater.setInput(data);
      deflater.finish();
      deflater.deflate(into);
    }
    deflater.end();
  }
}

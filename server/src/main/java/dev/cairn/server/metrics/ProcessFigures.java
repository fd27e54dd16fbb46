// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.metrics;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Optional;
import java.util.OptionalLong;

/** What this process takes of its machine, asked when somebody looks. Any thread. */
public final class ProcessFigures {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Path STAT = Path.of("/proc/self/stat");

  /** Linux tells a process' time in hundredths of a second, whatever its own clock does. */
  private static final double TICKS_PER_SECOND = 100;

  /** Where utime and stime stand among the words after the program's name. */
  private static final int USER_TICKS = 11;

  private static final int SYSTEM_TICKS = 12;
  private static final double NANOS_PER_SECOND = 1e9;

  private ProcessFigures() {}

  /** Processor time of all threads, seconds: in the kernel, and outside it. */
  public record ProcessorSeconds(double system, double user) {}

  /** Memory of the process that is in the machine's, bytes. As Linux says; unknown elsewhere. */
  public static OptionalLong residentBytes() {
    try {
      if (!Files.isReadable(STATUS)) {
        return OptionalLong.empty();
      }
      for (String line : Files.readAllLines(STATUS, StandardCharsets.ISO_8859_1)) {
        if (line.startsWith("VmRSS:")) {
          return OptionalLong.of(Long.parseLong(line.replaceAll("[^0-9]", "")) << 10);
        }
      }
      return OptionalLong.empty();
    } catch (IOException | NumberFormatException e) {
      return OptionalLong.empty();
    }
  }

  /** As Linux says; unknown elsewhere. */
  public static Optional<ProcessorSeconds> processorSeconds() {
    try {
      if (!Files.isReadable(STAT)) {
        return Optional.empty();
      }
      String line = Files.readString(STAT, StandardCharsets.ISO_8859_1);
      String[] words = line.substring(line.lastIndexOf(')') + 2).split(" ");
      return Optional.of(
          new ProcessorSeconds(
              Long.parseLong(words[SYSTEM_TICKS]) / TICKS_PER_SECOND,
              Long.parseLong(words[USER_TICKS]) / TICKS_PER_SECOND));
    } catch (IOException | RuntimeException e) {
      return Optional.empty();
    }
  }

  /** What some threads have used; where the JVM does not tell, 0. */
  public static ProcessorSeconds processorSeconds(Collection<Thread> threads) {
    ThreadMXBean all = ManagementFactory.getThreadMXBean();
    long nanos = 0;
    long userNanos = 0;
    for (Thread thread : threads) {
      nanos += Math.max(0, all.getThreadCpuTime(thread.getId()));
      userNanos += Math.max(0, all.getThreadUserTime(thread.getId()));
    }
    return new ProcessorSeconds(
        Math.max(0, nanos - userNanos) / NANOS_PER_SECOND, userNanos / NANOS_PER_SECOND);
  }

  /** Memory of the machine, or of the container where there is one, bytes. */
  public static OptionalLong machineBytes() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
        ? OptionalLong.of(system.getTotalMemorySize())
        : OptionalLong.empty();
  }

  /** The JVM's heap. */
  public static MemoryUsage heap() {
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
  }

  /** The heap in use, buffers outside it, and RocksDB's memory, bytes. */
  public static long usedBytes(Metrics metrics) {
    long buffers =
        ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
            .mapToLong(pool -> Math.max(0, pool.getMemoryUsed()))
            .sum();
    return heap().getUsed() + buffers + (long) metrics.sum(Metric.ROCKSDB_CACHE);
  }

  /** Of {@link #usedBytes}, what holds keys and values: the caches and RocksDB's buffers. */
  public static long dataBytes(Metrics metrics) {
    return (long) (metrics.sum(Metric.ROCKSDB_CACHE) + metrics.sum(Metric.RECORD_CACHE));
  }
}

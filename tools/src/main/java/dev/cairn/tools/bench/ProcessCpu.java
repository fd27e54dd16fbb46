// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * CPU time of processes, their threads included, in user and kernel mode: fields 14 and 15 of
 * {@code /proc/PID/stat} (proc(5)), which count in hundredths of a second on every processor that a
 * current JDK runs on.
 */
final class ProcessCpu {
  private static final double TICKS_PER_SECOND = 100;

  private final Path proc;
  private final List<Long> pids;

  /**
   * Of these processes.
   *
   * @param proc {@code /proc}
   * @throws IllegalArgumentException one of them is not there, or there is no such folder
   */
  ProcessCpu(Path proc, List<Long> pids) {
    this.proc = proc;
    this.pids = pids;
    if (!pids.isEmpty() && !Files.isDirectory(proc)) {
      throw new IllegalArgumentException(
          "--pids needs " + proc + ", which this system does not have: leave it out");
    }
    for (long pid : pids) {
      if (!Files.isReadable(stat(pid))) {
        throw new IllegalArgumentException("--pids: there is no process " + pid);
      }
    }
  }

  /**
   * Seconds of CPU of all of them together since they started.
   *
   * @throws IOException one of them has ended
   */
  double seconds() throws IOException {
    double ticks = 0;
    for (long pid : pids) {
      String line;
      try {
        line = Files.readString(stat(pid), StandardCharsets.ISO_8859_1);
      } catch (IOException gone) {
        throw new IOException("process " + pid + " has ended", gone);
      }
      ticks += ticks(line);
    }
    return ticks / TICKS_PER_SECOND;
  }

  /** User and kernel ticks of a line of {@code stat}: a name in parentheses may hold anything. */
  static double ticks(String line) {
    String[] fields = line.substring(line.lastIndexOf(')') + 2).split(" ");
    return Double.parseDouble(fields[11]) + Double.parseDouble(fields[12]);
  }

  private Path stat(long pid) {
    return proc.resolve(Long.toString(pid)).resolve("stat");
  }

  /** Seconds of CPU of this process since it started. */
  static double ownSeconds() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime()
        / 1e9;
  }
}

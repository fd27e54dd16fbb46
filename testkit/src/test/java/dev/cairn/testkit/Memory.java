// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What a node's process holds, seen from outside. */
final class Memory {
  private static final Pattern USED = Pattern.compile("total \\d+K, used (\\d+)K");

  private Memory() {}

  /** Kilobytes of its heap that are in use after a collection. */
  static long heapKilobytes(long pid) throws IOException {
    jcmd(pid, "GC.run");
    Matcher generations = USED.matcher(jcmd(pid, "GC.heap_info"));
    long sum = 0;
    while (generations.find()) {
      sum += Long.parseLong(generations.group(1));
    }
    if (sum == 0) {
      throw new IOException("jcmd tells of no heap");
    }
    return sum;
  }

  private static String jcmd(long pid, String command) throws IOException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                Long.toString(pid),
                command)
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (process.waitFor() != 0) {
        throw new IOException("jcmd " + command + ": " + said);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    return said;
  }

  /** How many sockets it has open. */
  static long sockets(long pid) throws IOException {
    try (Stream<Path> open = Files.list(Path.of("/proc", Long.toString(pid), "fd"))) {
      return open.filter(Memory::isSocket).count();
    }
  }

  private static boolean isSocket(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString().startsWith("socket:");
    } catch (IOException closedMeanwhile) {
      return false;
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/**
 * The shell's history on disk: {@code ~/.cairn_history}, readable by its owner only. Lines that may
 * hold a value (PUT) stay in memory and are never written. A home that cannot be written to costs
 * the history, nothing else.
 */
final class ShellHistory {
  private static final int LINES_MAX = 1000;

  private final Path file;

  ShellHistory(Path file) {
    this.file = file;
  }

  static ShellHistory ofUser() {
    String home = System.getenv("HOME");
    return new ShellHistory(
        Path.of(home == null ? System.getProperty("user.home") : home, ".cairn_history"));
  }

  /** The last lines, oldest first; shortens the file when it has grown far past them. */
  List<String> load() {
    try {
      if (!Files.exists(file)) {
        return List.of();
      }
      List<String> lines = Files.readAllLines(file);
      if (lines.size() <= LINES_MAX) {
        return lines;
      }
      List<String> last = List.copyOf(lines.subList(lines.size() - LINES_MAX, lines.size()));
      if (lines.size() > 2 * LINES_MAX) {
        Files.write(file, last);
      }
      return last;
    } catch (IOException unreadable) {
      return List.of();
    }
  }

  void add(String line) {
    if (!mayBeWritten(line)) {
      return;
    }
    try {
      if (!Files.exists(file)) {
        Files.createFile(
            file,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      }
      Files.write(file, (line + "\n").getBytes(StandardCharsets.UTF_8), StandardOpenOption.APPEND);
    } catch (IOException | UnsupportedOperationException notWritable) {
      // The line stays in memory.
    }
  }

  /** Only lines that certainly hold no value: a mistyped PUT must not slip through. */
  private static boolean mayBeWritten(String line) {
    String stripped = line.strip();
    if (stripped.isEmpty()) {
      return false;
    }
    String first = stripped.split("\\s", 2)[0];
    return ShellVerb.named(first).filter(verb -> verb != ShellVerb.PUT).isPresent();
  }
}

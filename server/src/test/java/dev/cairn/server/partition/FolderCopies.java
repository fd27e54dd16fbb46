// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.storage.DurableFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Copies of a folder that is in use: what a crash would leave of it. */
final class FolderCopies {
  private FolderCopies() {}

  /** Copies it as it is at one moment, so far as its names tell. */
  static void copy(Path from, Path to) throws IOException {
    while (!copiedUnchanged(from, to)) {
      DurableFiles.deleteTree(to); // the database tidied up meanwhile
    }
  }

  private static boolean copiedUnchanged(Path from, Path to) throws IOException {
    List<String> before = names(from);
    try {
      for (String name : before) {
        Files.copy(from.resolve(name), to.resolve(name));
      }
    } catch (NoSuchFileException gone) {
      return false;
    }
    return names(from).equals(before);
  }

  private static List<String> names(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      return files.map(file -> root.relativize(file).toString()).sorted().toList();
    } catch (UncheckedIOException gone) {
      return List.of();
    }
  }

  /** Brings a checkpoint to another replica. */
  static void copyFiles(Path from, Path to) throws IOException {
    for (String name : names(from)) {
      if (!name.isEmpty()) {
        Files.copy(from.resolve(name), to.resolve(name));
      }
    }
  }
}

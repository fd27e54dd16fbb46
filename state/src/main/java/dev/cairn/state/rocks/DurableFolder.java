// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state.rocks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/** Changes of files and names that are on disk when the call returns. */
final class DurableFolder {
  private DurableFolder() {}

  /** Replaces a file whole: a crash leaves the old text or the new one. */
  static void replace(Path file, String text) throws IOException {
    Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
    try (FileChannel channel =
        FileChannel.open(
            temporary,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
    rename(temporary, file);
  }

  static void rename(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    sync(to.toAbsolutePath().getParent());
  }

  static void syncWithFiles(Path folder) throws IOException {
    for (Path file : list(folder)) {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        channel.force(true);
      }
    }
    sync(folder);
  }

  private static void sync(Path folder) throws IOException {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** Deletes the folders whose names begin so, but for one. */
  static void deleteOthers(Path folder, String prefix, Path kept) throws IOException {
    for (Path each : list(folder)) {
      if (each.getFileName().toString().startsWith(prefix) && !each.equals(kept)) {
        deleteTree(each);
      }
    }
  }

  /** Deletes a folder and what is in it; one that is not there is no error. */
  static void deleteTree(Path root) throws IOException {
    if (Files.isDirectory(root)) {
      for (Path each : list(root)) {
        deleteTree(each);
      }
    }
    Files.deleteIfExists(root);
  }

  private static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.sorted().toList();
    }
  }
}

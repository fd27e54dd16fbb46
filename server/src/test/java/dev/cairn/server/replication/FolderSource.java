// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

/** One group whose data are files in memory; each checkpoint is a folder with all of them. */
final class FolderSource implements CopySource {
  static final long GROUP = 7;
  static final byte[] META = {4, 2};

  private final Path folder;
  final Map<String, byte[]> files = new TreeMap<>();
  final List<Path> opened = new CopyOnWriteArrayList<>();
  final List<Path> closed = new CopyOnWriteArrayList<>();
  volatile Runnable onOpen = () -> {};

  FolderSource(Path folder) {
    this.folder = folder;
  }

  @Override
  public Offered open(long group) throws IOException {
    if (group != GROUP) {
      throw new IOException("there is no group " + group);
    }
    onOpen.run();
    Files.createDirectories(folder);
    Path checkpoint = Files.createTempDirectory(folder, "checkpoint");
    opened.add(checkpoint);
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      Files.write(checkpoint.resolve(file.getKey()), file.getValue());
    }
    return new Offered(META, checkpoint);
  }

  @Override
  public void close(Path checkpoint) {
    delete(checkpoint);
    closed.add(checkpoint);
  }

  static void delete(Path root) {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

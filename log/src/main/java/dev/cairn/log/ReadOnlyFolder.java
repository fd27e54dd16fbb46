// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * The folder of a log, of which nothing is changed. Another process may have it open.
 *
 * <p>Thread-safe. No thread that calls it may be interrupted: that would close the file.
 */
public final class ReadOnlyFolder implements LogFiles {
  private static final int TRIES = 3;

  private final Path folder;
  private final Set<FileChannel> open = ConcurrentHashMap.newKeySet();

  ReadOnlyFolder(Path folder) {
    this.folder = folder;
  }

  /** Whether a folder has a log. */
  static boolean isLog(Path folder) {
    return Files.exists(folder.resolve(Mark.NAME));
  }

  /**
   * Opens the log in a folder to be read.
   *
   * @param folder as given to {@link FolderFiles#open}
   * @throws LogException of kind DAMAGED when it cannot be read, of kind FOREIGN when it is of
   *     another version
   * @throws IOException when there is none, or a file cannot be read
   */
  public static LogReading openLog(Path folder) throws IOException {
    if (!isLog(folder)) {
      throw new IOException("There is no write-ahead log in " + folder);
    }
    for (int left = TRIES - 1; ; left--) {
      LogFiles files = new ReadOnlyFolder(folder);
      try {
        return LogReading.of(files);
      } catch (IOException | RuntimeException e) {
        files.close();
        if (left == 0) {
          throw e;
        }
      }
    }
  }

  @Override
  public List<String> list() throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.map(each -> each.getFileName().toString()).toList();
    }
  }

  @Override
  public LogFile open(String name) throws IOException {
    FileChannel channel = FileChannel.open(folder.resolve(name), StandardOpenOption.READ);
    open.add(channel);
    return new ReadOnlyFile(channel);
  }

  @Override
  public Optional<byte[]> read(String name) throws IOException {
    try {
      return Optional.of(Files.readAllBytes(folder.resolve(name)));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  @Override
  public LogFile create(String name, long bytes) {
    throw readOnly();
  }

  @Override
  public void delete(String name) {
    throw readOnly();
  }

  @Override
  public void replace(String name, byte[] bytes) {
    throw readOnly();
  }

  private static UnsupportedOperationException readOnly() {
    return new UnsupportedOperationException("the log is opened to be read only");
  }

  @Override
  public void close() throws IOException {
    for (FileChannel channel : open) {
      channel.close();
    }
  }

  /** One file. */
  private record ReadOnlyFile(FileChannel channel) implements LogFile {
    @Override
    public long size() throws IOException {
      return channel.size();
    }

    @Override
    public int read(long position, ByteBuffer into) throws IOException {
      int start = into.position();
      int read = 0;
      for (long at = position; into.hasRemaining() && read >= 0; at += read) {
        read = channel.read(into, at);
      }
      return into.position() - start;
    }

    @Override
    public void write(long position, ByteBuffer from) {
      throw readOnly();
    }

    @Override
    public void sync() {
      throw readOnly();
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}

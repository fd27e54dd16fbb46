// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import com.sun.nio.file.ExtendedOpenOption;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The folder of a log on a real disk.
 *
 * <p>Writes pass the page cache by (O_DIRECT) and are on disk when they return (O_DSYNC) where the
 * file system allows it: that costs least ({@code docs/design/decisions/0032-the-log.md}).
 * Elsewhere, on tmpfs for instance, they go through the page cache and {@link LogFile#sync} is an
 * fdatasync of a file that does not grow.
 *
 * <p>Thread-safe. No thread that calls it may be interrupted: that would close the file.
 */
public final class FolderFiles implements LogFiles {
  private static final String LOCK = "lock";
  private static final int ZEROS_BYTES = 1 << 20;

  private final Path folder;
  private final ReadOnlyFolder reading;
  private final Writing writing;
  private final FileChannel lockChannel;
  private final Set<FileChannel> open = ConcurrentHashMap.newKeySet();

  /** How a write gets to the disk. */
  public enum Writing {
    /** Past the page cache; on disk when the write returns. */
    DIRECT,
    /** Through the page cache, then fdatasync. */
    SYNCED
  }

  private FolderFiles(Path folder, Writing writing, FileChannel lockChannel) {
    this.folder = folder;
    this.reading = new ReadOnlyFolder(folder);
    this.writing = writing;
    this.lockChannel = lockChannel;
  }

  /**
   * Opens a folder, which is created when missing. One process at a time has it.
   *
   * @throws IOException when another process has it, or it cannot be used
   */
  public static FolderFiles open(Path folder) throws IOException {
    return open(folder, Writing.DIRECT);
  }

  /**
   * Opens a folder.
   *
   * @param wanted DIRECT falls back to SYNCED where the file system refuses it
   */
  public static FolderFiles open(Path folder, Writing wanted) throws IOException {
    createFolder(folder.toAbsolutePath());
    FileChannel lockChannel =
        FileChannel.open(folder.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (!isFree(lockChannel)) {
        throw new IOException("The log in " + folder + " is in use by another process");
      }
      Writing writing = wanted == Writing.DIRECT ? tryDirect(folder) : wanted;
      return new FolderFiles(folder, writing, lockChannel);
    } catch (IOException | RuntimeException e) {
      lockChannel.close();
      throw e;
    }
  }

  private static boolean isFree(FileChannel lockChannel) throws IOException {
    try {
      FileLock lock = lockChannel.tryLock();
      return lock != null;
    } catch (OverlappingFileLockException e) {
      return false;
    }
  }

  private static Writing tryDirect(Path folder) throws IOException {
    Path file = folder.resolve("try");
    Files.write(file, new byte[Batch.BLOCK_BYTES]);
    try (FileChannel channel = FileChannel.open(file, options(Writing.DIRECT))) {
      channel.write(BatchBuffer.aligned(Batch.BLOCK_BYTES), 0);
      return Writing.DIRECT;
    } catch (IOException | UnsupportedOperationException e) {
      return Writing.SYNCED;
    } finally {
      Files.delete(file);
    }
  }

  private static Set<OpenOption> options(Writing writing) {
    return writing == Writing.DIRECT
        ? Set.of(
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            StandardOpenOption.DSYNC,
            ExtendedOpenOption.DIRECT)
        : Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  /** How writes get to the disk here. */
  public Writing writing() {
    return writing;
  }

  @Override
  public List<String> list() throws IOException {
    return reading.list();
  }

  @Override
  public LogFile create(String name, long bytes) throws IOException {
    Path path = folder.resolve(name);
    try {
      try (FileChannel channel =
          FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        ByteBuffer zeros = ByteBuffer.allocateDirect((int) Math.min(bytes, ZEROS_BYTES));
        for (long at = 0; at < bytes; at += zeros.limit()) {
          zeros.clear().limit((int) Math.min(ZEROS_BYTES, bytes - at));
          writeAll(channel, at, zeros);
        }
        channel.force(true);
      }
      syncFolder();
    } catch (IOException e) {
      Files.deleteIfExists(path);
      throw roomOr(e);
    }
    return open(name);
  }

  @Override
  public LogFile open(String name) throws IOException {
    FileChannel channel = FileChannel.open(folder.resolve(name), options(writing));
    open.add(channel);
    return new ChannelFile(channel);
  }

  @Override
  public void delete(String name) throws IOException {
    if (Files.deleteIfExists(folder.resolve(name))) {
      syncFolder();
    }
  }

  @Override
  public void replace(String name, byte[] bytes) throws IOException {
    Path temporary = folder.resolve(name + ".tmp");
    try {
      try (FileChannel channel =
          FileChannel.open(
              temporary,
              StandardOpenOption.CREATE,
              StandardOpenOption.WRITE,
              StandardOpenOption.TRUNCATE_EXISTING)) {
        writeAll(channel, 0, ByteBuffer.wrap(bytes));
        channel.force(true);
      }
      Files.move(temporary, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
      syncFolder();
    } catch (IOException e) {
      throw roomOr(e);
    }
  }

  @Override
  public Optional<byte[]> read(String name) throws IOException {
    return reading.read(name);
  }

  @Override
  public void close() throws IOException {
    for (FileChannel channel : open) {
      channel.close();
    }
    lockChannel.close();
  }

  private static void createFolder(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      createFolder(folder.getParent());
      Files.createDirectories(folder);
      sync(folder.getParent());
    }
  }

  private void syncFolder() throws IOException {
    sync(folder);
  }

  private static void sync(Path folder) throws IOException {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private static void writeAll(FileChannel channel, long position, ByteBuffer from)
      throws IOException {
    long at = position;
    while (from.hasRemaining()) {
      at += channel.write(from, at);
    }
  }

  private static Exception roomOrFailure(IOException e) {
    String message = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
    return message.contains("no space left") || message.contains("disk quota exceeded")
        ? new LogException(LogException.Kind.NO_ROOM, "the disk of the log is full", e)
        : e;
  }

  /** Throws what is to be thrown for a file that could not be made. */
  private static IOException roomOr(IOException e) {
    if (roomOrFailure(e) instanceof LogException full) {
      throw full;
    }
    return e;
  }

  /** One file. */
  private final class ChannelFile implements LogFile {
    private final FileChannel channel;

    ChannelFile(FileChannel channel) {
      this.channel = channel;
    }

    @Override
    public long size() throws IOException {
      return channel.size();
    }

    @Override
    public int read(long position, ByteBuffer into) throws IOException {
      int start = into.position();
      long at = position;
      while (into.hasRemaining()) {
        int read = channel.read(into, at);
        if (read <= 0) {
          break;
        }
        at += read;
        if (at % Batch.BLOCK_BYTES != 0) {
          break; // the end of a file that was cut
        }
      }
      return into.position() - start;
    }

    @Override
    public void write(long position, ByteBuffer from) throws IOException {
      writeAll(channel, position, from);
    }

    @Override
    public void sync() throws IOException {
      if (writing == Writing.SYNCED) {
        channel.force(false);
      }
    }

    @Override
    public void close() throws IOException {
      open.remove(channel);
      channel.close();
    }
  }
}

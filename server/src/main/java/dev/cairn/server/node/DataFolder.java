// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.server.storage.DurableFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A node's folder, held by this process alone.
 *
 * <p>Invariants: from {@link #open} to {@link #close} no other process has it (a lock of the
 * operating system on the file {@code lock}, which ends with the process, however that ends); only
 * the user who runs the node can look into it (mode 0700).
 *
 * <p>A folder that holds something but was never a node's is refused, and left as it is: {@code
 * --data} may have been mistyped.
 */
public final class DataFolder implements AutoCloseable {
  private static final String LOCK = "lock";
  private static final Set<PosixFilePermission> MODE = PosixFilePermissions.fromString("rwx------");
  private static final int LOCK_BYTES_MAX = 64;

  private final Path path;
  private final FileChannel channel;

  private DataFolder(Path path, FileChannel channel) {
    this.path = path;
    this.channel = channel;
  }

  /**
   * Makes the folder if it is missing, and takes it.
   *
   * @param path absolute
   * @throws StartException when another node has it, or it cannot be used
   */
  public static DataFolder open(Path path) throws StartException {
    try {
      create(path);
      return lock(path);
    } catch (AccessDeniedException e) {
      throw new StartException(
          "data folder %s: no permission for %s; give the user who runs the node that folder, or the"
                  .formatted(path, e.getFile())
              + " node another --data",
          e);
    } catch (FileSystemException e) {
      throw new StartException(
          "data folder %s cannot be used: %s; give the node another --data"
              .formatted(path, e.getMessage()),
          e);
    } catch (IOException e) {
      throw new StartException("data folder %s cannot be used: %s".formatted(path, e), e);
    }
  }

  /** Absolute. */
  public Path path() {
    return path;
  }

  /** Lets go of the folder. */
  @Override
  public void close() throws IOException {
    channel.close();
  }

  private static void create(Path path) throws IOException, StartException {
    if (Files.exists(path) && !Files.isDirectory(path)) {
      throw new StartException(
          "data folder %s is a file: give the node another --data".formatted(path));
    }
    boolean isPosix = path.getFileSystem().supportedFileAttributeViews().contains("posix");
    if (!Files.isDirectory(path)) {
      Files.createDirectories(path.getParent());
      if (isPosix) {
        Files.createDirectory(path, PosixFilePermissions.asFileAttribute(MODE));
      } else {
        Files.createDirectory(path);
      }
      DurableFiles.syncFolder(path.getParent());
    } else if (!Files.exists(path.resolve(LOCK)) && !isEmpty(path)) {
      throw new StartException(
          "%s holds files and was never a node's data folder: give an empty or a new one as --data"
              .formatted(path));
    }
    if (isPosix && !Files.getPosixFilePermissions(path).equals(MODE)) {
      Files.setPosixFilePermissions(path, MODE);
    }
  }

  private static boolean isEmpty(Path path) throws IOException {
    try (Stream<Path> entries = Files.list(path)) {
      // A file system's root has this one from the start.
      return entries.allMatch(entry -> entry.endsWith("lost+found"));
    }
  }

  private static DataFolder lock(Path path) throws IOException, StartException {
    Path file = path.resolve(LOCK);
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    boolean locked = false;
    try {
      locked = tryLock(channel);
      if (!locked) {
        throw new StartException(
            "data folder %s is in use by another node%s: stop that one, or give this one another --data"
                .formatted(path, holder(channel)));
      }
      channel.truncate(0);
      channel.write(
          ByteBuffer.wrap(
              (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII)));
      return new DataFolder(path, channel);
    } finally {
      if (!locked) {
        channel.close();
      }
    }
  }

  private static boolean tryLock(FileChannel channel) throws IOException {
    try {
      FileLock lock = channel.tryLock();
      return lock != null;
    } catch (OverlappingFileLockException e) {
      return false; // Another node in this process has it.
    }
  }

  /** Who has it, as far as the file says. */
  private static String holder(FileChannel channel) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(LOCK_BYTES_MAX);
    channel.read(buffer, 0);
    String text =
        new String(buffer.array(), 0, buffer.position(), StandardCharsets.US_ASCII).strip();
    return text.matches("\\d{1,10}") ? " (process " + text + ")" : "";
  }
}

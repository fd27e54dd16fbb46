// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/**
 * A small file beside the log's database that says how far the database has been on disk.
 *
 * <p>A database that lost its end opens without an error and looks whole; below the mark it is
 * known not to be. A thread of its own writes the mark, at once after the first write and then at
 * most once an interval, so that no commit waits for it and the last write before a silence is
 * marked as well.
 *
 * <pre>
 *   cairn-log-mark 1          version of this file
 *   log-format 1              format of the log's rows, known before the database is touched
 *   sequence 4711             the database's sequence number: at least this much was fsynced
 *   crc32c 0123abcd           over the lines above
 * </pre>
 *
 * It is replaced whole: temporary file, fsync, rename, fsync of the folder.
 */
final class DurableMark implements AutoCloseable {
  private static final int VERSION = 1;
  private static final Pattern FIRST_LINE =
      Pattern.compile("cairn-log-mark (\\d{1,9})\n.*", Pattern.DOTALL);
  private static final Pattern FILE =
      Pattern.compile(
          "(cairn-log-mark 1\nlog-format (\\d{1,9})\nsequence (\\d{1,18})\n)crc32c ([0-9a-f]{8})\n");

  private final Path file;
  private final LongSupplier sequence;
  private final long intervalMillis;
  private final Consumer<IOException> onFailure;
  private final AtomicBoolean behind = new AtomicBoolean();
  private final Thread thread;
  private volatile boolean stopped;

  /**
   * Writes the first mark and starts to follow.
   *
   * @param sequence what is surely on disk when it is asked
   * @param intervalMillis the least time between two marks
   * @param onFailure told once when a mark could not be written; there are no more after it
   */
  DurableMark(
      Path file, LongSupplier sequence, long intervalMillis, Consumer<IOException> onFailure)
      throws IOException {
    this.file = file;
    this.sequence = sequence;
    this.intervalMillis = intervalMillis;
    this.onFailure = onFailure;
    writeNow();
    thread = new Thread(this::follow, "log-mark");
    thread.setDaemon(true);
    thread.start();
  }

  /** The mark of the log in a folder: {@code store.log.mark} for {@code store.log}. */
  static Path file(Path folder) {
    return folder.resolveSibling(folder.getFileName() + ".mark");
  }

  /**
   * Reads a mark.
   *
   * @throws LogLostException when it is not what was written
   * @throws ForeignLogException when another version of Cairn wrote it
   */
  static Optional<Mark> read(Path file) throws IOException {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    String text = Files.readString(file, UTF_8);
    Matcher first = FIRST_LINE.matcher(text);
    if (first.matches() && Integer.parseInt(first.group(1)) != VERSION) {
      throw new ForeignLogException(
          file
              + " has version "
              + first.group(1)
              + "; this node reads version "
              + VERSION
              + ". Start the release that wrote it, or a newer one.");
    }
    Matcher whole = FILE.matcher(text);
    if (!whole.matches() || !whole.group(4).equals(checksum(whole.group(1)))) {
      throw new LogLostException(
          file + " is damaged: whether the log beside it is whole cannot be told", null);
    }
    return Optional.of(new Mark(Integer.parseInt(whole.group(2)), Long.parseLong(whole.group(3))));
  }

  /** Says that more than the mark is on disk now. Cheap; called after each synced write. */
  void written() {
    if (!behind.get() && behind.compareAndSet(false, true)) {
      LockSupport.unpark(thread);
    }
  }

  private void follow() {
    while (!stopped) {
      if (!behind.compareAndSet(true, false)) {
        LockSupport.park(this);
        continue;
      }
      try {
        writeNow();
      } catch (IOException e) {
        onFailure.accept(e);
        return;
      }
      pause();
    }
  }

  private void pause() {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(intervalMillis);
    for (long left = end - System.nanoTime();
        left > 0 && !stopped;
        left = end - System.nanoTime()) {
      LockSupport.parkNanos(this, left);
    }
  }

  synchronized void writeNow() throws IOException {
    byte[] bytes = text(LogRows.FORMAT, sequence.getAsLong()).getBytes(UTF_8);
    Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
    try (FileChannel channel = FileChannel.open(temporary, CREATE, WRITE, TRUNCATE_EXISTING)) {
      ByteBuffer buffer = ByteBuffer.wrap(bytes);
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
      channel.force(true);
    }
    Files.move(temporary, file, ATOMIC_MOVE);
    syncFolder(file.toAbsolutePath().getParent());
  }

  static String text(int format, long sequence) {
    String lines =
        "cairn-log-mark " + VERSION + "\nlog-format " + format + "\nsequence " + sequence + "\n";
    return lines + "crc32c " + checksum(lines) + "\n";
  }

  static void syncFolder(Path folder) throws IOException {
    try (FileChannel channel = FileChannel.open(folder, READ)) {
      channel.force(true);
    }
  }

  private static String checksum(String lines) {
    CRC32C crc = new CRC32C();
    crc.update(lines.getBytes(UTF_8));
    return String.format("%08x", crc.getValue());
  }

  /** Stops following; writes nothing. */
  @Override
  public void close() {
    stopped = true;
    LockSupport.unpark(thread);
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** What a mark says. */
  record Mark(int format, long sequence) {}
}

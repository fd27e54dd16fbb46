// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One copy that this node gives: its checkpoint, for as long as somebody asks for it.
 *
 * <p><b>Threads.</b> A thread of its own makes the checkpoint, waits for the end, and deletes it.
 * All else may be called by any; {@link #piece} waits for the disk, the rest for nothing.
 *
 * <p><b>Invariants.</b>
 *
 * <ol>
 *   <li>A checkpoint that was made is deleted once, whatever becomes of the copy; then, and only
 *       then, {@code ended} is told, once.
 *   <li>A file is read only if the manifest has its name, so no other path can be named.
 * </ol>
 */
final class OfferedCopy {
  private static final Logger log = LoggerFactory.getLogger(OfferedCopy.class);
  private static final int CHECKSUM_BUFFER_BYTES = 64 << 10;

  /** A checkpoint, and what stands in it. */
  private record Prepared(Path folder, CopyManifest manifest, byte[] bytes) {}

  private final CopySource source;
  private final long group;
  private final String asker;
  private final long idleMillis;
  private final Runnable ended;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final CompletableFuture<Prepared> prepared = new CompletableFuture<>();
  private final Map<String, CompletableFuture<Integer>> checksums = new ConcurrentHashMap<>();
  private volatile long lastAskedNanos = System.nanoTime();

  /**
   * A copy that is not made yet.
   *
   * @param asker for the log
   * @param idleMillis how long it is kept for who does not ask
   * @param ended told when nothing is left of it
   */
  OfferedCopy(CopySource source, long group, String asker, long idleMillis, Runnable ended) {
    this.source = source;
    this.group = group;
    this.asker = asker;
    this.idleMillis = idleMillis;
    this.ended = ended;
  }

  long group() {
    return group;
  }

  /** Begins to make the checkpoint. Called once. */
  void start() {
    Thread thread = new Thread(this::run, "cairn-copy-send-" + group);
    thread.setDaemon(true);
    try {
      thread.start();
    } catch (OutOfMemoryError e) { // no thread is to be had
      closed.countDown();
      prepared.completeExceptionally(new IOException("no thread is to be had", e));
      ended.run();
    }
  }

  /** Ends it; its thread deletes what was made. */
  void close() {
    closed.countDown();
  }

  /** The answer with the manifest, when the checkpoint is made. */
  CompletableFuture<byte[]> manifest() {
    lastAskedNanos = System.nanoTime();
    return prepared.thenApply(made -> CopyMessages.done(made.bytes()));
  }

  /** The answer with a piece, or with a checksum, which may take a while. */
  CompletableFuture<byte[]> piece(CopyMessages.Piece piece) throws IOException {
    lastAskedNanos = System.nanoTime();
    if (closed.getCount() == 0 || !prepared.isDone()) {
      throw new IOException("the copy is not offered");
    }
    Prepared from = prepared.join();
    Long length = from.manifest().files().get(piece.name());
    if (length == null || piece.offset() > length) {
      throw new IOException(
          "the copy has nothing at %d of a file '%s'".formatted(piece.offset(), piece.name()));
    }
    Path file = from.folder().resolve(piece.name());
    return piece.offset() == length
        ? checksum(file, length)
            .thenApply(
                crc -> CopyMessages.done(ByteBuffer.allocate(Integer.BYTES).putInt(crc).array()))
        : CompletableFuture.completedFuture(
            bytes(file, piece.offset(), (int) Math.min(piece.length(), length - piece.offset())));
  }

  private static byte[] bytes(Path file, long offset, int length) throws IOException {
    byte[] answer = CopyMessages.done(length);
    ByteBuffer piece = CopyMessages.bodyOf(answer);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      while (piece.hasRemaining()) {
        if (channel.read(piece, offset + piece.position()) < 0) {
          throw new IOException(file.getFileName() + " is shorter than it was");
        }
      }
    }
    return answer;
  }

  /** Computed by who asks first, once; who asks again meanwhile does not compute it too. */
  private CompletableFuture<Integer> checksum(Path file, long length) {
    CompletableFuture<Integer> mine = new CompletableFuture<>();
    CompletableFuture<Integer> first = checksums.putIfAbsent(file.getFileName().toString(), mine);
    if (first != null) {
      return first;
    }
    try {
      mine.complete(computed(file, length));
    } catch (IOException | RuntimeException e) {
      mine.completeExceptionally(e);
    }
    lastAskedNanos = System.nanoTime();
    return mine;
  }

  private static int computed(Path file, long length) throws IOException {
    CRC32C crc = new CRC32C();
    ByteBuffer buffer = ByteBuffer.allocate(CHECKSUM_BUFFER_BYTES);
    long done = 0;
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      while (channel.read(buffer.clear()) >= 0) {
        done += buffer.position();
        crc.update(buffer.flip());
      }
    }
    if (done != length) {
      throw new IOException(file.getFileName() + " has changed its length");
    }
    return (int) crc.getValue();
  }

  // ---- Its own thread ----

  private void run() {
    Path folder = null;
    try {
      if (closed.getCount() > 0) {
        CopySource.Offered offered = source.open(group);
        folder = offered.checkpoint();
        Prepared made = prepare(offered);
        log.info("Offers {} files of group {} to {}", made.manifest().files().size(), group, asker);
        lastAskedNanos = System.nanoTime();
        prepared.complete(made);
        awaitEnd();
      }
    } catch (IOException | RuntimeException e) {
      log.warn("Cannot offer a copy of group {} to {}", group, asker, e);
      prepared.completeExceptionally(e);
    } finally {
      closed.countDown();
      prepared.completeExceptionally(new IOException("the copy was given up"));
      delete(folder);
      ended.run();
    }
  }

  private static Prepared prepare(CopySource.Offered offered) throws IOException {
    Map<String, Long> lengths = new LinkedHashMap<>();
    try (Stream<Path> files = Files.list(offered.checkpoint())) {
      for (Path file : files.sorted().toList()) {
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
          throw new IOException("the checkpoint has what is no plain file: " + file.getFileName());
        }
        lengths.put(file.getFileName().toString(), Files.size(file));
      }
    }
    CopyManifest manifest = new CopyManifest(offered.meta(), lengths);
    byte[] bytes = manifest.encode();
    if (bytes.length > CopyManifest.BYTES_MAX) {
      throw new IOException("the copy has too many files: " + lengths.size());
    }
    return new Prepared(offered.checkpoint(), manifest, bytes);
  }

  /** Until it is closed, or nobody has asked for a while. */
  private void awaitEnd() {
    try {
      while (true) {
        long quietMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - lastAskedNanos);
        if (closed.await(Math.max(1, idleMillis - quietMillis), TimeUnit.MILLISECONDS)) {
          return;
        }
        if (System.nanoTime() - lastAskedNanos >= TimeUnit.MILLISECONDS.toNanos(idleMillis)) {
          log.info("Nobody at {} fetches the copy of group {} any more", asker, group);
          return;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void delete(Path folder) {
    if (folder != null) {
      try {
        source.close(folder);
      } catch (RuntimeException e) {
        log.warn("Cannot delete {}; it is tried again at the next start", folder, e);
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.alipay.sofa.jraft.error.RetryAgainException;
import com.alipay.sofa.jraft.storage.FileService;
import com.alipay.sofa.jraft.storage.io.FileReader;
import com.alipay.sofa.jraft.util.ByteBufferCollector;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives one snapshot to one follower, piece by piece, through JRaft's file service.
 *
 * <p>It answers three kinds of names: {@link #META}, a manifest without data; {@link #MANIFEST},
 * the whole one, for which the checkpoint is made; and {@code file:NAME} for each file in it:
 *
 * <pre>
 *   file := bytes crc32c:4       the checksum is read at the end, with an offset of the file's length
 * </pre>
 *
 * <p><b>Threads.</b> Requests come on JRaft's threads, several at a time; the first one for the
 * manifest makes the checkpoint, the others wait a little and are told to ask again. {@link #close}
 * never waits: JRaft holds a replicator's lock.
 *
 * <p><b>Invariant.</b> A checkpoint that was made has one guard, a thread that waits for the end of
 * the sender and deletes it.
 */
final class SnapshotSender implements FileReader {
  static final String META = "meta";
  static final String MANIFEST = "manifest";
  static final String FILE_PREFIX = "file:";

  /** The largest piece that is read into memory for one request. */
  static final int PIECE_BYTES_MAX = 1 << 20;

  private static final Logger log = LoggerFactory.getLogger(SnapshotSender.class);
  private static final long PREPARE_WAIT_MILLIS = 2000;

  /** A checkpoint, and what stands in it. */
  private record Prepared(Path folder, SnapshotManifest manifest, byte[] manifestBytes) {}

  private final SnapshotHost host;
  private final SnapshotMeta meta;
  private final long idleMillis;
  private final SnapshotUri uri;
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile long lastRequestNanos = System.nanoTime();
  private CompletableFuture<Prepared> prepared; // null until asked for; guarded by this

  SnapshotSender(SnapshotHost host, SnapshotMeta meta, String nodeId, long idleMillis) {
    this.host = host;
    this.meta = meta;
    this.idleMillis = idleMillis;
    long reader;
    do {
      reader = FileService.getInstance().addReader(this);
    } while (reader < 0); // a number in use; the next is one higher
    this.uri = new SnapshotUri(nodeId, reader, host.holdsData());
  }

  SnapshotUri uri() {
    return uri;
  }

  @Override
  public String getPath() {
    return uri.toString();
  }

  @Override
  public int readFile(ByteBufferCollector target, String name, long offset, long countMax)
      throws IOException, RetryAgainException {
    lastRequestNanos = System.nanoTime();
    int wanted = (int) Math.min(countMax, PIECE_BYTES_MAX);
    ByteBuffer piece;
    if (name.equals(META)) {
      piece = slice(new SnapshotManifest(false, meta, Map.of()).encode(), offset, wanted);
    } else if (name.equals(MANIFEST)) {
      piece = slice(prepared().manifestBytes(), offset, wanted);
    } else if (name.startsWith(FILE_PREFIX)) {
      piece = piece(prepared(), name.substring(FILE_PREFIX.length()), offset, wanted);
    } else {
      throw new IOException("a snapshot has nothing named '" + name + "'");
    }
    if (!piece.hasRemaining()) {
      return EOF;
    }
    int count = piece.remaining();
    piece.position(piece.limit()); // the file service flips it
    target.setBuffer(piece);
    return count;
  }

  /** Ends it; what was made for it is deleted by its guard. A second call does nothing. */
  void close() {
    closed.countDown();
    FileService.getInstance().removeReader(uri.reader());
  }

  private Prepared prepared() throws IOException, RetryAgainException {
    CompletableFuture<Prepared> result;
    boolean mine = false;
    synchronized (this) {
      if (closed.getCount() == 0) {
        throw new IOException("the snapshot is no longer offered");
      }
      if (prepared == null) {
        prepared = new CompletableFuture<>();
        mine = true;
      }
      result = prepared;
    }
    if (mine) {
      prepare(result);
    }
    try {
      return result.get(PREPARE_WAIT_MILLIS, TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw new IOException("the checkpoint could not be made", e.getCause());
    } catch (TimeoutException e) {
      throw new RetryAgainException("the checkpoint is being made");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RetryAgainException("interrupted");
    }
  }

  private void prepare(CompletableFuture<Prepared> result) {
    Path folder = null;
    try {
      if (!host.holdsData()) {
        throw new IOException("a witness has no data to give");
      }
      folder = host.checkpoint();
      SnapshotManifest manifest = new SnapshotManifest(true, meta, lengths(folder));
      byte[] bytes = manifest.encode();
      if (bytes.length > SnapshotManifest.BYTES_MAX) {
        throw new IOException("the snapshot has too many files: " + manifest.files().size());
      }
      log.info(
          "Offers {} files of snapshot {} as {}",
          manifest.files().size(),
          meta.getLastIncludedIndex(),
          uri);
      startGuard(folder);
      result.complete(new Prepared(folder, manifest, bytes));
    } catch (IOException | RuntimeException e) {
      if (folder != null) {
        delete(folder);
      }
      result.completeExceptionally(e);
    }
  }

  private static Map<String, Long> lengths(Path folder) throws IOException {
    Map<String, Long> lengths = new LinkedHashMap<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.sorted().toList()) {
        lengths.put(file.getFileName().toString(), Files.size(file));
      }
    }
    return lengths;
  }

  private static ByteBuffer piece(Prepared from, String name, long offset, int wanted)
      throws IOException {
    Long length = from.manifest().files().get(name); // so no other path can be named
    if (length == null) {
      throw new IOException("the snapshot has no file '" + name + "'");
    }
    Path file = from.folder().resolve(name);
    if (offset >= length) {
      return slice(checksum(file, length), offset - length, wanted);
    }
    ByteBuffer piece = ByteBuffer.allocate((int) Math.min(wanted, length - offset));
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      while (piece.hasRemaining()) {
        if (channel.read(piece, offset + piece.position()) < 0) {
          throw new IOException(name + " is shorter than it was");
        }
      }
    }
    return piece.flip();
  }

  private static byte[] checksum(Path file, long length) throws IOException {
    CRC32C crc = new CRC32C();
    ByteBuffer buffer = ByteBuffer.allocate(64 << 10);
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
    return ByteBuffer.allocate(Integer.BYTES).putInt((int) crc.getValue()).array();
  }

  private static ByteBuffer slice(byte[] bytes, long offset, int wanted) {
    int from = (int) Math.min(offset, bytes.length);
    int length = Math.min(wanted, bytes.length - from);
    return ByteBuffer.wrap(bytes, from, length).slice();
  }

  private void startGuard(Path folder) {
    Thread guard = new Thread(() -> guard(folder), "cairn-snapshot-send");
    guard.setDaemon(true);
    guard.start();
  }

  /** Waits until the sender is closed, or nobody has asked for a while; then deletes. */
  private void guard(Path folder) {
    try {
      while (true) {
        long quietMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - lastRequestNanos);
        if (closed.await(Math.max(0, idleMillis - quietMillis), TimeUnit.MILLISECONDS)) {
          break;
        }
        if (System.nanoTime() - lastRequestNanos >= TimeUnit.MILLISECONDS.toNanos(idleMillis)) {
          log.info("Nobody fetches {} any more", uri);
          close();
        }
      }
    } catch (InterruptedException e) {
      close();
    }
    delete(folder);
  }

  private void delete(Path folder) {
    try {
      host.deleteCheckpoint(folder);
    } catch (IOException | RuntimeException e) {
      log.warn("Cannot delete {}; it is tried again at the next start", folder, e);
    }
  }
}

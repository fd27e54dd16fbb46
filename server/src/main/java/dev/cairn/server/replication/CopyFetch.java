// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import dev.cairn.server.peer.PeerTransport;
import dev.cairn.server.replication.CopyAsker.Asked;
import dev.cairn.server.replication.CopyAsker.NoCopyException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.Map;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fetches one copy from another node: the manifest, then file by file, each checked for length and
 * checksum and fsynced. A few pieces are under way at once ({@link #UNDER_WAY_MAX}), also where one
 * file ends and the next begins.
 *
 * <p><b>Threads.</b> A thread of its own does all of it and tells the result. {@link #cancel} may
 * be called by any and does not wait.
 *
 * <p><b>Invariants.</b>
 *
 * <ol>
 *   <li>The result is told exactly once, also when the copy is cancelled. Nothing is written to the
 *       folder after that.
 *   <li>{@link Kind#LOCAL_DISK} means that the local disk failed: it stops the replica. A full
 *       disk, a sender that is gone and bytes that are wrong do not.
 *   <li>What was fetched is on disk, the names in the folder too, when that is told.
 *   <li>Nothing that the sender claims is allocated; a file grows by what arrives, and at most
 *       {@link #UNDER_WAY_MAX} pieces are in memory.
 * </ol>
 */
final class CopyFetch {
  /** Pieces of at most {@link CopyMessages#PIECE_BYTES_MAX}: 4 MiB. */
  static final int UNDER_WAY_MAX = 4;

  private static final Logger log = LoggerFactory.getLogger(CopyFetch.class);

  private final CopyAsker asker;
  private final String nodeId;
  private final long group;
  private final Path folder;
  private final Consumer<Result> done;

  /** What came of it. */
  sealed interface Result {}

  /** All of it. */
  record Fetched(byte[] meta, Path folder) implements Result {}

  /** Nothing that is of use; the folder may hold a part of it. */
  record Failed(Kind kind, String why) implements Result {}

  /** Whose fault it is. */
  enum Kind {
    /** The local disk failed: the replica stops. */
    LOCAL_DISK,
    /** The local disk is full. */
    FULL,
    /** Anything else, a cancellation among it; the leader tries again. */
    PASSING
  }

  private CopyFetch(
      CopyAsker asker, String nodeId, long group, Path folder, Consumer<Result> done) {
    this.asker = asker;
    this.nodeId = nodeId;
    this.group = group;
    this.folder = folder;
    this.done = done;
  }

  /**
   * Begins to fetch.
   *
   * @param nodeId who has the data
   * @param folder where the files go to: there, empty, and the caller's, who deletes it
   * @param done told the result by the copy's own thread, which may block; by the caller's when
   *     there is no thread to be had
   */
  static CopyFetch start(
      PeerTransport transport, String nodeId, long group, Path folder, Consumer<Result> done) {
    return start(transport, nodeId, group, folder, CopyAsker.Times.DEFAULT, done);
  }

  /** With other times, for tests. */
  static CopyFetch start(
      PeerTransport transport,
      String nodeId,
      long group,
      Path folder,
      CopyAsker.Times times,
      Consumer<Result> done) {
    CopyAsker asker = new CopyAsker(transport, nodeId, new SecureRandom().nextLong(), times);
    CopyFetch fetch = new CopyFetch(asker, nodeId, group, folder, done);
    Thread thread = new Thread(fetch::run, "cairn-copy-" + group);
    thread.setDaemon(true);
    try {
      thread.start();
    } catch (OutOfMemoryError e) {
      log.warn("No thread is to be had for a copy of group {}", group, e);
      done.accept(new Failed(Kind.PASSING, "no thread is to be had"));
    }
    return fetch;
  }

  /** Ends it soon. A result that is there already stays what it is. */
  void cancel() {
    asker.cancel();
  }

  // ---- Its own thread ----

  private void run() {
    Result result = new Failed(Kind.PASSING, "the copy's thread died");
    try {
      result = fetched();
    } catch (NoCopyException e) {
      result = failed(Kind.PASSING, e.getMessage());
    } catch (IOException e) {
      result = failed(kindOf(e), "the local disk failed: " + e);
    } catch (RuntimeException e) {
      log.warn("Copying group {} from {} failed", group, nodeId, e);
      result = failed(Kind.PASSING, e.toString());
    } finally {
      asker.close();
      done.accept(result);
    }
  }

  static Kind kindOf(IOException e) {
    if (e instanceof ClosedByInterruptException) {
      return Kind.PASSING;
    }
    return String.valueOf(e.getMessage()).contains("No space left on device")
        ? Kind.FULL
        : Kind.LOCAL_DISK;
  }

  private Failed failed(Kind kind, String why) {
    log.warn("Group {} got no copy from {}: {}", group, nodeId, why);
    return new Failed(kind, why);
  }

  private Fetched fetched() throws IOException, NoCopyException {
    CopyManifest manifest;
    try {
      manifest = CopyManifest.decode(asker.await(asker.open(group)));
    } catch (IllegalArgumentException e) {
      throw new NoCopyException(e.getMessage());
    }
    Pieces pieces = new Pieces(manifest.files());
    for (Map.Entry<String, Long> file : manifest.files().entrySet()) {
      copyFile(pieces, file.getKey(), file.getValue());
    }
    try (FileChannel names = FileChannel.open(folder, StandardOpenOption.READ)) {
      names.force(true);
    }
    asker.refuseWhenCancelled();
    log.info("Group {} copied {} files from {}", group, manifest.files().size(), nodeId);
    return new Fetched(manifest.meta(), folder);
  }

  private void copyFile(Pieces pieces, String name, long length)
      throws IOException, NoCopyException {
    CRC32C crc = new CRC32C();
    try (FileChannel file =
        FileChannel.open(
            folder.resolve(name), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (long offset = 0; offset < length; ) {
        ByteBuffer piece = pieces.next(name, offset);
        offset += piece.remaining();
        crc.update(piece.duplicate());
        while (piece.hasRemaining()) {
          file.write(piece);
        }
      }
      if (pieces.next(name, length).getInt() != (int) crc.getValue()) {
        throw new NoCopyException(name + " has a wrong checksum");
      }
      file.force(true);
    }
  }

  /** The pieces of all files in their order, and behind each file's last one its checksum. */
  private final class Pieces {
    private final Iterator<Map.Entry<String, Long>> files;
    private final Deque<Wanted> underWay = new ArrayDeque<>();
    private String name; // of the file that is asked for; null: of the next one
    private long length;
    private long offset;

    private record Wanted(String name, long offset, int length, Asked asked) {}

    Pieces(Map<String, Long> files) {
      this.files = files.entrySet().iterator();
    }

    /** The next one, as long as it was asked for. */
    ByteBuffer next(String expected, long at) throws NoCopyException {
      while (underWay.size() < UNDER_WAY_MAX && (name != null || files.hasNext())) {
        askOne();
      }
      Wanted wanted = underWay.remove();
      if (!wanted.name().equals(expected) || wanted.offset() != at) {
        throw new IllegalStateException("pieces are out of order");
      }
      ByteBuffer bytes = asker.await(wanted.asked());
      if (bytes.remaining() != wanted.length()) {
        throw new NoCopyException(
            "%s: %d bytes at %d where %d were asked for"
                .formatted(expected, bytes.remaining(), at, wanted.length()));
      }
      return bytes;
    }

    private void askOne() {
      if (name == null) {
        Map.Entry<String, Long> file = files.next();
        name = file.getKey();
        length = file.getValue();
        offset = 0;
      }
      boolean atEnd = offset == length;
      int bytes =
          atEnd ? Integer.BYTES : (int) Math.min(length - offset, CopyMessages.PIECE_BYTES_MAX);
      underWay.add(new Wanted(name, offset, bytes, asker.piece(name, offset, bytes)));
      if (atEnd) {
        name = null;
      } else {
        offset += bytes;
      }
    }
  }
}

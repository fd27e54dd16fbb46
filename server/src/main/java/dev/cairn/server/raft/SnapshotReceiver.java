// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.option.SnapshotCopierOptions;
import com.alipay.sofa.jraft.rpc.RpcRequests.GetFileRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.GetFileResponse;
import com.alipay.sofa.jraft.rpc.RpcResponseClosureAdapter;
import com.alipay.sofa.jraft.storage.SnapshotThrottle;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotCopier;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotReader;
import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fetches one snapshot from another node: the manifest, then file by file, each checked for length
 * and checksum and fsynced. On a witness: the meta, which it saves.
 *
 * <p><b>Threads.</b> A thread of its own does all of it, so that JRaft's pools are not held for the
 * length of a copy. {@link #cancel} may be called by any and does not wait; {@link #join} waits for
 * the thread and never throws because a copy failed: JRaft would never copy again.
 *
 * <p><b>Invariants.</b>
 *
 * <ol>
 *   <li>Its status is set before {@link #join} returns, and not after.
 *   <li>EIO means that the local disk failed: it stops the replica. A full disk, a sender that is
 *       gone and bytes that are wrong do not.
 *   <li>Nothing that the sender claims is allocated; a file grows by what arrives.
 * </ol>
 */
final class SnapshotReceiver extends SnapshotCopier {
  private static final Logger log = LoggerFactory.getLogger(SnapshotReceiver.class);
  private static final int REQUEST_TIMEOUT_MILLIS = 5000;
  private static final long RETRY_MILLIS = 200;
  private static final long SILENCE_MILLIS_MAX = 15_000;
  private static final long PREPARE_MILLIS_MAX = 120_000;

  private final SnapshotHost host;
  private final SnapshotUri source;
  private final SnapshotCopierOptions options;
  private final SnapshotThrottle throttle; // null when there is none
  private final Consumer<Path> onFolder;
  private final Thread thread;
  private final CountDownLatch ended = new CountDownLatch(1);
  private final CompletableFuture<Void> cancelled = new CompletableFuture<>();
  private volatile CheckpointSnapshotReader reader;

  /**
   * @param onFolder told the folder that the files go to, before the first one
   */
  SnapshotReceiver(
      SnapshotHost host,
      SnapshotUri source,
      SnapshotCopierOptions options,
      SnapshotThrottle throttle,
      Consumer<Path> onFolder) {
    this.host = host;
    this.source = source;
    this.options = options;
    this.throttle = throttle;
    this.onFolder = onFolder;
    this.thread = new Thread(this::run, "cairn-snapshot-copy-" + options.getGroupId());
    this.thread.setDaemon(true);
  }

  @Override
  public void start() {
    thread.start();
  }

  @Override
  public void cancel() {
    cancelled.complete(null);
  }

  @Override
  public void join() throws InterruptedException {
    ended.await();
  }

  @Override
  public void close() {
    cancel();
  }

  @Override
  public SnapshotReader getReader() {
    return reader;
  }

  private void run() {
    try {
      fetch();
    } catch (TransferException e) {
      fail(e.error, e.getMessage());
    } catch (IOException e) {
      boolean full = String.valueOf(e.getMessage()).contains("No space left on device");
      fail(full ? RaftError.EINTERNAL : RaftError.EIO, "the local disk failed: " + e);
    } catch (RuntimeException e) {
      log.warn("Copying a snapshot from {} failed", source, e);
      fail(RaftError.EINTERNAL, e.toString());
    } finally {
      ended.countDown();
    }
  }

  private void fail(RaftError error, String message) {
    log.warn("Group {} got no snapshot from {}: {}", options.getGroupId(), source, message);
    setError(error, "%s", message);
  }

  private void fetch() throws IOException, TransferException {
    if (!options.getRaftClientService().connect(Peer.endpoint(source.nodeId()))) {
      throw new TransferException(
          RaftError.EHOSTDOWN, "node " + source.nodeId() + " cannot be reached");
    }
    if (!host.holdsData()) {
      SnapshotMeta meta = manifest(SnapshotSender.META).meta();
      refuseWhenCancelled();
      host.saveMeta(meta.toByteArray());
      reader = received(meta, null);
      return;
    }
    SnapshotManifest manifest = manifest(SnapshotSender.MANIFEST);
    if (!manifest.hasData()) {
      throw new TransferException(RaftError.EINVAL, "the snapshot has no data");
    }
    Path folder = host.newIncoming();
    onFolder.accept(folder);
    for (Map.Entry<String, Long> file : manifest.files().entrySet()) {
      copyFile(folder, file.getKey(), file.getValue());
    }
    try (FileChannel names = FileChannel.open(folder, StandardOpenOption.READ)) {
      names.force(true);
    }
    refuseWhenCancelled();
    reader = received(manifest.meta(), folder);
    log.info(
        "Group {} copied {} files of snapshot {} from {}",
        options.getGroupId(),
        manifest.files().size(),
        manifest.meta().getLastIncludedIndex(),
        source.nodeId());
  }

  private static CheckpointSnapshotReader received(SnapshotMeta meta, Path folder) {
    return new CheckpointSnapshotReader(
        meta,
        folder,
        same -> {
          throw new IllegalStateException("a received snapshot is not sent on");
        });
  }

  private SnapshotManifest manifest(String name) throws TransferException {
    ByteString bytes = ByteString.EMPTY;
    while (true) {
      GetFileResponse piece = get(name, bytes.size(), SnapshotSender.PIECE_BYTES_MAX);
      bytes = bytes.concat(piece.getData());
      if (bytes.size() > SnapshotManifest.BYTES_MAX) {
        throw new TransferException(RaftError.EINVAL, "the manifest is too long");
      }
      if (piece.getEof()) {
        break;
      }
    }
    try {
      return SnapshotManifest.decode(bytes.toByteArray());
    } catch (IllegalArgumentException e) {
      throw new TransferException(RaftError.EINVAL, e.getMessage());
    }
  }

  private void copyFile(Path folder, String name, long length)
      throws IOException, TransferException {
    CRC32C crc = new CRC32C();
    String source = SnapshotSender.FILE_PREFIX + name;
    try (FileChannel file =
        FileChannel.open(
            folder.resolve(name), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (long offset = 0; offset < length; ) {
        long wanted = Math.min(length - offset, SnapshotSender.PIECE_BYTES_MAX);
        ByteString piece = piece(source, offset, wanted);
        for (ByteBuffer part : piece.asReadOnlyByteBufferList()) {
          crc.update(part.duplicate());
          while (part.hasRemaining()) {
            file.write(part);
          }
        }
        offset += piece.size();
      }
      ByteString expected = piece(source, length, Integer.BYTES);
      if (expected.size() != Integer.BYTES
          || expected.asReadOnlyByteBuffer().getInt() != (int) crc.getValue()) {
        throw new TransferException(RaftError.EINVAL, name + " has a wrong checksum");
      }
      file.force(true);
    }
  }

  private ByteString piece(String name, long offset, long wanted) throws TransferException {
    ByteString data = get(name, offset, wanted).getData();
    if (data.isEmpty() || data.size() > wanted) {
      throw new TransferException(
          RaftError.EINVAL,
          "%s: %d bytes at %d where %d were asked for"
              .formatted(name, data.size(), offset, wanted));
    }
    return data;
  }

  /** One request, repeated while there is hope. */
  private GetFileResponse get(String name, long offset, long wanted) throws TransferException {
    long count = throttled(wanted);
    GetFileRequest request =
        GetFileRequest.newBuilder()
            .setReaderId(source.reader())
            .setFilename(name)
            .setOffset(offset)
            .setCount(count)
            .setReadPartly(true)
            .build();
    long beganNanos = System.nanoTime();
    while (true) {
      refuseWhenCancelled();
      Answer answer = ask(request);
      if (answer.status().isOk() && answer.response() != null) {
        return answer.response();
      }
      long sinceMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - beganNanos);
      boolean preparing = answer.status().getRaftError() == RaftError.EAGAIN;
      boolean hopeless =
          answer.status().getRaftError() == RaftError.ENOENT // the reader was closed
              || answer.status().getRaftError() == RaftError.EIO; // the sender cannot read it
      if (hopeless || sinceMillis > (preparing ? PREPARE_MILLIS_MAX : SILENCE_MILLIS_MAX)) {
        throw new TransferException(
            RaftError.EINTERNAL, "asked for %s: %s".formatted(name, answer.status()));
      }
      pause();
    }
  }

  /** What came back; without a response the status says why. */
  private record Answer(Status status, GetFileResponse response) {}

  private Answer ask(GetFileRequest request) throws TransferException {
    CompletableFuture<Answer> answer = new CompletableFuture<>();
    options
        .getRaftClientService()
        .getFile(
            Peer.endpoint(source.nodeId()),
            request,
            REQUEST_TIMEOUT_MILLIS,
            new RpcResponseClosureAdapter<GetFileResponse>() {
              @Override
              public void run(Status status) {
                answer.complete(new Answer(status, getResponse()));
              }
            });
    await(CompletableFuture.anyOf(answer, cancelled), 2L * REQUEST_TIMEOUT_MILLIS);
    refuseWhenCancelled();
    return answer.getNow(new Answer(new Status(RaftError.ETIMEDOUT, "no answer"), null));
  }

  private long throttled(long wanted) throws TransferException {
    if (throttle == null || wanted <= Integer.BYTES) {
      return wanted;
    }
    long allowed = throttle.throttledByThroughput(wanted);
    while (allowed <= 0) {
      pause();
      allowed = throttle.throttledByThroughput(wanted);
    }
    return Math.min(allowed, wanted);
  }

  private void pause() throws TransferException {
    await(cancelled, RETRY_MILLIS);
    refuseWhenCancelled();
  }

  private void refuseWhenCancelled() throws TransferException {
    if (cancelled.isDone()) {
      throw new TransferException(RaftError.ECANCELED, "cancelled");
    }
  }

  private static void await(CompletableFuture<?> event, long millis) throws TransferException {
    try {
      event.get(millis, TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      // The caller looks for itself.
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      throw new TransferException(RaftError.ECANCELED, "interrupted");
    }
  }

  /** The copy failed, and not by the local disk. */
  private static final class TransferException extends Exception {
    private static final long serialVersionUID = 1L;
    private final RaftError error;

    TransferException(RaftError error, String message) {
      super(message);
      this.error = error;
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.alipay.sofa.jraft.option.SnapshotCopierOptions;
import com.alipay.sofa.jraft.storage.SnapshotStorage;
import com.alipay.sofa.jraft.storage.SnapshotThrottle;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotCopier;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotReader;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotWriter;
import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * JRaft's snapshots without copies of the data. The data is durable by itself once flushed, so a
 * local snapshot is a meta and nothing else; files exist only while another node fetches them.
 *
 * <p><b>Saving.</b> The state machine flushes; then JRaft has {@link CheckpointSnapshotWriter} save
 * the meta, durable before JRaft truncates the log.
 *
 * <p><b>Sending.</b> JRaft opens a reader and sends its address ({@link SnapshotUri}) to the
 * follower. The checkpoint is made at the first request for the manifest and deleted when the
 * reader is closed or nobody has asked for a while ({@link SnapshotSender}). A witness gives its
 * meta only, and says so in the address.
 *
 * <p><b>Receiving.</b> {@link SnapshotReceiver} fetches the files into a folder of the host's,
 * fsynced; the state machine takes them over in {@code onSnapshotLoad} ({@link
 * CheckpointSnapshotReader#received}). A witness asks for the meta only.
 *
 * <p><b>Invariants</b>, each of which JRaft would answer with a stopped replica or worse:
 *
 * <ol>
 *   <li>{@link #open} returns the last durable meta at once, and never null once there is one: null
 *       stops the <em>leader</em>.
 *   <li>A replica with data refuses a snapshot without data in {@link #startToCopyFrom}, before
 *       anything is touched.
 *   <li>{@link #startToCopyFrom} neither throws nor waits: JRaft holds a lock, and would count the
 *       copy as running for ever.
 *   <li>A copy that fails reports EIO only when the local disk failed; all else is tried again by
 *       the leader.
 * </ol>
 *
 * <p>Methods are called on JRaft's threads; none waits for another node.
 */
public final class CheckpointSnapshotStorage implements SnapshotStorage {
  /** How long a checkpoint is kept for a receiver that does not ask. */
  public static final long IDLE_MILLIS = 60_000;

  private static final Logger log = LoggerFactory.getLogger(CheckpointSnapshotStorage.class);

  private final SnapshotHost host;
  private final String nodeId;
  private final long idleMillis;
  private volatile SnapshotThrottle throttle;
  private volatile Path received; // of the last copy; gone once the state machine took it over

  /**
   * @param nodeId this node's id
   */
  public CheckpointSnapshotStorage(SnapshotHost host, String nodeId) {
    this(host, nodeId, IDLE_MILLIS);
  }

  CheckpointSnapshotStorage(SnapshotHost host, String nodeId, long idleMillis) {
    this.host = host;
    this.nodeId = nodeId;
    this.idleMillis = idleMillis;
  }

  @Override
  public boolean init(Void nothing) {
    return true;
  }

  @Override
  public void shutdown() {
    discardReceived();
  }

  @Override
  public SnapshotWriter create() {
    return new CheckpointSnapshotWriter(host);
  }

  @Override
  public SnapshotReader open() {
    Optional<byte[]> meta = host.durableMeta();
    if (meta.isEmpty()) {
      return null;
    }
    try {
      return new CheckpointSnapshotReader(SnapshotMeta.parseFrom(meta.get()), null, this::sender);
    } catch (InvalidProtocolBufferException e) {
      log.error(
          "The snapshot's meta cannot be read: remove this replica's data and let it be rebuilt",
          e);
      return null;
    }
  }

  private SnapshotSender sender(SnapshotMeta meta) {
    return new SnapshotSender(host, meta, nodeId, idleMillis);
  }

  @Override
  public SnapshotCopier startToCopyFrom(String uri, SnapshotCopierOptions options) {
    try {
      SnapshotUri source = SnapshotUri.parse(uri);
      if (host.holdsData() && !source.hasData()) {
        log.warn(
            "Refused a snapshot without data from witness {}: this replica needs one from a full replica",
            source.nodeId());
        return null;
      }
      discardReceived();
      SnapshotReceiver receiver =
          new SnapshotReceiver(host, source, options, throttle, folder -> received = folder);
      receiver.start();
      return receiver;
    } catch (RuntimeException | OutOfMemoryError e) { // no thread to be had is the latter
      log.warn("Refused a snapshot from {}", uri, e);
      return null;
    }
  }

  /** Deletes what the last copy fetched and the state machine did not take over. */
  private void discardReceived() {
    Path folder = received;
    received = null;
    if (folder != null) {
      try {
        host.deleteIncoming(folder);
      } catch (IOException | RuntimeException e) {
        log.warn("Cannot delete {}; it is tried again at the next start", folder, e);
      }
    }
  }

  @Override
  public SnapshotReader copyFrom(String uri, SnapshotCopierOptions options) {
    SnapshotCopier copier = startToCopyFrom(uri, options);
    if (copier == null) {
      return null;
    }
    try {
      copier.join();
      return copier.getReader();
    } catch (InterruptedException e) {
      copier.cancel();
      Thread.currentThread().interrupt();
      return null;
    }
  }

  /** There are no older files to compare with. */
  @Override
  public boolean setFilterBeforeCopyRemote() {
    return false;
  }

  @Override
  public void setSnapshotThrottle(SnapshotThrottle throttle) {
    this.throttle = throttle;
  }
}

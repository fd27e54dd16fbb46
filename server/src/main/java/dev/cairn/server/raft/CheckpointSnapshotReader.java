// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotReader;
import com.google.protobuf.Message;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * A snapshot, as JRaft hands it to {@code onSnapshotLoad} and sends it to followers.
 *
 * <p>What {@code onSnapshotLoad} owes, when it returns true:
 *
 * <ul>
 *   <li>{@link #received} is there: install that folder and {@link #metaBytes} as one durable step;
 *       or, when the own data is at or past the meta already, flush it and save the meta. JRaft
 *       truncates the log next. The folder is deleted at the next copy if it is still there.
 *   <li>it is empty, on a full replica: this is the own snapshot at start; the data must be at or
 *       past it.
 *   <li>on a witness: nothing; a received meta was saved already.
 * </ul>
 *
 * <p>Used by one thread at a time.
 */
public final class CheckpointSnapshotReader extends SnapshotReader {
  private final SnapshotMeta meta;
  private final Path received; // null for the local one
  private final Function<SnapshotMeta, SnapshotSender> senders;
  private SnapshotSender sender; // null until an address is asked for

  CheckpointSnapshotReader(
      SnapshotMeta meta, Path received, Function<SnapshotMeta, SnapshotSender> senders) {
    this.meta = meta;
    this.received = received;
    this.senders = senders;
  }

  /** The folder with another replica's files, complete and fsynced; empty for the own snapshot. */
  public Optional<Path> received() {
    return Optional.ofNullable(received);
  }

  /** What {@link SnapshotHost#saveMeta} is to be given. */
  public byte[] metaBytes() {
    return meta.toByteArray();
  }

  @Override
  public SnapshotMeta load() {
    return meta;
  }

  @Override
  public String generateURIForCopy() {
    if (sender == null) {
      sender = senders.apply(meta);
    }
    return sender.uri().toString();
  }

  @Override
  public void close() {
    if (sender != null) {
      sender.close();
    }
  }

  @Override
  public boolean init(Void nothing) {
    return true;
  }

  @Override
  public void shutdown() {
    close();
  }

  @Override
  public String getPath() {
    return received == null ? "" : received.toString();
  }

  @Override
  public Set<String> listFiles() {
    return Set.of();
  }

  @Override
  public Message getFileMeta(String fileName) {
    return null;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotWriter;
import com.google.protobuf.Message;
import java.io.IOException;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Saves a snapshot's meta; the data was flushed before. Written to by one thread at a time. */
final class CheckpointSnapshotWriter extends SnapshotWriter {
  private static final Logger log = LoggerFactory.getLogger(CheckpointSnapshotWriter.class);

  private final SnapshotHost host;

  CheckpointSnapshotWriter(SnapshotHost host) {
    this.host = host;
  }

  /** Up to where the snapshot that is being saved goes. */
  SnapshotMeta currentMeta() {
    return getCurrentMeta();
  }

  /** False stops the replica: the disk failed. */
  @Override
  public boolean saveMeta(SnapshotMeta meta) {
    try {
      host.saveMeta(meta.toByteArray());
      return true;
    } catch (IOException | RuntimeException e) {
      log.error("Cannot save the snapshot's meta", e);
      setError(RaftError.EIO, "cannot save the snapshot's meta: %s", e.getMessage());
      return false;
    }
  }

  @Override
  public boolean init(Void nothing) {
    return true;
  }

  @Override
  public void shutdown() {}

  @Override
  public void close() {}

  @Override
  public void close(boolean keepDataOnError) {}

  @Override
  public boolean addFile(String fileName, Message fileMeta) {
    return false;
  }

  @Override
  public boolean removeFile(String fileName) {
    return false;
  }

  @Override
  public String getPath() {
    return "";
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

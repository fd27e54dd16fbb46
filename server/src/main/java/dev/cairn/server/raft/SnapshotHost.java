// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Whoever holds the data of a group, which can stand for its log and be copied between nodes.
 * Called on the node's workers and on a copy's own thread; methods that name a file may wait for
 * the disk.
 *
 * <p>An {@link IOException} says that the local disk failed and stops the replica, unless it was
 * full. Any unchecked exception fails the step only.
 */
public interface SnapshotHost {
  /** The last snapshot's meta that is on disk, as given to {@link #saveMeta}. Does not wait. */
  Optional<byte[]> durableMeta();

  /** Keeps a snapshot's meta; it is on disk, as is all data that it covers, when this returns. */
  void saveMeta(byte[] meta) throws IOException;

  /** Makes a folder of plain files with all data, at or past {@link #durableMeta}. */
  Path checkpoint() throws IOException;

  /** Deletes a folder of {@link #checkpoint}. */
  void deleteCheckpoint(Path checkpoint) throws IOException;

  /** Makes an empty folder for files that are being received. */
  Path newIncoming() throws IOException;

  /**
   * Deletes a folder of {@link #newIncoming}; one that was moved away is no error. A host that
   * deletes what is left over at its next start may do nothing here.
   */
  default void deleteIncoming(Path incoming) throws IOException {}

  /** How far the data has come. Does not wait. */
  Row row();

  /**
   * Where data stands in the log.
   *
   * @param index of the last entry that changed it
   * @param term of that entry
   * @param durableIndex how much of it is on disk without the log
   */
  record Row(long index, long term, long durableIndex) {}
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import java.io.IOException;
import java.nio.file.Path;

/**
 * Whoever holds the data of which {@link CopySender} gives copies.
 *
 * <p>Threads: each copy has one of its own, which calls {@link #open} and then {@link #close}; of
 * several copies, also of one group, at the same time. Both may wait for the disk.
 */
interface CopySource {
  /**
   * What a copy consists of.
   *
   * @param meta to 1 MiB, which says what state the files are; nobody reads it on its way
   * @param checkpoint a folder of plain files, one at least, which never change
   */
  record Offered(byte[] meta, Path checkpoint) {}

  /**
   * Makes a checkpoint of a group's data.
   *
   * @throws IOException when there is none to be had: the disk failed, or this node has no data of
   *     that group. The asker is told the message
   */
  Offered open(long group) throws IOException;

  /** Deletes a checkpoint of {@link #open}, which may be gone already. Called once. */
  void close(Path checkpoint);
}

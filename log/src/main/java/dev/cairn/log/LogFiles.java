// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * The folder of a log: the real one ({@link FolderFiles}), or a simulated one. What creates,
 * replaces or deletes a file is on disk when it returns; a crash before that leaves either what was
 * or what shall be.
 *
 * <p>A disk without room is told by {@link LogException} of kind {@link LogException.Kind#NO_ROOM};
 * then nothing has changed.
 */
public interface LogFiles extends AutoCloseable {
  /** The names of all files, in any order. */
  List<String> list() throws IOException;

  /**
   * Makes a file of zeros.
   *
   * @param name must not exist
   * @param bytes its length, a multiple of {@link Batch#BLOCK_BYTES}; 0 for one that grows
   */
  LogFile create(String name, long bytes) throws IOException;

  /** Opens a file that exists, to read and to write. */
  LogFile open(String name) throws IOException;

  /** Deletes a file; one that is not there is no error. */
  void delete(String name) throws IOException;

  /** Puts a small file in place of another, or makes it. */
  void replace(String name, byte[] bytes) throws IOException;

  /** Reads a small file whole; empty when there is none. */
  Optional<byte[]> read(String name) throws IOException;

  @Override
  void close() throws IOException;
}

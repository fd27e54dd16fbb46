// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A file of the log. Positions and lengths are multiples of {@link Batch#BLOCK_BYTES}, and buffers
 * are direct and begin at such a multiple in memory, so that the page cache can be passed by.
 */
public interface LogFile extends AutoCloseable {
  /** Its length in bytes; it need not be a multiple of a block. */
  long size() throws IOException;

  /**
   * Reads into a buffer until it is full or the file ends.
   *
   * @return how many bytes were read; 0 at the end or behind it
   */
  int read(long position, ByteBuffer into) throws IOException;

  /** Writes all that is left of a buffer. It is on disk only after {@link #sync}. */
  void write(long position, ByteBuffer from) throws IOException;

  /** Returns when all that was written is on disk. After a failure nobody can tell what is. */
  void sync() throws IOException;

  @Override
  void close() throws IOException;
}

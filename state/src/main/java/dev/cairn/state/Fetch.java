// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads rows ahead that memory does not know, so that the entries that ask for them are applied
 * without waiting for the disk.
 *
 * <p>What is read is what stands in the base at one moment. It counts only while that base does:
 * once a flush or an install has ended, the rows are not known any more, and have to be fetched
 * again. So a fetch may begin long before its entries are applied, while others are.
 *
 * <p>Threads: {@link #run} by one thread, any, once; {@link #end} and {@link #close} by the state's
 * owner, after it.
 */
public final class Fetch implements AutoCloseable {
  private final Layers layers;
  private final SharedView base;
  private final List<byte[]> rows;
  private final RequestIds.Going going;
  private final Map<ByteBuffer, byte[]> found = new HashMap<>(); // REMOVED where nothing stands
  private boolean closed;

  /**
   * A fetch that has read nothing.
   *
   * @param base a use of it is this fetch's
   */
  Fetch(Layers layers, SharedView base, List<byte[]> rows, RequestIds.Going going) {
    this.layers = layers;
    this.base = base;
    this.rows = rows;
    this.going = going;
  }

  /** Reads the rows; waits for the disk. */
  public void run() {
    rows.forEach(this::read);
    going.walk(key -> read(Spaces.own(key)));
  }

  private byte[] read(byte[] row) {
    byte[] value = base.view().get(row);
    found.put(ByteBuffer.wrap(row), value == null ? Table.REMOVED : value);
    return value;
  }

  /** The rows are known from now on, unless the base has changed; whether they are. */
  public boolean end() {
    return layers.take(this, base);
  }

  /** What stands in a row of the base: null if it was not read, or {@link Table#REMOVED}. */
  byte[] find(ByteBuffer row) {
    return found.get(row);
  }

  /** The rows are not needed any more; also for a fetch that was never run. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      layers.forget(this);
      base.release();
    }
  }
}

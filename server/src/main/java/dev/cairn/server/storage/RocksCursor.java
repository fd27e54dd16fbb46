// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import dev.cairn.state.Cursor;
import java.util.Arrays;
import java.util.function.Function;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/** Rows of a RocksDB; stands on the row that comes next until that is asked for. */
final class RocksCursor implements Cursor {
  private final Function<RocksDBException, StorageException> broken;
  private final RocksIterator iterator;
  private final byte[] to;
  private boolean begun;

  /**
   * Begins before the first row.
   *
   * @param broken what to throw when RocksDB cannot read
   * @param iterator closed with this
   * @param from the first row, inclusive
   * @param to the end, exclusive
   */
  RocksCursor(
      Function<RocksDBException, StorageException> broken,
      RocksIterator iterator,
      byte[] from,
      byte[] to) {
    this.broken = broken;
    this.iterator = iterator;
    this.to = to;
    iterator.seek(from);
  }

  @Override
  public boolean next() {
    if (begun && iterator.isValid()) {
      iterator.next();
    }
    begun = true;
    if (iterator.isValid()) {
      return Arrays.compareUnsigned(iterator.key(), to) < 0;
    }
    try {
      iterator.status();
    } catch (RocksDBException e) {
      throw broken.apply(e);
    }
    return false;
  }

  @Override
  public byte[] key() {
    return iterator.key();
  }

  @Override
  public byte[] value() {
    return iterator.value();
  }

  @Override
  public void close() {
    iterator.close();
  }
}

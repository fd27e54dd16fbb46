// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.util.Iterator;
import java.util.Map;
import java.util.NavigableMap;

/** Rows of a sorted map, for tests; null values are rows that go. */
public final class MapCursor implements Cursor {
  private final Iterator<Map.Entry<byte[], byte[]>> rows;
  private Map.Entry<byte[], byte[]> row;

  /** Begins before the first row. */
  public MapCursor(NavigableMap<byte[], byte[]> rows) {
    this.rows = rows.entrySet().iterator();
  }

  @Override
  public boolean next() {
    row = rows.hasNext() ? rows.next() : null;
    return row != null;
  }

  @Override
  public byte[] key() {
    return row.getKey();
  }

  @Override
  public byte[] value() {
    return row.getValue();
  }
}

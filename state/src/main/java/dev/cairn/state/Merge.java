// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.util.Arrays;
import java.util.List;

/**
 * Rows of several layers in one order. Where several have a row the newest counts; a row that goes
 * is not given.
 */
final class Merge implements Cursor {
  private final List<Cursor> layers; // newest first
  private final byte[][] keys; // where each layer is; null at its end
  private byte[] key;
  private byte[] value;

  /** Takes the layers, and closes them. */
  Merge(List<Cursor> newestFirst) {
    layers = newestFirst;
    keys = new byte[layers.size()][];
    for (int i = 0; i < keys.length; i++) {
      step(i);
    }
  }

  private void step(int layer) {
    Cursor cursor = layers.get(layer);
    keys[layer] = cursor.next() ? cursor.key() : null;
  }

  @Override
  public boolean next() {
    int newest = newestOfLowest();
    while (newest >= 0) {
      key = keys[newest];
      value = layers.get(newest).value();
      for (int i = newest; i < keys.length; i++) {
        if (keys[i] != null && Arrays.equals(keys[i], key)) {
          step(i);
        }
      }
      if (value != null) {
        return true;
      }
      newest = newestOfLowest();
    }
    return false;
  }

  /** The newest layer that is at the lowest of all keys; -1 at the end of all. */
  private int newestOfLowest() {
    int lowest = -1;
    for (int i = 0; i < keys.length; i++) {
      if (keys[i] != null && (lowest < 0 || Arrays.compareUnsigned(keys[i], keys[lowest]) < 0)) {
        lowest = i;
      }
    }
    return lowest;
  }

  @Override
  public byte[] key() {
    return key;
  }

  @Override
  public byte[] value() {
    return value;
  }

  @Override
  public void close() {
    layers.forEach(Cursor::close);
  }
}

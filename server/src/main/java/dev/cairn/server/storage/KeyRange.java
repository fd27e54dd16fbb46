// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import java.util.Arrays;

/**
 * Keys that lie side by side in their unsigned byte order.
 *
 * @param from the first, inclusive; empty: from the very first on
 * @param to the end, exclusive; empty: to the very last
 */
public record KeyRange(byte[] from, byte[] to) {
  private static final byte[] NONE = {};

  /** All keys. */
  public static final KeyRange ALL = new KeyRange(NONE, NONE);

  /** The keys that begin with these bytes. */
  public static KeyRange prefix(byte[] prefix) {
    int length = prefix.length;
    while (length > 0 && prefix[length - 1] == (byte) 0xff) {
      length--;
    }
    byte[] to = Arrays.copyOf(prefix, length);
    if (length > 0) {
      to[length - 1]++;
    }
    return new KeyRange(prefix, to);
  }

  /** What of this range begins with a key, itself included. */
  public KeyRange startingAt(byte[] key) {
    return Arrays.compareUnsigned(key, from) > 0 ? new KeyRange(key, to) : this;
  }

  /** What of this range comes after a key. */
  public KeyRange after(byte[] key) {
    return startingAt(Arrays.copyOf(key, key.length + 1));
  }

  /** Whether the range ends at or before a key. */
  public boolean endsBefore(byte[] key) {
    return to.length > 0 && Arrays.compareUnsigned(key, to) >= 0;
  }

  /** Whether a key lies in it. */
  public boolean contains(byte[] key) {
    return Arrays.compareUnsigned(key, from) >= 0 && !endsBefore(key);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof KeyRange that
        && Arrays.equals(from, that.from)
        && Arrays.equals(to, that.to);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(from) + Arrays.hashCode(to);
  }

  /** Lengths only: keys are user data. */
  @Override
  public String toString() {
    return "KeyRange[from %d bytes, to %d bytes]".formatted(from.length, to.length);
  }
}

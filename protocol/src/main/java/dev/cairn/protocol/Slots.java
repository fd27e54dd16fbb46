// SPDX-License-Identifier: Apache-2.0
package dev.cairn.protocol;

/**
 * From key to slot, by exactly Redis Cluster's rule, so that cluster-aware clients find a key by
 * themselves.
 *
 * <p>The slot is the CRC16 of the key modulo 16384. If the key has a hash tag, only the tag counts:
 * the bytes between the first <code>{</code> and the first <code>}</code> after it, when there is
 * at least one. Keys with the same tag share a slot. Source: Redis Cluster specification, "Hash
 * tags"; CRC-16/XMODEM (polynomial 0x1021, start 0, not reflected).
 */
public final class Slots {
  /** How many slots there are: 0 to 16383. */
  public static final int COUNT = 16_384;

  private static final char[] TABLE = table();

  private Slots() {}

  /** The slot of a key, 0 to 16383. */
  public static int of(byte[] key) {
    int open = indexOf(key, '{', 0);
    if (open >= 0) {
      int close = indexOf(key, '}', open + 1);
      if (close > open + 1) {
        return crc16(key, open + 1, close) & (COUNT - 1);
      }
    }
    return crc16(key, 0, key.length) & (COUNT - 1);
  }

  /** CRC-16/XMODEM of {@code bytes[from, to)}, 0 to 65535. */
  static int crc16(byte[] bytes, int from, int to) {
    int crc = 0;
    for (int i = from; i < to; i++) {
      crc = ((crc << 8) ^ TABLE[((crc >>> 8) ^ bytes[i]) & 0xff]) & 0xffff;
    }
    return crc;
  }

  private static int indexOf(byte[] bytes, char wanted, int from) {
    for (int i = from; i < bytes.length; i++) {
      if (bytes[i] == wanted) {
        return i;
      }
    }
    return -1;
  }

  private static char[] table() {
    char[] table = new char[256];
    for (int i = 0; i < 256; i++) {
      int crc = i << 8;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
      }
      table[i] = (char) (crc & 0xffff);
    }
    return table;
  }
}

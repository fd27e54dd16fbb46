// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The keys of rows.
 *
 * <pre>
 *   key      := space:1 rest
 *   space 0  := "applied" -&gt; Applied
 *   space 1  := the user's key -&gt; ValueRecord
 *   space 2  := expiresAtMillis:8 the user's key -&gt; nothing
 *   space 3  := rows of the partition's own, which a clear leaves: RequestIds
 * </pre>
 */
public final class Spaces {
  private static final byte USER = 1;
  private static final byte EXPIRY = 2;
  private static final byte OWN = 3;

  private Spaces() {}

  /** Where {@link Applied} stands. */
  public static byte[] applied() {
    return new byte[] {0, 'a', 'p', 'p', 'l', 'i', 'e', 'd'};
  }

  /** Where what a clear takes begins; behind the applied row. */
  public static byte[] clearedFrom() {
    return new byte[] {USER};
  }

  /** Where what a clear takes ends. */
  public static byte[] clearedTo() {
    return new byte[] {OWN};
  }

  /** Where all rows end. */
  static byte[] end() {
    return new byte[] {OWN + 1};
  }

  /** Whether a row holds what stands under a user's key. */
  public static boolean isUser(byte[] row) {
    return row[0] == USER;
  }

  static byte[] user(byte[] key) {
    return prefixed(USER, key);
  }

  /** Where a range of user keys ends; no bytes are the end of all. */
  static byte[] userEnd(byte[] to) {
    return to.length == 0 ? new byte[] {USER + 1} : prefixed(USER, to);
  }

  static byte[] own(byte[] key) {
    return prefixed(OWN, key);
  }

  static byte[] expiry(long expiresAtMillis, byte[] key) {
    ByteBuffer bytes = ByteBuffer.allocate(1 + Long.BYTES + key.length);
    return bytes.put(EXPIRY).putLong(expiresAtMillis).put(key).array();
  }

  /** The user's key in a row of space 1. */
  static byte[] userKey(byte[] row) {
    return Arrays.copyOfRange(row, 1, row.length);
  }

  static long expiresAtMillis(byte[] expiryRow) {
    return ByteBuffer.wrap(expiryRow).getLong(1);
  }

  /** The user's key in a row of space 2. */
  static byte[] expiringKey(byte[] expiryRow) {
    return Arrays.copyOfRange(expiryRow, 1 + Long.BYTES, expiryRow.length);
  }

  /** Whether a clear takes the row. */
  public static boolean isCleared(byte[] row) {
    return row[0] == USER || row[0] == EXPIRY;
  }

  private static byte[] prefixed(byte space, byte[] rest) {
    byte[] bytes = new byte[1 + rest.length];
    bytes[0] = space;
    System.arraycopy(rest, 0, bytes, 1, rest.length);
    return bytes;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * What stands under a key.
 *
 * <pre>
 *   record := flags:1 version:8 expiresAtMillis:8? value
 *   flags  := bit 0: expiresAtMillis is there; every other bit must be 0
 * </pre>
 *
 * Numbers are big-endian. The flags are the format version: a reader refuses a bit that it does not
 * know.
 *
 * @param version the partition's counter when the key was last written
 * @param expiresAtMillis partition time at which the key is gone, or {@link #NEVER}
 * @param value user data; never modified, never logged
 */
public record ValueRecord(long version, long expiresAtMillis, byte[] value) {
  /** The {@link #expiresAtMillis} of a key that stays. */
  public static final long NEVER = -1;

  private static final byte EXPIRES = 1;

  public ValueRecord {
    if (expiresAtMillis < NEVER) {
      throw new IllegalArgumentException("expiresAtMillis must be -1 or more: " + expiresAtMillis);
    }
  }

  /** Whether the key is gone at a time. */
  public boolean isOver(long timeMillis) {
    return expiresAtMillis != NEVER && expiresAtMillis <= timeMillis;
  }

  byte[] encode() {
    boolean expires = expiresAtMillis != NEVER;
    ByteBuffer out = ByteBuffer.allocate((expires ? 17 : 9) + value.length);
    out.put(expires ? EXPIRES : 0).putLong(version);
    if (expires) {
      out.putLong(expiresAtMillis);
    }
    return out.put(value).array();
  }

  static ValueRecord decode(byte[] bytes) {
    if (bytes.length < 9 || (bytes[0] == EXPIRES && bytes.length < 17)) {
      throw new StateException("a value record of " + bytes.length + " bytes is cut short");
    }
    if ((bytes[0] & ~EXPIRES) != 0) {
      throw new StateException(
          "a value record has flags 0x%02x; this version of Cairn knows 0x%02x: start the version that wrote it"
              .formatted(bytes[0] & 0xff, EXPIRES));
    }
    ByteBuffer in = ByteBuffer.wrap(bytes, 1, bytes.length - 1);
    long version = in.getLong();
    long expiresAtMillis = bytes[0] == EXPIRES ? in.getLong() : NEVER;
    return new ValueRecord(
        version, expiresAtMillis, Arrays.copyOfRange(bytes, in.position(), bytes.length));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ValueRecord that
        && version == that.version
        && expiresAtMillis == that.expiresAtMillis
        && Arrays.equals(value, that.value);
  }

  @Override
  public int hashCode() {
    return Long.hashCode(version);
  }

  /** Without the value: that is user data. */
  @Override
  public String toString() {
    return "ValueRecord[version=%d, expiresAtMillis=%d, value of %d bytes]"
        .formatted(version, expiresAtMillis, value.length);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * What stands under a key.
 *
 * <pre>
 *   record := flags:1 version:8 expiresAtMillis:8? value
 *   flags  := bit 0: expiresAtMillis is there; every other bit must be 0
 * </pre>
 *
 * Numbers are big-endian. The value is what remains, so its length stands nowhere. The flags are
 * the format version: a reader refuses a bit that it does not know.
 *
 * @param version the partition's operation counter when the key was last written
 * @param expiresAtMillis partition time at which the key is gone, or {@link #NEVER}
 * @param value user data, 0 to {@link #VALUE_BYTES_MAX} bytes; never modified, never logged
 */
public record ValueRecord(long version, long expiresAtMillis, byte[] value) {
  /** The {@link #expiresAtMillis} of a key that stays. */
  public static final long NEVER = -1;

  /** What the codec can carry; the limit that clients see is lower and configured elsewhere. */
  public static final int VALUE_BYTES_MAX = 512 << 20;

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
  private static final int EXPIRES = 1;

  public ValueRecord {
    if (expiresAtMillis < NEVER) {
      throw new IllegalArgumentException("expiresAtMillis must be -1 or more: " + expiresAtMillis);
    }
    if (value.length > VALUE_BYTES_MAX) {
      throw new IllegalArgumentException(
          "a value has at most %d bytes: %d".formatted(VALUE_BYTES_MAX, value.length));
    }
  }

  /** Whether the key is gone at a time. */
  public boolean isOver(long timeMillis) {
    return isOver(expiresAtMillis, timeMillis);
  }

  /** Whether a key that expires then, or {@link #NEVER}, is gone at a time. */
  public static boolean isOver(long expiresAtMillis, long timeMillis) {
    return expiresAtMillis != NEVER && expiresAtMillis <= timeMillis;
  }

  /** Whether the key has a time at which it is gone. */
  public boolean expires() {
    return expiresAtMillis != NEVER;
  }

  /** The record's bytes. */
  public byte[] encode() {
    byte[] bytes = new byte[encodedBytes()];
    encodeInto(bytes, 0);
    return bytes;
  }

  /** How many bytes the record has. */
  public int encodedBytes() {
    return headBytes() + value.length;
  }

  private int headBytes() {
    return expires() ? 17 : 9;
  }

  /** As {@link #encode}, {@link #encodedBytes} from a place in an array on. */
  public void encodeInto(byte[] bytes, int at) {
    bytes[at] = (byte) (expires() ? EXPIRES : 0);
    LONG.set(bytes, at + 1, version);
    if (expires()) {
      LONG.set(bytes, at + 9, expiresAtMillis);
    }
    System.arraycopy(value, 0, bytes, at + headBytes(), value.length);
  }

  /** Reads a record; throws {@link StateException} for bytes that are none. */
  public static ValueRecord decode(byte[] bytes) {
    return decode(bytes, 0, bytes.length);
  }

  /** As the other, of what stands in a part of an array. */
  public static ValueRecord decode(byte[] bytes, int from, int to) {
    int length = to - from;
    if (length < 9) {
      throw new StateException("a value record of " + length + " bytes is cut short");
    }
    byte flags = bytes[from];
    if ((flags & ~EXPIRES) != 0) {
      throw new StateException(
          "a value record has flags 0x%02x; this version of Cairn knows 0x%02x: start the version that wrote it"
              .formatted(flags & 0xff, EXPIRES));
    }
    long version = (long) LONG.get(bytes, from + 1);
    if (flags == 0) {
      return new ValueRecord(version, NEVER, Arrays.copyOfRange(bytes, from + 9, to));
    }
    if (length < 17 || (long) LONG.get(bytes, from + 9) < 0) {
      throw new StateException("a value record with an expiry is cut short or damaged");
    }
    return new ValueRecord(
        version, (long) LONG.get(bytes, from + 9), Arrays.copyOfRange(bytes, from + 17, to));
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

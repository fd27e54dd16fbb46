// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * How far a state is: the row that stands in the database beside the data it speaks of.
 *
 * <pre>
 *   row := format:1 index:8 term:8 counter:8 keys:8 timeMillis:8 configurationIndex:8 length:4 configuration
 *   format := 1
 * </pre>
 *
 * Numbers are big-endian.
 *
 * @param index of the last entry that was applied
 * @param term of that entry
 * @param counter of changes: the version of what was written last
 * @param keys that stand in the data
 * @param timeMillis partition time, which comes from entries and never goes back
 * @param configurationIndex where the configuration's own entry stood
 * @param configuration who belongs to the group, opaque here; never modified
 */
public record Applied(
    long index,
    long term,
    long counter,
    long keys,
    long timeMillis,
    long configurationIndex,
    byte[] configuration) {
  /** Of a state to which nothing was applied. */
  public static final Applied NONE = new Applied(0, 0, 0, 0, 0, 0, new byte[0]);

  private static final byte FORMAT = 1;
  private static final int HEAD_BYTES = 1 + 6 * Long.BYTES + Integer.BYTES;

  /** The row's bytes. */
  public byte[] encode() {
    ByteBuffer out = ByteBuffer.allocate(HEAD_BYTES + configuration.length);
    out.put(FORMAT).putLong(index).putLong(term).putLong(counter).putLong(keys);
    out.putLong(timeMillis).putLong(configurationIndex);
    return out.putInt(configuration.length).put(configuration).array();
  }

  /** Reads a row; null is one that is not there. */
  public static Applied decode(byte[] bytes) {
    if (bytes == null) {
      return NONE;
    }
    ByteBuffer in = ByteBuffer.wrap(bytes);
    try {
      byte format = in.get();
      if (format != FORMAT) {
        throw new StateException(
            "the applied row has format %d; this version of Cairn knows %d: start the version that wrote it"
                .formatted(format, FORMAT));
      }
      long[] numbers = new long[6];
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = in.getLong();
      }
      if (in.getInt() != in.remaining()) {
        throw new StateException("the applied row of " + bytes.length + " bytes is damaged");
      }
      byte[] configuration = Arrays.copyOfRange(bytes, HEAD_BYTES, bytes.length);
      return new Applied(
          numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], configuration);
    } catch (BufferUnderflowException e) {
      throw new StateException("the applied row of " + bytes.length + " bytes is cut short", e);
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Applied that && Arrays.equals(encode(), that.encode());
  }

  @Override
  public int hashCode() {
    return Long.hashCode(index);
  }

  @Override
  public String toString() {
    return "Applied[%d@%d, counter %d, keys %d, time %d, configuration of %d]"
        .formatted(index, term, counter, keys, timeMillis, configurationIndex);
  }
}

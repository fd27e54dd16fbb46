// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.value;

import java.util.OptionalLong;

/**
 * One step of BITFIELD: an integer of some width at some bit of a value.
 *
 * @param action what to do
 * @param signed whether the integer is in two's complement
 * @param width 1 to 64 bits, unsigned to 63
 * @param offset of its first bit, 0 or more
 * @param argument what to set it to, or to add to it
 * @param overflow what to do when that does not fit
 */
public record BitField(
    Action action, boolean signed, int width, long offset, long argument, Overflow overflow) {

  /** What a step does. */
  public enum Action {
    GET,
    SET,
    INCREMENT
  }

  /** What happens when a number does not fit. */
  public enum Overflow {
    /** The bits that do not fit are cut off. */
    WRAP,
    /** The nearest number that fits is taken. */
    SATURATE,
    /** Nothing is changed, and the answer is nothing. */
    FAIL
  }

  public BitField {
    if (width < 1 || width > (signed ? 64 : 63) || offset < 0) {
      throw new IllegalArgumentException("a bit field of " + width + " bits at " + offset);
    }
  }

  /** Reads one bit: what GETBIT does. */
  public static BitField bit(long offset) {
    return new BitField(Action.GET, false, 1, offset, 0, Overflow.WRAP);
  }

  /** Sets one bit: what SETBIT does. */
  public static BitField bit(long offset, long bit) {
    return new BitField(Action.SET, false, 1, offset, bit, Overflow.WRAP);
  }

  /** Whether it changes the value. */
  public boolean writes() {
    return action != Action.GET;
  }

  /** How many bytes a value needs for it. */
  public long bytesNeeded() {
    return ((offset + width - 1) >>> 3) + 1;
  }

  /** The number that stands there. */
  public long read(byte[] value) {
    long number = 0;
    for (int i = 0; i < width; i++) {
      number = (number << 1) | Bits.get(value, offset + i);
    }
    return signed ? extended(number) : number;
  }

  /**
   * Carries the step out.
   *
   * @param value changed in place; long enough where this writes
   * @return Redis' answer; empty where it did not fit and the step fails
   */
  public OptionalLong run(byte[] value) {
    long before = read(value);
    if (action == Action.GET) {
      return OptionalLong.of(before);
    }
    boolean increments = action == Action.INCREMENT;
    long base = increments ? before : argument;
    long increment = increments ? argument : 0;
    int overflowed = signed ? signedOverflow(base, increment) : unsignedOverflow(base, increment);
    if (overflowed != 0 && overflow == Overflow.FAIL) {
      return OptionalLong.empty();
    }
    long after = overflowed == 0 ? base + increment : limited(base + increment, overflowed);
    for (int i = 0; i < width; i++) {
      Bits.set(value, offset + i, (int) ((after >>> (width - 1 - i)) & 1));
    }
    return OptionalLong.of(increments ? after : before);
  }

  private long limited(long sum, int overflowed) {
    if (overflow == Overflow.SATURATE) {
      return overflowed > 0 ? max() : signed ? -max() - 1 : 0;
    }
    return signed ? extended(sum) : sum & max();
  }

  private long max() {
    return (1L << (signed ? width - 1 : width)) - 1;
  }

  private long extended(long number) {
    return (number << (64 - width)) >> (64 - width);
  }

  /**
   * 1 above, -1 below, 0 inside. The comparisons, with their own overflow, are those of Redis,
   * which saturate the SET of a far too small number at the top.
   */
  private int signedOverflow(long base, long increment) {
    long min = -max() - 1;
    long room = max() - base;
    long roomBelow = min - base;
    if (base > max()
        || (width != 64 && increment > room)
        || (base >= 0 && increment > 0 && increment > room)) {
      return 1;
    }
    boolean below =
        base < min
            || (width != 64 && increment < roomBelow)
            || (base < 0 && increment < 0 && increment < roomBelow);
    return below ? -1 : 0;
  }

  private int unsignedOverflow(long base, long increment) {
    if (Long.compareUnsigned(base, max()) > 0 || (increment > 0 && increment > max() - base)) {
      return 1;
    }
    return increment < 0 && increment < -base ? -1 : 0;
  }
}

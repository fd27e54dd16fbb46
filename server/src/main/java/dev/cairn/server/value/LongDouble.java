// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.value;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/**
 * The numbers of INCRBYFLOAT, to the last digit as Redis on x86-64 has them: C's {@code long
 * double} there is x87's 80-bit format, a mantissa of 64 bits and an exponent of 15. Redis reads
 * one with {@code strtold}, adds, and writes {@code %.17Lf} without trailing zeros; a {@code
 * double} would differ in the 17th digit, and on every machine the same result must come out.
 *
 * <p>Each value is {@code mantissa * 2^exponent}, computed exactly and then rounded to nearest,
 * ties to even.
 */
public final class LongDouble {
  private static final LongDouble ZERO = new LongDouble(BigInteger.ZERO, 0, false);
  private static final LongDouble INFINITY = new LongDouble(BigInteger.ZERO, 0, true);

  private static final int MANTISSA_BITS = 64;
  private static final int TOP_EXPONENT = 16_384;
  private static final int BOTTOM_EXPONENT = -16_445;
  private static final int TEXT_LENGTH_MAX = 5 * 1024 - 1;
  private static final int DECIMAL_EXPONENT_MAX = 20_000;
  private static final int FRACTION_DIGITS = 17;

  private final BigInteger mantissa;
  private final int exponent;
  private final boolean infinite;

  private LongDouble(BigInteger mantissa, int exponent, boolean infinite) {
    this.mantissa = mantissa;
    this.exponent = exponent;
    this.infinite = infinite;
  }

  /** The number 0, which a missing key counts as. */
  public static LongDouble zero() {
    return ZERO;
  }

  /** The number that the whole text is, or empty where Redis finds none: NaN, blanks, too large. */
  public static Optional<LongDouble> parse(byte[] bytes) {
    if (bytes.length == 0 || bytes.length > TEXT_LENGTH_MAX) {
      return Optional.empty();
    }
    String text = new String(bytes, StandardCharsets.ISO_8859_1).toLowerCase(Locale.ROOT);
    boolean negative = text.charAt(0) == '-';
    String magnitude = negative || text.charAt(0) == '+' ? text.substring(1) : text;
    if (magnitude.equals("inf") || magnitude.equals("infinity")) {
      return Optional.of(INFINITY);
    }
    boolean hexadecimal = magnitude.startsWith("0x");
    Optional<LongDouble> parsed =
        hexadecimal ? parse(magnitude.substring(2), 16, 'p') : parse(magnitude, 10, 'e');
    return parsed.map(value -> negative ? value.negated() : value);
  }

  private static Optional<LongDouble> parse(String text, int radix, char exponentMark) {
    int mark = text.indexOf(exponentMark);
    String digits = mark < 0 ? text : text.substring(0, mark);
    int point = digits.indexOf('.');
    String whole = point < 0 ? digits : digits.substring(0, point);
    String fraction = point < 0 ? "" : digits.substring(point + 1);
    String all = whole + fraction;
    if (all.isEmpty() || !all.chars().allMatch(c -> c < 128 && Character.digit(c, radix) >= 0)) {
      return Optional.empty();
    }
    int exponent = 0;
    if (mark >= 0) {
      String written = text.substring(mark + 1);
      if (!written.matches("[+-]?[0-9]+")) {
        return Optional.empty();
      }
      exponent =
          new BigInteger(written)
              .min(BigInteger.valueOf(DECIMAL_EXPONENT_MAX))
              .max(BigInteger.valueOf(-DECIMAL_EXPONENT_MAX))
              .intValue();
    }
    BigInteger number = new BigInteger(all, radix);
    if (number.signum() == 0) {
      return Optional.of(ZERO);
    }
    LongDouble value =
        radix == 16
            ? rounded(number, exponent - 4 * fraction.length(), false)
            : decimal(number, exponent - fraction.length());
    // strtold reports a range error where a number became infinite or nothing.
    return value.infinite || value.mantissa.signum() == 0 ? Optional.empty() : Optional.of(value);
  }

  private static LongDouble decimal(BigInteger number, int tenExponent) {
    if (tenExponent >= 0) {
      return rounded(number.multiply(BigInteger.TEN.pow(tenExponent)), 0, false);
    }
    BigInteger divisor = BigInteger.TEN.pow(-tenExponent);
    // Two bits more than are kept, and whether anything is left: enough to round rightly.
    int shift = Math.max(0, MANTISSA_BITS + 2 + divisor.bitLength() - number.bitLength());
    BigInteger[] quotient = number.shiftLeft(shift).divideAndRemainder(divisor);
    return rounded(quotient[0], -shift, quotient[1].signum() != 0);
  }

  /**
   * Rounds to what the format can hold.
   *
   * @param number not negative
   * @param more whether the number is a little larger than that
   */
  private static LongDouble rounded(BigInteger number, int exponent, boolean more) {
    int drop = Math.max(number.bitLength() - MANTISSA_BITS, BOTTOM_EXPONENT - exponent);
    BigInteger kept = number;
    int keptExponent = exponent;
    if (drop > 0) {
      kept = number.shiftRight(drop);
      keptExponent = exponent + drop;
      boolean half = number.testBit(drop - 1);
      boolean beyond = more || number.getLowestSetBit() < drop - 1;
      if (half && (beyond || kept.testBit(0))) {
        kept = kept.add(BigInteger.ONE);
      }
    }
    return keptExponent + kept.bitLength() > TOP_EXPONENT
        ? INFINITY
        : new LongDouble(kept, keptExponent, false);
  }

  private LongDouble negated() {
    return new LongDouble(mantissa.negate(), exponent, infinite);
  }

  /** The sum, or empty when it would be infinite or no number. */
  public Optional<LongDouble> plus(LongDouble other) {
    if (infinite || other.infinite) {
      return Optional.empty();
    }
    int common = Math.min(exponent, other.exponent);
    BigInteger sum =
        mantissa
            .shiftLeft(exponent - common)
            .add(other.mantissa.shiftLeft(other.exponent - common));
    LongDouble magnitude = rounded(sum.abs(), common, false);
    if (magnitude.infinite) {
      return Optional.empty();
    }
    return Optional.of(sum.signum() < 0 ? magnitude.negated() : magnitude);
  }

  /** The text that Redis would store; never of an infinite number. */
  public byte[] format() {
    BigDecimal exact = new BigDecimal(mantissa);
    BigDecimal value =
        exponent >= 0
            ? exact.multiply(new BigDecimal(BigInteger.ONE.shiftLeft(exponent)))
            : exact.divide(new BigDecimal(BigInteger.ONE.shiftLeft(-exponent)));
    BigDecimal shown = value.setScale(FRACTION_DIGITS, RoundingMode.HALF_EVEN);
    String text = shown.signum() == 0 ? "0" : shown.stripTrailingZeros().toPlainString();
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}

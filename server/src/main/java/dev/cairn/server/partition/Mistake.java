// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import java.io.IOException;

/**
 * Why an {@link Operation} or {@link Query} changed nothing although it was carried out: what the
 * user asked does not fit what stands under the key. Part of the format: numbers are never used
 * again.
 */
public enum Mistake {
  NOT_AN_INTEGER(1, "value is not an integer or out of range"),
  INTEGER_OVERFLOW(2, "increment or decrement would overflow"),
  NOT_A_FLOAT(3, "value is not a valid float"),
  FLOAT_OVERFLOW(4, "increment would produce NaN or Infinity"),
  TOO_LONG(5, "string exceeds maximum allowed size (proto-max-bulk-len)"),
  NO_SUCH_KEY(6, "no such key"),
  /** Whoever knows the command puts its name in. */
  EXPIRE_TIME(7, "invalid expire time in '%s' command"),
  TOO_MUCH_MEMORY(8, "Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"),
  ANSWERS_TOO_LARGE(
      9,
      "the transaction's answers came to more than 16 MiB before this command: it was not carried out, the others were"),
  /** The only result of a request that reads, however many queries it has. */
  READ_TOO_LARGE(
      10,
      "the values that this command asks for have more than 32 MiB; ask for fewer keys at once"),
  /** A digest is looked at only once there is a value to compare it with. */
  DIGEST_LENGTH(11, "must be exactly 16 hexadecimal characters");

  private final int number;
  private final String text;

  Mistake(int number, String text) {
    this.number = number;
    this.text = text;
  }

  /** What a person is told: Redis' words. */
  public String text() {
    return text;
  }

  int number() {
    return number;
  }

  static Mistake of(int number) throws IOException {
    for (Mistake mistake : values()) {
      if (mistake.number == number) {
        return mistake;
      }
    }
    throw new IOException("unknown mistake " + number);
  }
}

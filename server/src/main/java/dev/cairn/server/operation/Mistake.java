// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import java.io.IOException;

/**
 * Why an {@link Operation} or {@link Query} changed nothing although it was carried out: what the
 * user asked does not fit what stands under the key. Part of the format: numbers are never used
 * again. What a person is told is no business of the state machine's: the front has the words.
 */
public enum Mistake {
  NOT_AN_INTEGER(1),
  INTEGER_OVERFLOW(2),
  NOT_A_FLOAT(3),
  FLOAT_OVERFLOW(4),
  TOO_LONG(5),
  NO_SUCH_KEY(6),
  EXPIRE_TIME(7),
  TOO_MUCH_MEMORY(8),
  /** {@link KeyOperation.Transaction#ANSWER_BYTES_MAX}: this operation was not carried out. */
  ANSWERS_TOO_LARGE(9),
  /** The only result of a request that reads, however many queries it has. */
  READ_TOO_LARGE(10),
  /** A digest is looked at only once there is a value to compare it with. */
  DIGEST_LENGTH(11);

  private final int number;

  Mistake(int number) {
    this.number = number;
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

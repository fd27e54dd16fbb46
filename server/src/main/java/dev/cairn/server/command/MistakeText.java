// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.server.operation.Mistake;
import dev.cairn.server.operation.Reply;

/** What a person is told of a {@link Mistake}: Redis 7's words, where Redis knows it. */
public final class MistakeText {
  private MistakeText() {}

  /**
   * One line, without an error code.
   *
   * @param command the name of the command that was carried out, in lower case
   */
  public static String of(Mistake mistake, String command) {
    return mistake == Mistake.EXPIRE_TIME
        ? "invalid expire time in '%s' command".formatted(command)
        : of(mistake);
  }

  /** As {@link #of(Mistake, String)}, where the command is not known. */
  static String of(Mistake mistake) {
    return switch (mistake) {
      case NOT_AN_INTEGER -> "value is not an integer or out of range";
      case INTEGER_OVERFLOW -> "increment or decrement would overflow";
      case NOT_A_FLOAT -> "value is not a valid float";
      case FLOAT_OVERFLOW -> "increment would produce NaN or Infinity";
      case TOO_LONG -> "string exceeds maximum allowed size (proto-max-bulk-len)";
      case NO_SUCH_KEY -> "no such key";
      case EXPIRE_TIME -> "invalid expire time";
      case TOO_MUCH_MEMORY ->
          "Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len";
      case ANSWERS_TOO_LARGE ->
          "the transaction's answers came to more than 16 MiB before this command: it was not carried out, the others were";
      case READ_TOO_LARGE -> Reply.READ_TOO_LARGE;
      case DIGEST_LENGTH -> "must be exactly 16 hexadecimal characters";
    };
  }
}

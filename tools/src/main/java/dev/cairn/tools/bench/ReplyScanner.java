// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import dev.cairn.protocol.Limits;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Finds the ends of replies, and tells no more of them than a measurement needs: their kind, an
 * integer, an error's line. Allocates nothing but the text of errors, and skips what a bulk string
 * holds; the protocol's own {@code RespReader} would build each reply.
 *
 * <pre>
 *   reply = "+" text CRLF | "-" code " " text CRLF | ":" integer CRLF
 *         | "$" length CRLF bytes CRLF | "$-1" CRLF | "_" CRLF     (nothing else answers GET, SET, WAIT)
 * </pre>
 */
final class ReplyScanner {
  /** Of a longer line the rest is skipped. */
  private static final int LINE_KEPT_MAX = 512;

  private static final int CODE_MAX = 64;

  private final byte[] line = new byte[LINE_KEPT_MAX];
  private int lineLength; // of what was read of the line, kept or not
  private boolean afterCarriageReturn;
  private long bulkLeft; // bytes of a bulk string and its end still to come
  private char type;
  private boolean nil;
  private long number;

  /** Anew, for a new connection. */
  void reset() {
    lineLength = 0;
    afterCarriageReturn = false;
    bulkLeft = 0;
  }

  /**
   * Takes bytes up to the end of a reply.
   *
   * @return whether there was one; if not, all bytes are taken
   * @throws MalformedReplyException this is not Redis' protocol, or not the part of it expected
   *     here
   */
  boolean next(ByteBuffer in) throws MalformedReplyException {
    while (in.hasRemaining()) {
      if (bulkLeft > 0) {
        int skipped = (int) Math.min(bulkLeft, in.remaining());
        in.position(in.position() + skipped);
        bulkLeft -= skipped;
        if (bulkLeft == 0) {
          return true;
        }
      } else if (line(in.get()) && ended()) {
        return true;
      }
    }
    return false;
  }

  /** Takes a byte of a line; whether the line is whole. */
  private boolean line(byte next) throws MalformedReplyException {
    if (afterCarriageReturn) {
      if (next != '\n') {
        throw new MalformedReplyException("a reply's line does not end in CR LF");
      }
      afterCarriageReturn = false;
      return true;
    }
    if (next == '\r') {
      afterCarriageReturn = true;
      return false;
    }
    if (lineLength == 0
        && next != '+'
        && next != '-'
        && next != ':'
        && next != '$'
        && next != '_') {
      throw new MalformedReplyException("a reply begins with byte " + (next & 0xff));
    }
    if (lineLength < LINE_KEPT_MAX) {
      line[lineLength] = next;
    }
    if (++lineLength > Limits.LINE_BYTES_MAX) {
      throw new MalformedReplyException("a reply's line is longer than " + Limits.LINE_BYTES_MAX);
    }
    return false;
  }

  /** A line is whole: whether the reply is. */
  private boolean ended() throws MalformedReplyException {
    if (lineLength == 0) {
      throw new MalformedReplyException("an empty line instead of a reply");
    }
    type = (char) line[0];
    nil = false;
    number = 0;
    if (type == ':' || type == '$') {
      number = integer();
    }
    int length = lineLength;
    lineLength = 0;
    if (type == '-') {
      number = Math.min(length, LINE_KEPT_MAX); // for errorLine
    } else if (type == '_') { // RESP3's null, which is RESP2's null bulk string
      type = '$';
      nil = true;
      return true;
    }
    if (type != '$') {
      return true;
    }
    if (number == -1) {
      nil = true;
      return true;
    }
    if (number < 0 || number > Limits.REPLY_BULK_BYTES_MAX) {
      throw new MalformedReplyException("a bulk string of " + number + " bytes");
    }
    bulkLeft = number + 2;
    return false;
  }

  private long integer() throws MalformedReplyException {
    boolean negative = lineLength > 1 && line[1] == '-';
    int from = negative ? 2 : 1;
    if (lineLength == from || lineLength > from + 18) {
      throw new MalformedReplyException("a reply's integer has " + (lineLength - from) + " digits");
    }
    long value = 0;
    for (int i = from; i < lineLength; i++) {
      if (line[i] < '0' || line[i] > '9') {
        throw new MalformedReplyException("a reply's integer is none");
      }
      value = value * 10 + (line[i] - '0');
    }
    return negative ? -value : value;
  }

  boolean isError() {
    return type == '-';
  }

  boolean isSimple() {
    return type == '+';
  }

  boolean isBulk() {
    return type == '$';
  }

  boolean isInteger() {
    return type == ':';
  }

  boolean isNil() {
    return nil;
  }

  /** Of an integer its value. */
  long number() {
    return number;
  }

  /** Of an error its line, without what a terminal would take for more than text. */
  String errorLine() {
    return new String(line, 1, (int) number - 1, StandardCharsets.UTF_8)
        .replaceAll("\\p{Cntrl}", "?");
  }

  /** The first word of an error's line. */
  static String code(String errorLine) {
    int blank = errorLine.indexOf(' ');
    String code = blank < 0 ? errorLine : errorLine.substring(0, blank);
    return code.isEmpty() ? "ERR" : code.substring(0, Math.min(CODE_MAX, code.length()));
  }
}

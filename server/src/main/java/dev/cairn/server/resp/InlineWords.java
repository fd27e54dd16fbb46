// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;

/**
 * The words of an inline command, by Redis' rules.
 *
 * <pre>
 * line   := blank* (word (blank+ word)*)? blank*
 * word   := (plain | double | single)+         a closing quote must be followed by a blank or the end
 * plain  := any byte but quotes, space, tab, carriage return and zero: other blanks only stand between words
 * double := '"' (any | "\xHH" | "\n" | "\r" | "\t" | "\b" | "\a" | "\" any)* '"'
 * single := "'" (any | "\'")* "'"
 * </pre>
 */
final class InlineWords {
  private final byte[] line;
  private int at;

  private InlineWords(byte[] line) {
    this.line = line;
  }

  static List<byte[]> split(byte[] line) throws ProtocolError {
    InlineWords reader = new InlineWords(line);
    List<byte[]> words = new ArrayList<>();
    while (true) {
      while (reader.at < line.length && isBlank(line[reader.at])) {
        reader.at++;
      }
      if (reader.at == line.length) {
        return words;
      }
      words.add(reader.word());
    }
  }

  private byte[] word() throws ProtocolError {
    ByteArrayOutputStream word = new ByteArrayOutputStream();
    while (at < line.length && !endsWord(line[at])) {
      byte c = line[at++];
      if (c == '"' || c == '\'') {
        quoted(c, word);
        if (at < line.length && !isBlank(line[at])) {
          throw unbalanced();
        }
      } else {
        word.write(c);
      }
    }
    return word.toByteArray();
  }

  private void quoted(byte quote, ByteArrayOutputStream word) throws ProtocolError {
    while (at < line.length) {
      byte c = line[at++];
      if (c == quote) {
        return;
      }
      if (c == '\\' && at < line.length) {
        if (quote == '"') {
          word.write(escaped());
          continue;
        } else if (line[at] == '\'') {
          c = line[at++];
        }
      }
      word.write(c);
    }
    throw unbalanced();
  }

  private int escaped() {
    byte c = line[at++];
    if (c == 'x' && at + 1 < line.length) {
      int high = Character.digit(line[at], 16);
      int low = Character.digit(line[at + 1], 16);
      if (high >= 0 && low >= 0) {
        at += 2;
        return high * 16 + low;
      }
    }
    return switch (c) {
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'b' -> '\b';
      case 'a' -> 7;
      default -> c;
    };
  }

  private static ProtocolError unbalanced() {
    return new ProtocolError("Protocol error: unbalanced quotes in request");
  }

  private static boolean endsWord(byte c) {
    return isBlank(c) && c != '\f' && c != 11; // 11: a vertical tab
  }

  /** What C's isspace says, and the NUL at which Redis' line ends. */
  private static boolean isBlank(byte c) {
    return c == ' ' || (c >= 9 && c <= 13) || c == 0;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;

/**
 * Splits a line into its words, as redis-cli does.
 *
 * <pre>
 * line    := blank* (word blank+)* word? blank*
 * word    := (plain | double | single)+          a quoted part ends its word
 * double  := '"' (byte | '\' escape)* '"'
 * escape  := 'x' hex hex | 'n' | 'r' | 't' | 'b' | 'a' | byte     (any other byte stands for itself)
 * single  := "'" (byte | "\'")* "'"
 * </pre>
 */
final class Words {
  /** The line cannot be split; the message says what to do. */
  static final class MalformedException extends Exception {
    private static final long serialVersionUID = 1L;

    MalformedException(String message) {
      super(message);
    }
  }

  private final byte[] line;
  private int position;

  private Words(byte[] line) {
    this.line = line;
  }

  static List<byte[]> of(byte[] line) throws MalformedException {
    Words words = new Words(line);
    List<byte[]> split = new ArrayList<>();
    while (words.skipBlanks()) {
      split.add(words.word());
    }
    return split;
  }

  private boolean skipBlanks() {
    while (position < line.length && blank(line[position])) {
      position++;
    }
    return position < line.length;
  }

  private byte[] word() throws MalformedException {
    ByteArrayOutputStream word = new ByteArrayOutputStream();
    while (position < line.length && !blank(line[position])) {
      byte next = line[position++];
      if (next == '"' || next == '\'') {
        quoted(next, word);
        if (position < line.length && !blank(line[position])) {
          throw new MalformedException(
              "A closing quote must be followed by a space. Write a quote inside quotes as \\"
                  + (char) next
                  + ".");
        }
      } else {
        word.write(next);
      }
    }
    return word.toByteArray();
  }

  private void quoted(byte quote, ByteArrayOutputStream word) throws MalformedException {
    while (position < line.length) {
      byte next = line[position++];
      if (next == quote) {
        return;
      }
      if (next == '\\' && position < line.length) {
        next = quote == '"' ? escape() : singleEscape();
      }
      word.write(next);
    }
    throw new MalformedException("A quote is not closed. End it with " + (char) quote + ".");
  }

  private byte singleEscape() {
    if (line[position] == '\'') {
      position++;
      return '\'';
    }
    return '\\';
  }

  private byte escape() {
    byte letter = line[position++];
    if (letter == 'x' && position + 1 < line.length) {
      int high = Character.digit(line[position], 16);
      int low = Character.digit(line[position + 1], 16);
      if (high >= 0 && low >= 0) {
        position += 2;
        return (byte) (high << 4 | low);
      }
    }
    return switch (letter) {
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'b' -> '\b';
      case 'a' -> 7;
      default -> letter;
    };
  }

  private static boolean blank(byte character) {
    return character == ' ' || (character >= '\t' && character <= '\r');
  }
}

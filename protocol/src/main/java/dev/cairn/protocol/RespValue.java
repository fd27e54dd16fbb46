// SPDX-License-Identifier: Apache-2.0
package dev.cairn.protocol;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * One value of Redis' protocol, version 2 or 3 (github.com/redis/redis-specifications,
 * protocol/RESP3.md). Values, their lists and byte arrays are never modified after construction.
 */
public sealed interface RespValue {
  /** The answer of most commands that have nothing else to say. */
  SimpleString OK = new SimpleString("OK");

  /** Nothing: RESP3 {@code _}, RESP2 {@code $-1}. */
  Nil NIL = new Nil();

  /** {@code +text}: one line. */
  record SimpleString(String text) implements RespValue {}

  /**
   * {@code -CODE message}: one line.
   *
   * @param text the line, its code first
   */
  record ErrorReply(String text) implements RespValue {
    /** The first word, which says what kind of error it is. */
    public String code() {
      int end = text.indexOf(' ');
      return end < 0 ? text : text.substring(0, end);
    }

    /** What follows the code. */
    public String message() {
      int end = text.indexOf(' ');
      return end < 0 ? "" : text.substring(end + 1);
    }
  }

  /** {@code :number}. */
  record Int(long value) implements RespValue {}

  /** {@code $length bytes}: binary-safe. */
  record Bulk(byte[] bytes) implements RespValue {
    @Override
    public boolean equals(Object other) {
      return other instanceof Bulk bulk && Arrays.equals(bytes, bulk.bytes);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
      return "Bulk[" + bytes.length + " bytes]";
    }
  }

  /** There is none. Both nulls of RESP2 ({@code $-1}, {@code *-1}) read as this. */
  record Nil() implements RespValue {}

  /** There is no array: RESP3 {@code _}, RESP2 {@code *-1}. */
  record NilArray() implements RespValue {}

  /** {@code *count}. */
  record Array(List<RespValue> elements) implements RespValue {
    public Array {
      elements = List.copyOf(elements);
    }
  }

  /** {@code %count}: in order, as sent. RESP2: a flat array. */
  record Dictionary(List<Entry> entries) implements RespValue {
    public Dictionary {
      entries = List.copyOf(entries);
    }
  }

  /** One entry of a {@link Dictionary} or an attribute. */
  record Entry(RespValue key, RespValue value) {}

  /** {@code ~count}: in order, as sent. RESP2: an array. */
  record Collection(List<RespValue> elements) implements RespValue {
    public Collection {
      elements = List.copyOf(elements);
    }
  }

  /** {@code ,number}. RESP2: a bulk string. */
  record Decimal(double value) implements RespValue {}

  /** {@code #t} or {@code #f}. RESP2: 1 or 0. */
  record Bool(boolean value) implements RespValue {}

  /** {@code (number}. RESP2: a bulk string. */
  record BigNumber(BigInteger value) implements RespValue {}

  /**
   * {@code =length format:bytes}. RESP2: a bulk string.
   *
   * @param format three characters, {@code txt} or {@code mkd}
   */
  record Verbatim(String format, byte[] bytes) implements RespValue {
    public Verbatim {
      if (format.length() != 3) {
        throw new IllegalArgumentException("a verbatim string's format has 3 characters");
      }
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Verbatim verbatim
          && format.equals(verbatim.format)
          && Arrays.equals(bytes, verbatim.bytes);
    }

    @Override
    public int hashCode() {
      return 31 * format.hashCode() + Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
      return "Verbatim[" + format + ", " + bytes.length + " bytes]";
    }
  }

  /** {@code >count}: comes between replies, answers none of them. */
  record Push(List<RespValue> elements) implements RespValue {
    public Push {
      elements = List.copyOf(elements);
    }
  }

  /**
   * A value with facts about it in front: {@code |count}. RESP2 has none: only the value is sent.
   *
   * @param value never attributed itself
   */
  record Attributed(List<Entry> attributes, RespValue value) implements RespValue {
    public Attributed {
      attributes = List.copyOf(attributes);
      if (value instanceof Attributed) {
        throw new IllegalArgumentException("one attribute a value");
      }
    }
  }

  /** A bulk string of text, in UTF-8. */
  static Bulk bulk(String text) {
    return new Bulk(text.getBytes(StandardCharsets.UTF_8));
  }

  /** An error with its code. */
  static ErrorReply error(ErrorCode code, String message) {
    return new ErrorReply(code.name() + " " + message);
  }

  /** An array. */
  static Array array(RespValue... elements) {
    return new Array(List.of(elements));
  }
}

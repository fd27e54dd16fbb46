// SPDX-License-Identifier: Apache-2.0
package dev.cairn.protocol;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Writes values as Redis would. Not thread-safe: owned by whoever owns the stream.
 *
 * <pre>
 * value      := "+" line | "-" line | ":" number CRLF | "$" length CRLF bytes CRLF | "*" count CRLF value*
 *             | "$-1" CRLF | "*-1" CRLF                                               (RESP2's nulls)
 * RESP3 adds := "_" CRLF | "#" ("t"|"f") CRLF | "," double CRLF | "(" integer CRLF
 *             | "=" length CRLF format ":" bytes CRLF | "%" count CRLF (value value)* | "~" count CRLF value*
 *             | ">" count CRLF value* | "|" count CRLF (value value)* value           (an attribute in front)
 * request    := "*" count CRLF ("$" length CRLF bytes CRLF)*
 * </pre>
 *
 * <p>Line breaks in a simple string or an error would forge replies: they are written as spaces.
 */
public final class RespWriter {
  private static final byte[] CRLF = {'\r', '\n'};
  private static final byte[] NULL_2 = ascii("$-1\r\n");
  private static final byte[] NULL_ARRAY_2 = ascii("*-1\r\n");
  private static final byte[] NULL_3 = ascii("_\r\n");

  /** A type, the digits of any long, and the end of the line, which stays there. */
  private final byte[] header = ascii(" -9223372036854775808\r\n");

  private final OutputStream out;

  /**
   * A writer.
   *
   * @param out takes the bytes; should be buffered. Its {@link IOException}s come out as {@link
   *     UncheckedIOException}
   */
  public RespWriter(OutputStream out) {
    this.out = out;
  }

  /** The bytes of one request. */
  public static byte[] command(byte[]... arguments) {
    int length = 16;
    for (byte[] argument : arguments) {
      length += argument.length + 16;
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(length);
    new RespWriter(bytes).writeCommand(arguments);
    return bytes.toByteArray();
  }

  /** The bytes of one request. */
  public static byte[] command(String... arguments) {
    byte[][] bytes = new byte[arguments.length][];
    for (int i = 0; i < arguments.length; i++) {
      bytes[i] = arguments[i].getBytes(StandardCharsets.UTF_8);
    }
    return command(bytes);
  }

  /** Writes one request. */
  public void writeCommand(byte[]... arguments) {
    header('*', arguments.length);
    for (byte[] argument : arguments) {
      bulk(argument);
    }
  }

  /**
   * Writes one value.
   *
   * @param version 2 or 3: what the connection agreed on
   */
  public void write(RespValue value, int version) {
    boolean three = version >= 3;
    if (value instanceof RespValue.Bulk bulk) {
      bulk(bulk.bytes());
    } else if (value instanceof RespValue.SimpleString simple) {
      line('+', simple.text());
    } else if (value instanceof RespValue.ErrorReply error) {
      line('-', error.text());
    } else if (value instanceof RespValue.Int number) {
      header(':', number.value());
    } else if (value instanceof RespValue.Nil) {
      bytes(three ? NULL_3 : NULL_2);
    } else if (value instanceof RespValue.NilArray) {
      bytes(three ? NULL_3 : NULL_ARRAY_2);
    } else if (value instanceof RespValue.Array array) {
      elements('*', array.elements(), version);
    } else if (value instanceof RespValue.Dictionary dictionary) {
      entries(three ? '%' : '*', three ? 1 : 2, dictionary.entries(), version);
    } else if (value instanceof RespValue.Collection collection) {
      elements(three ? '~' : '*', collection.elements(), version);
    } else if (value instanceof RespValue.Push push) {
      elements(three ? '>' : '*', push.elements(), version);
    } else if (value instanceof RespValue.Bool bool) {
      if (three) {
        line('#', bool.value() ? "t" : "f");
      } else {
        header(':', bool.value() ? 1 : 0);
      }
    } else if (value instanceof RespValue.Decimal decimal) {
      text(',', decimalText(decimal.value()), three);
    } else if (value instanceof RespValue.BigNumber number) {
      text('(', number.value().toString(), three);
    } else if (value instanceof RespValue.Verbatim verbatim) {
      verbatim(verbatim, three);
    } else if (value instanceof RespValue.Attributed attributed) {
      if (three) {
        entries('|', 1, attributed.attributes(), version);
      }
      write(attributed.value(), version);
    }
  }

  private void elements(char type, List<RespValue> elements, int version) {
    header(type, elements.size());
    for (RespValue element : elements) {
      write(element, version);
    }
  }

  private void entries(char type, int each, List<RespValue.Entry> entries, int version) {
    header(type, (long) entries.size() * each);
    for (RespValue.Entry entry : entries) {
      write(entry.key(), version);
      write(entry.value(), version);
    }
  }

  private void text(char type, String text, boolean three) {
    if (three) {
      line(type, text);
    } else {
      bulk(ascii(text));
    }
  }

  private void verbatim(RespValue.Verbatim verbatim, boolean three) {
    if (!three) {
      bulk(verbatim.bytes());
      return;
    }
    header('=', verbatim.bytes().length + 4L);
    bytes(ascii(verbatim.format() + ":"));
    bytes(verbatim.bytes());
    bytes(CRLF);
  }

  private void bulk(byte[] bytes) {
    header('$', bytes.length);
    bytes(bytes);
    bytes(CRLF);
  }

  private void line(char type, String text) {
    String oneLine = text;
    if (text.indexOf('\n') >= 0 || text.indexOf('\r') >= 0) {
      // As Redis: those at the end go, the others become blanks.
      oneLine = text.replaceAll("[\\r\\n]+$", "").replace('\r', ' ').replace('\n', ' ');
    }
    bytes((type + oneLine + "\r\n").getBytes(StandardCharsets.UTF_8));
  }

  /** Every reply and every value begins with one: the digits are written without a string. */
  private void header(char type, long number) {
    int at = header.length - CRLF.length;
    long rest = number;
    do {
      header[--at] = (byte) ('0' + Math.abs(rest % 10));
      rest /= 10;
    } while (rest != 0);
    if (number < 0) {
      header[--at] = '-';
    }
    header[--at] = (byte) type;
    bytes(header, at);
  }

  private void bytes(byte[] bytes) {
    bytes(bytes, 0);
  }

  private void bytes(byte[] bytes, int from) {
    try {
      out.write(bytes, from, bytes.length - from);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private static String decimalText(double value) {
    if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    }
    return Double.isNaN(value) ? "nan" : Double.toString(value);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }
}

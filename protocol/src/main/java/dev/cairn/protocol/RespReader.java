// SPDX-License-Identifier: Apache-2.0
package dev.cairn.protocol;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Reads values from bytes that come in pieces, cut anywhere. {@link RespWriter} has the grammar;
 * streamed strings and aggregates of RESP3 ({@code $?}, {@code *?}), which Redis never sends, are
 * refused.
 *
 * <p>Owned by one thread. Invariants:
 *
 * <ol>
 *   <li>Memory follows the bytes that came, never what a header claims: lists start small, the
 *       buffer grows by doubling when bytes are there to fill it.
 *   <li>No byte is looked at twice, except the body of an unfinished bulk, which is not looked at
 *       until it is whole: the work is linear in the bytes.
 *   <li>After a {@link RespProtocolException} the reader stays broken: it throws the same again.
 * </ol>
 */
public final class RespReader {
  /**
   * What is refused.
   *
   * @param depthMax deepest nesting of aggregates
   * @param elementsMax most elements of one aggregate; an entry counts as two
   * @param bulkBytesMax longest bulk or verbatim string
   * @param lineBytesMax longest line
   */
  public record Bounds(int depthMax, int elementsMax, int bulkBytesMax, int lineBytesMax) {
    /** What {@link Limits} says of replies. */
    public static final Bounds REPLIES =
        new Bounds(
            Limits.REPLY_DEPTH_MAX,
            Limits.REPLY_ELEMENTS_MAX,
            Limits.REPLY_BULK_BYTES_MAX,
            Limits.LINE_BYTES_MAX);
  }

  /** The array size that an idle reader returns to, bytes. */
  private static final int BUFFER_BYTES_KEPT = 64 * 1024;

  private final Bounds bounds;
  private final ArrayDeque<Frame> open = new ArrayDeque<>();

  private byte[] buffer = new byte[512];
  private int start; // first byte not consumed
  private int end; // past the last byte
  private int scanned; // no line end in buffer[start, scanned)
  private int bulkLength = -1; // of the bulk or verbatim string whose header was read
  private char bulkType;
  private RespProtocolException broken;

  /** A reader for replies, with the usual bounds. */
  public RespReader() {
    this(Bounds.REPLIES);
  }

  /** A reader with bounds of its own. */
  public RespReader(Bounds bounds) {
    this.bounds = bounds;
  }

  /** Takes bytes. */
  public void feed(byte[] bytes, int offset, int length) {
    reserve(length);
    System.arraycopy(bytes, offset, buffer, end, length);
    end += length;
  }

  /** Takes all remaining bytes. */
  public void feed(ByteBuffer bytes) {
    int length = bytes.remaining();
    reserve(length);
    bytes.get(buffer, end, length);
    end += length;
  }

  /** Bytes that belong to no complete value yet; 0 between values. */
  public int pendingBytes() {
    return end - start;
  }

  /**
   * The next complete value, or empty until more is fed.
   *
   * @throws RespProtocolException if this is not RESP or exceeds a bound
   */
  public Optional<RespValue> next() {
    if (broken != null) {
      throw broken;
    }
    try {
      return Optional.ofNullable(read());
    } catch (RespProtocolException failure) {
      broken = failure;
      throw failure;
    }
  }

  private RespValue read() {
    while (true) {
      RespValue value = bulkLength >= 0 ? body() : headed();
      if (value == null) {
        if (!progressed) {
          return null;
        }
        continue;
      }
      RespValue whole = close(value);
      if (whole != null) {
        return whole;
      }
    }
  }

  /** Whether the last step consumed a header without finishing a value. */
  private boolean progressed;

  /** Reads a line; returns the value if it is one by itself. */
  private RespValue headed() {
    progressed = false;
    int lineEnd = lineEnd();
    if (lineEnd < 0) {
      return null;
    }
    if (lineEnd == start) {
      throw new RespProtocolException("an empty line where a value should start");
    }
    char type = (char) (buffer[start] & 0xff);
    String line = new String(buffer, start + 1, lineEnd - start - 1, StandardCharsets.UTF_8);
    start = lineEnd + 2;
    scanned = start;
    progressed = true;
    return switch (type) {
      case '+' -> new RespValue.SimpleString(line);
      case '-' -> new RespValue.ErrorReply(line);
      case ':' -> new RespValue.Int(number(line));
      case '_' -> RespValue.NIL;
      case '#' -> bool(line);
      case ',' -> decimal(line);
      case '(' -> bigNumber(line);
      case '$', '=' -> bulkHeader(type, line);
      case '*', '%', '~', '>', '|' -> aggregateHeader(type, line);
      case '!' -> bulkHeader(type, line);
      default ->
          throw new RespProtocolException(
              "a reply starts with byte 0x" + Integer.toHexString(type) + ", which is not RESP");
    };
  }

  private int lineEnd() {
    for (int i = Math.max(scanned, start); i + 1 < end; i++) {
      if (buffer[i] == '\r') {
        if (buffer[i + 1] != '\n') {
          throw new RespProtocolException("a carriage return without a line feed");
        }
        if (i - start > bounds.lineBytesMax()) {
          throw lineTooLong();
        }
        return i;
      }
    }
    scanned = Math.max(start, end - 1);
    if (end - start > bounds.lineBytesMax() + 1) {
      throw lineTooLong();
    }
    return -1;
  }

  private RespProtocolException lineTooLong() {
    return new RespProtocolException("a line exceeds " + bounds.lineBytesMax() + " bytes");
  }

  private RespValue bulkHeader(char type, String line) {
    long length = number(line);
    if (length == -1 && type == '$') {
      return RespValue.NIL;
    }
    if (length < 0 || length > bounds.bulkBytesMax()) {
      throw new RespProtocolException(
          "a string of " + length + " bytes: the bound is " + bounds.bulkBytesMax());
    }
    bulkType = type;
    bulkLength = (int) length;
    return null;
  }

  private RespValue body() {
    progressed = false;
    if ((long) end - start < bulkLength + 2L) {
      return null;
    }
    int bodyEnd = start + bulkLength;
    if (buffer[bodyEnd] != '\r' || buffer[bodyEnd + 1] != '\n') {
      throw new RespProtocolException("a string does not end where its header said");
    }
    byte[] bytes = Arrays.copyOfRange(buffer, start, bodyEnd);
    start = bodyEnd + 2;
    scanned = start;
    bulkLength = -1;
    return switch (bulkType) {
      case '=' -> verbatim(bytes);
      case '!' -> new RespValue.ErrorReply(new String(bytes, StandardCharsets.UTF_8));
      default -> new RespValue.Bulk(bytes);
    };
  }

  private static RespValue verbatim(byte[] bytes) {
    if (bytes.length < 4 || bytes[3] != ':') {
      throw new RespProtocolException("a verbatim string without a format");
    }
    String format = new String(bytes, 0, 3, StandardCharsets.ISO_8859_1);
    return new RespValue.Verbatim(format, Arrays.copyOfRange(bytes, 4, bytes.length));
  }

  private RespValue aggregateHeader(char type, String line) {
    long count = number(line);
    if (count == -1 && type == '*') {
      return RespValue.NIL;
    }
    long elements = type == '%' || type == '|' ? count * 2 : count;
    if (count < 0 || count > bounds.elementsMax() || elements > bounds.elementsMax()) {
      throw new RespProtocolException(
          "an aggregate of " + count + ": the bound is " + bounds.elementsMax() + " elements");
    }
    if (open.size() >= bounds.depthMax()) {
      throw new RespProtocolException("values nest deeper than " + bounds.depthMax());
    }
    Frame frame = new Frame(type, (int) elements);
    if (type == '|') {
      if (!open.isEmpty() && open.peek().attribute != null) {
        throw new RespProtocolException("two attributes before one value");
      }
      if (elements == 0) {
        open.push(Frame.attributed(List.of()));
        return null;
      }
    } else if (elements == 0) {
      return frame.value();
    }
    open.push(frame);
    return null;
  }

  /** Puts a value into the aggregates that wait for it; returns the outermost when it is whole. */
  private RespValue close(RespValue value) {
    RespValue current = value;
    while (!open.isEmpty()) {
      Frame frame = open.peek();
      if (frame.attribute != null) {
        open.pop();
        current = new RespValue.Attributed(frame.attribute, current);
        continue;
      }
      frame.elements.add(current);
      if (frame.elements.size() < frame.wanted) {
        return null;
      }
      open.pop();
      if (frame.type == '|') {
        open.push(Frame.attributed(frame.entries()));
        return null;
      }
      current = frame.value();
    }
    return current;
  }

  private void reserve(int length) {
    if (start == end) {
      start = 0;
      end = 0;
      scanned = 0;
      if (buffer.length > BUFFER_BYTES_KEPT) {
        buffer = new byte[BUFFER_BYTES_KEPT];
      }
    }
    if (length <= buffer.length - end) {
      return;
    }
    int pending = end - start;
    long needed = (long) pending + length;
    if (needed > Integer.MAX_VALUE - 16) {
      throw new RespProtocolException("more than 2 GiB of one reply are waiting");
    }
    byte[] target = buffer;
    // Moving only when at least half is free keeps the work linear.
    if (needed > buffer.length / 2) {
      target = new byte[(int) Math.min(Integer.MAX_VALUE - 16, Math.max(needed, 2L * pending))];
    }
    System.arraycopy(buffer, start, target, 0, pending);
    buffer = target;
    scanned = Math.max(0, scanned - start);
    start = 0;
    end = pending;
  }

  private static RespValue bool(String line) {
    return switch (line) {
      case "t" -> new RespValue.Bool(true);
      case "f" -> new RespValue.Bool(false);
      default -> throw new RespProtocolException("neither true nor false");
    };
  }

  private static RespValue decimal(String line) {
    try {
      return switch (line) {
        case "inf" -> new RespValue.Decimal(Double.POSITIVE_INFINITY);
        case "-inf" -> new RespValue.Decimal(Double.NEGATIVE_INFINITY);
        case "nan" -> new RespValue.Decimal(Double.NaN);
        default -> new RespValue.Decimal(Double.parseDouble(line));
      };
    } catch (NumberFormatException failure) {
      throw new RespProtocolException("not a number where one should be");
    }
  }

  private static RespValue bigNumber(String line) {
    try {
      return new RespValue.BigNumber(new BigInteger(line));
    } catch (NumberFormatException failure) {
      throw new RespProtocolException("not a number where one should be");
    }
  }

  private static long number(String line) {
    try {
      return Long.parseLong(line);
    } catch (NumberFormatException failure) {
      throw new RespProtocolException("not a number where one should be");
    }
  }

  /** An aggregate whose elements are still coming, or an attribute whose value is. */
  private static final class Frame {
    final char type;
    final int wanted;
    final List<RespValue> elements;
    final List<RespValue.Entry>
        attribute; // set once the attribute is whole and its value is awaited

    Frame(char type, int wanted) {
      this(type, wanted, new ArrayList<>(Math.min(wanted, 8)), null);
    }

    private Frame(
        char type, int wanted, List<RespValue> elements, List<RespValue.Entry> attribute) {
      this.type = type;
      this.wanted = wanted;
      this.elements = elements;
      this.attribute = attribute;
    }

    static Frame attributed(List<RespValue.Entry> attribute) {
      return new Frame('|', 0, List.of(), attribute);
    }

    List<RespValue.Entry> entries() {
      List<RespValue.Entry> entries = new ArrayList<>(elements.size() / 2);
      for (int i = 0; i < elements.size(); i += 2) {
        entries.add(new RespValue.Entry(elements.get(i), elements.get(i + 1)));
      }
      return entries;
    }

    RespValue value() {
      return switch (type) {
        case '%' -> new RespValue.Dictionary(entries());
        case '~' -> new RespValue.Collection(elements);
        case '>' -> new RespValue.Push(elements);
        default -> new RespValue.Array(elements);
      };
    }
  }
}

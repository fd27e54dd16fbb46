// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import dev.cairn.protocol.Limits;
import dev.cairn.server.command.RequestMemory;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a client's bytes into requests.
 *
 * <pre>
 * request := array | inline | http
 * array   := "*" count CRLF ("$" length CRLF bytes CRLF){count}     no count above 0: nothing, as in Redis
 * inline  := words separated by blanks, quoted as in redis-cli, ended by LF or CRLF
 * http    := the first line of the connection, if it is one of HTTP (OtherProtocols)
 * </pre>
 *
 * <p>Owned by the connection's event loop. Invariants:
 *
 * <ol>
 *   <li>Memory follows the bytes that came: a bulk's array starts small and doubles up to its
 *       length, a list of words starts empty. What a header claims costs nothing.
 *   <li>Everything that is held, words and cut-off bytes alike, is counted in the {@link
 *       RequestMemory} before it is allocated. {@link #close} gives back all but what went out with
 *       requests.
 *   <li>Bytes are copied once out of the socket's buffer (a growing bulk: twice on average), and a
 *       line is scanned once, however small the pieces are.
 *   <li>A bulk longer than the longest value is read past without being kept, and the request comes
 *       out refused: the connection lives on.
 * </ol>
 */
final class RespDecoder {
  /** Redis' proto-max-bulk-len: a longer claim ends the connection. */
  static final int BULK_BYTES_MAX = 512 * 1024 * 1024;

  /** What a word costs beside its bytes: its array's header, its place in the list. */
  static final int WORD_OVERHEAD_BYTES = 24;

  private static final int BULK_BYTES_FIRST = 512;

  /** A number in a header that has more is far too large. */
  private static final int DIGITS_MAX = 12;

  private static final long NO_NUMBER = Long.MIN_VALUE;

  private final int bulkBytesKept;
  private final long requestBytesMax;
  private final RequestMemory memory;

  private ByteBuf buffer = Unpooled.EMPTY_BUFFER; // what was fed and not consumed
  private boolean borrowed; // buffer is the socket's, to be copied if it must be kept
  private long bufferBytes; // counted for buffer when it is our own
  private int scannedBytes; // no line feed in so many bytes from the reader index
  private boolean first = true; // the connection's first line decides about HTTP

  // The array being read.
  private int wordsWanted; // 0: between requests
  private List<byte[]> words = List.of();
  private long wordBytes; // counted for words and the bulk being read
  private String refusal = "";

  // The bulk being read.
  private int bulkLength = -1; // -1: its header is not read yet
  private int bulkSeen; // bytes of it that came
  private byte[] bulk; // null while it is being read past

  RespDecoder(int valueBytesMax, long requestBytesMax, RequestMemory memory) {
    this.bulkBytesKept = Math.max(valueBytesMax, Limits.KEY_BYTES_MAX + 1);
    this.requestBytesMax = requestBytesMax;
    this.memory = memory;
  }

  /** Takes over a buffer. Call {@link #next} until it is empty-handed, then {@link #settle}. */
  void feed(ByteBuf in) throws ProtocolError {
    if (!buffer.isReadable()) {
      dropBuffer();
      buffer = in;
      borrowed = true;
      return;
    }
    try {
      settle();
      buffer.discardReadBytes();
      countBuffer(buffer.readableBytes() + in.readableBytes());
      buffer.writeBytes(in);
    } finally {
      in.release();
    }
  }

  /** Bytes that wait to be decoded. */
  int pendingBytes() {
    return buffer.readableBytes();
  }

  /** Makes what is left our own, so that the socket's buffer can go. */
  void settle() throws ProtocolError {
    if (!buffer.isReadable()) {
      dropBuffer();
    } else if (borrowed) {
      int length = buffer.readableBytes();
      countBuffer(length);
      ByteBuf own = Unpooled.buffer(length);
      own.writeBytes(buffer);
      buffer.release();
      buffer = own;
      borrowed = false;
    }
  }

  /** Hands over what was fed and not consumed, to be released by whoever takes it. */
  ByteBuf takeRest() {
    ByteBuf rest = buffer;
    buffer = Unpooled.EMPTY_BUFFER;
    borrowed = false;
    memory.give(bufferBytes);
    bufferBytes = 0;
    return rest;
  }

  /** Lets go of everything. */
  void close() {
    dropBuffer();
    memory.give(wordBytes);
    wordBytes = 0;
    words = List.of();
    bulk = null;
    wordsWanted = 0;
    bulkLength = -1;
  }

  /** The next request, or null until more is fed. */
  RespRequest next() throws ProtocolError {
    while (buffer.isReadable()) {
      if (wordsWanted == 0) {
        boolean array = buffer.getByte(buffer.readerIndex()) == '*';
        RespRequest request = array ? arrayHeader() : inline();
        if (request != null) {
          return request;
        }
        if (!consumed) {
          return null;
        }
      } else if (bulkLength < 0) {
        if (!bulkHeader()) {
          return null;
        }
      } else {
        if (!bulkBody()) {
          return null;
        }
        if (words.size() == wordsWanted) {
          return finish();
        }
      }
    }
    return null;
  }

  /** Whether the last header or line was whole. */
  private boolean consumed;

  private RespRequest arrayHeader() throws ProtocolError {
    int start = buffer.readerIndex();
    int length = readLine("Protocol error: too big mbulk count string");
    consumed = length >= 0;
    if (!consumed) {
      return null;
    }
    first = false;
    long count = number(start, length);
    if (count == NO_NUMBER || count > Limits.ARGUMENTS_MAX) {
      throw new ProtocolError("Protocol error: invalid multibulk length");
    }
    if (count > 0) {
      wordsWanted = (int) count;
      words = new ArrayList<>((int) Math.min(count, 8));
      refusal = "";
    }
    return null;
  }

  private boolean bulkHeader() throws ProtocolError {
    int start = buffer.readerIndex();
    byte type = buffer.getByte(start);
    if (type != '$') {
      throw new ProtocolError("Protocol error: expected '$', got '" + (char) (type & 0xff) + "'");
    }
    int lineLength = readLine("Protocol error: too big bulk count string");
    if (lineLength < 0) {
      return false;
    }
    long length = number(start, lineLength);
    if (length < 0 || length > BULK_BYTES_MAX) {
      throw new ProtocolError("Protocol error: invalid bulk length");
    }
    bulkLength = (int) length;
    bulkSeen = 0;
    if (length > bulkBytesKept) {
      bulk = null;
      refusal =
          "an argument has %d bytes, this node takes at most %d".formatted(length, bulkBytesKept);
      count(WORD_OVERHEAD_BYTES);
    } else {
      int size = Math.min(bulkLength, Math.max(BULK_BYTES_FIRST, buffer.readableBytes()));
      count(size + (long) WORD_OVERHEAD_BYTES);
      bulk = new byte[size];
    }
    return true;
  }

  /** Takes what came of a bulk and its line end; true once it is whole. */
  private boolean bulkBody() throws ProtocolError {
    int length = Math.min(bulkLength - bulkSeen, buffer.readableBytes());
    if (bulk == null) {
      buffer.skipBytes(length);
    } else {
      growBulk(bulkSeen + length);
      buffer.readBytes(bulk, bulkSeen, length);
    }
    bulkSeen += length;
    if (bulkSeen < bulkLength || buffer.readableBytes() < 2) {
      return false;
    }
    if (buffer.readByte() != '\r' || buffer.readByte() != '\n') {
      throw new ProtocolError("Protocol error: a bulk string does not end where its length says");
    }
    words.add(bulk == null ? new byte[0] : bulk);
    bulk = null;
    bulkLength = -1;
    return true;
  }

  private void growBulk(int needed) throws ProtocolError {
    if (needed > bulk.length) {
      int size = (int) Math.min(bulkLength, Math.max(needed, 2L * bulk.length));
      count(size - (long) bulk.length);
      byte[] larger = new byte[size];
      System.arraycopy(bulk, 0, larger, 0, bulkSeen);
      bulk = larger;
    }
  }

  private RespRequest finish() {
    RespRequest request = new RespRequest(words, wordBytes, refusal, false);
    words = List.of();
    wordBytes = 0;
    wordsWanted = 0;
    return request;
  }

  private RespRequest inline() throws ProtocolError {
    int start = buffer.readerIndex();
    int length = readLine("Protocol error: too big inline request");
    consumed = length >= 0;
    if (!consumed) {
      return null;
    }
    byte[] line = new byte[length];
    buffer.getBytes(start, line);
    if (first && OtherProtocols.isRequestLine(line)) {
      buffer.readerIndex(start); // whoever speaks HTTP reads it again
      return new RespRequest(List.of(), 0, "", true);
    }
    List<byte[]> split = InlineWords.split(line);
    if (split.isEmpty()) {
      return null; // an empty line keeps the connection open, as in Redis
    }
    first = false;
    count(line.length + (long) split.size() * WORD_OVERHEAD_BYTES);
    words = split;
    refusal = "";
    return finish();
  }

  /** Consumes a line once it is whole; its length without its end, or -1 until then. */
  private int readLine(String tooLong) throws ProtocolError {
    int start = buffer.readerIndex();
    int end = buffer.indexOf(start + scannedBytes, buffer.writerIndex(), (byte) '\n');
    if (end < 0) {
      scannedBytes = buffer.readableBytes();
      if (scannedBytes > Limits.LINE_BYTES_MAX + 1) { // 1: a carriage return
        throw new ProtocolError(tooLong);
      }
      return -1;
    }
    scannedBytes = 0;
    int length = end - start;
    if (length > 0 && buffer.getByte(end - 1) == '\r') {
      length--;
    }
    if (length > Limits.LINE_BYTES_MAX) {
      throw new ProtocolError(tooLong);
    }
    buffer.readerIndex(end + 1);
    return length;
  }

  /**
   * The number after a header's type, written as Redis writes one: no zero in front, no plus. A
   * negative one is -1, whatever it is; what is none is {@link #NO_NUMBER}. Without garbage.
   */
  private long number(int start, int length) {
    boolean negative = length > 1 && buffer.getByte(start + 1) == '-';
    int first = start + (negative ? 2 : 1);
    int digits = start + length - first;
    boolean zeroInFront = digits > 0 && buffer.getByte(first) == '0';
    if (digits < 1 || digits > DIGITS_MAX || (zeroInFront && (digits > 1 || negative))) {
      return NO_NUMBER;
    }
    long number = 0;
    for (int at = first; at < start + length; at++) {
      int digit = buffer.getByte(at) - '0';
      if (digit < 0 || digit > 9) {
        return NO_NUMBER;
      }
      number = number * 10 + digit;
    }
    return negative ? -1 : number;
  }

  private void count(long bytes) throws ProtocolError {
    if (wordBytes + bytes > requestBytesMax) {
      throw new ProtocolError(
          "request holds more than %d bytes: send it in smaller ones".formatted(requestBytesMax));
    }
    take(bytes);
    wordBytes += bytes;
  }

  private void countBuffer(int bytes) throws ProtocolError {
    take(bytes - bufferBytes);
    bufferBytes = bytes;
  }

  private void take(long bytes) throws ProtocolError {
    if (!memory.take(bytes)) {
      throw new ProtocolError(
          "this node holds too many bytes of requests that are not done: try again");
    }
  }

  private void dropBuffer() {
    buffer.release();
    buffer = Unpooled.EMPTY_BUFFER;
    borrowed = false;
    memory.give(bufferBytes);
    bufferBytes = 0;
  }
}

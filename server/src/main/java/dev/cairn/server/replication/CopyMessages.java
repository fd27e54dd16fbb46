// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * What nodes say to each other about copies.
 *
 * <pre>
 *   open   ::= format:1 number:8 group:8
 *   piece  ::= format:1 number:8 offset:8 length:4 name:ascii       length from 1 to 1 MiB
 *   close  ::= format:1 number:8
 *   answer ::= format:1 (1 byte* | 2 why:utf8 | 3 why:utf8)         DONE | LATER: ask again | REFUSED
 *   format ::= 1
 * </pre>
 *
 * <p>DONE answers an open with the manifest, a piece with as many bytes as were asked for or are
 * left of the file, a piece at the file's end with its crc32c in 4 bytes, a close with nothing.
 *
 * <p>The number of a copy is chosen by who fetches it, at random. So an open that is repeated,
 * since its answer was late, makes no second checkpoint; and pieces of a copy that an earlier
 * process gave are never taken for pieces of this one.
 */
final class CopyMessages {
  static final int PIECE_BYTES_MAX = 1 << 20;

  private static final byte FORMAT = 1;
  private static final byte DONE = 1;
  private static final byte LATER = 2;
  private static final byte REFUSED = 3;
  private static final int HEAD_BYTES = 2;
  private static final int NAME_BYTES_MAX = 255;
  private static final int WHY_BYTES_MAX = 1_000;

  private CopyMessages() {}

  /** Make a copy. */
  record Open(long number, long group) {
    byte[] encode() {
      return ByteBuffer.allocate(1 + 2 * Long.BYTES)
          .put(FORMAT)
          .putLong(number)
          .putLong(group)
          .array();
    }

    static Open decode(byte[] question) {
      ByteBuffer in = head(question);
      try {
        return ended(new Open(in.getLong(), in.getLong()), in);
      } catch (BufferUnderflowException e) {
        throw cut(e);
      }
    }
  }

  /** Give a piece of a file. */
  record Piece(long number, String name, long offset, int length) {
    Piece {
      if (offset < 0 || length < 1 || length > PIECE_BYTES_MAX) {
        throw new IllegalArgumentException(
            "no piece of a file: %d bytes at %d".formatted(length, offset));
      }
      if (name.length() > NAME_BYTES_MAX) {
        throw new IllegalArgumentException("no name of a file: it is too long");
      }
    }

    byte[] encode() {
      byte[] bytes = name.getBytes(StandardCharsets.ISO_8859_1);
      return ByteBuffer.allocate(1 + 2 * Long.BYTES + Integer.BYTES + bytes.length)
          .put(FORMAT)
          .putLong(number)
          .putLong(offset)
          .putInt(length)
          .put(bytes)
          .array();
    }

    static Piece decode(byte[] question) {
      ByteBuffer in = head(question);
      try {
        long number = in.getLong();
        long offset = in.getLong();
        int length = in.getInt();
        return new Piece(number, text(in, NAME_BYTES_MAX + 1), offset, length);
      } catch (BufferUnderflowException e) {
        throw cut(e);
      }
    }
  }

  /** The copy is no longer needed. */
  record Close(long number) {
    byte[] encode() {
      return ByteBuffer.allocate(1 + Long.BYTES).put(FORMAT).putLong(number).array();
    }

    static Close decode(byte[] question) {
      ByteBuffer in = head(question);
      try {
        return ended(new Close(in.getLong()), in);
      } catch (BufferUnderflowException e) {
        throw cut(e);
      }
    }
  }

  /** An answer, as it is read. */
  sealed interface Reply {
    /** What was asked for. */
    record Done(ByteBuffer bytes) implements Reply {}

    /** Not yet. */
    record Later(String why) implements Reply {}

    /** Never: asking again is of no use. */
    record Refused(String why) implements Reply {}

    /** An answer in an unknown format, or of an unknown kind, is a refusal. */
    static Reply decode(byte[] answer) {
      if (answer.length < HEAD_BYTES) {
        return new Refused("an answer of " + answer.length + " bytes");
      }
      ByteBuffer in = bodyOf(answer);
      if (answer[0] != FORMAT) {
        return new Refused(unknown(answer[0]));
      }
      return switch (answer[1]) {
        case DONE -> new Done(in);
        case LATER -> new Later(text(in, WHY_BYTES_MAX));
        case REFUSED -> new Refused(text(in, WHY_BYTES_MAX));
        default -> new Refused("an answer of unknown kind " + answer[1]);
      };
    }
  }

  /** An answer that is to be filled: {@link #bodyOf} has so many bytes. */
  static byte[] done(int bytes) {
    byte[] answer = new byte[HEAD_BYTES + bytes];
    answer[0] = FORMAT;
    answer[1] = DONE;
    return answer;
  }

  static byte[] done(byte[] body) {
    byte[] answer = done(body.length);
    bodyOf(answer).put(body);
    return answer;
  }

  /** What stands behind an answer's head, from position 0. */
  static ByteBuffer bodyOf(byte[] answer) {
    return ByteBuffer.wrap(answer, HEAD_BYTES, answer.length - HEAD_BYTES).slice();
  }

  static byte[] later(String why) {
    return answer(LATER, why);
  }

  static byte[] refused(String why) {
    return answer(REFUSED, why);
  }

  private static byte[] answer(byte kind, String why) {
    byte[] bytes = why.getBytes(StandardCharsets.UTF_8);
    int length = Math.min(bytes.length, WHY_BYTES_MAX);
    return ByteBuffer.allocate(HEAD_BYTES + length)
        .put(FORMAT)
        .put(kind)
        .put(bytes, 0, length)
        .array();
  }

  /** Whatever is left, and not more than so much of it. */
  private static String text(ByteBuffer in, int bytesMax) {
    byte[] bytes = new byte[Math.min(in.remaining(), bytesMax)];
    in.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static ByteBuffer head(byte[] question) {
    if (question.length == 0) {
      throw new IllegalArgumentException("an empty question for a copy");
    }
    if (question[0] != FORMAT) {
      throw new IllegalArgumentException(unknown(question[0]));
    }
    return ByteBuffer.wrap(question, 1, question.length - 1);
  }

  private static <T> T ended(T read, ByteBuffer in) {
    if (in.hasRemaining()) {
      throw new IllegalArgumentException("a question for a copy is too long");
    }
    return read;
  }

  private static IllegalArgumentException cut(BufferUnderflowException e) {
    return new IllegalArgumentException("a question for a copy is cut short", e);
  }

  private static String unknown(byte format) {
    return "messages about copies in format %d, and this node knows %d: upgrade the older node"
        .formatted(format, FORMAT);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.client.Address;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.Set;

/**
 * Nodes and values as the shell prints them.
 *
 * <p>A value of printable UTF-8 stands as it is. Any other (control bytes, bytes that are no UTF-8,
 * a blank at an end, nothing at all, or a quote at its start) stands in double quotes with escapes
 * that the shell reads back: what begins with a quote is quoted, so no two values print alike.
 */
final class Printed {
  private static final Set<String> HERE = Set.of("localhost", "127.0.0.1", "::1");

  private Printed() {}

  /** {@code [Node 5000]} on this host, else {@code [Node host:port]}. */
  static String node(String name) {
    try {
      return node(Address.parse(name));
    } catch (IllegalArgumentException notAnAddress) {
      return "[Node " + name + "]";
    }
  }

  static String node(Address node) {
    return "[Node " + (HERE.contains(node.host()) ? String.valueOf(node.port()) : node) + "]";
  }

  static String value(byte[] bytes) {
    String text = new String(bytes, StandardCharsets.UTF_8);
    boolean plain =
        !text.isEmpty()
            && text.charAt(0) != '"'
            && text.equals(text.strip())
            && text.codePoints().allMatch(Printed::printable)
            && java.util.Arrays.equals(text.getBytes(StandardCharsets.UTF_8), bytes);
    return plain ? text : quoted(bytes);
  }

  /** In double quotes, with escapes that the shell reads back. */
  static String quoted(byte[] bytes) {
    StringBuilder out = new StringBuilder("\"");
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer chars = CharBuffer.allocate(2);
    while (in.hasRemaining()) {
      int start = in.position();
      int codePoint = codePoint(decoder.reset(), in, chars);
      if (codePoint < 0) {
        escape(out, bytes, start, start + 1);
        in.position(start + 1);
      } else if (codePoint == '"' || codePoint == '\\') {
        out.append('\\').append((char) codePoint);
      } else if (printable(codePoint)) {
        out.appendCodePoint(codePoint);
      } else {
        escape(out, bytes, start, in.position());
      }
    }
    return out.append('"').toString();
  }

  /** The code point at the buffer's position, which moves past it; -1 when there is none. */
  private static int codePoint(CharsetDecoder decoder, ByteBuffer in, CharBuffer chars) {
    int start = in.position();
    int limit = in.limit();
    for (int length = 1; length <= 4 && start + length <= limit; length++) {
      chars.clear();
      in.position(start).limit(start + length);
      CoderResult result = decoder.reset().decode(in, chars, true);
      in.limit(limit);
      if (!result.isError() && chars.position() > 0) {
        chars.flip();
        return Character.codePointAt(chars, 0);
      }
    }
    return -1;
  }

  private static void escape(StringBuilder out, byte[] bytes, int from, int to) {
    for (int i = from; i < to; i++) {
      switch (bytes[i]) {
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\b' -> out.append("\\b");
        case 7 -> out.append("\\a");
        default -> out.append(String.format("\\x%02x", bytes[i]));
      }
    }
  }

  private static boolean printable(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      default -> true;
    };
  }
}

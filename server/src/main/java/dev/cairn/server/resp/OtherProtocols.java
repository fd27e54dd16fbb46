// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What shows that a client does not speak Redis' protocol.
 *
 * <p><b>HTTP from the start.</b> A connection speaks HTTP if its first line is a request line (RFC
 * 9112, section 3) with a target as a server of its own is sent one:
 *
 * <pre>
 * line    := method " " target " HTTP/" digit "." digit
 * method  := token                                             (RFC 9110, section 5.6.2)
 * target  := "*" | ("/" | "http://" | "https://") no blanks
 * </pre>
 *
 * <p>So {@code SET k HTTP/1.1} is a command, and the preface of HTTP/2, {@code PRI * HTTP/2.0}, is
 * HTTP.
 *
 * <p><b>HTTP later on.</b> A page in a browser may have its reader's browser send anything to any
 * port, but not without a line of HTTP before it. So whoever says {@code POST} or {@code Host:} as
 * a command is cut off, as by Redis: nothing that follows is carried out.
 */
final class OtherProtocols {
  private static final Pattern REQUEST_LINE =
      Pattern.compile(
          "[!#$%&'*+.^_`|~0-9A-Za-z-]+ (?:\\*|(?:/|(?i:https?://))\\S*) HTTP/[0-9]\\.[0-9]");

  private static final int FIRST_BYTES_MAX = 8 << 10;

  private static final String TLS_ONLY =
      "this port takes TLS only: connect with --tls (redis-cli, ./cairn), rediss:// or https://";

  private OtherProtocols() {}

  /** Whether a line, without its end, begins an HTTP request. */
  static boolean isRequestLine(byte[] line) {
    return endsInDigit(line)
        && REQUEST_LINE.matcher(new String(line, StandardCharsets.ISO_8859_1)).matches();
  }

  /** Most first lines are no HTTP, and some are long. */
  private static boolean endsInDigit(byte[] line) {
    return line.length > 0 && line[line.length - 1] >= '0' && line[line.length - 1] <= '9';
  }

  /** The answer of a port where no HTTP is served; the connection ends behind it. */
  static byte[] notHere() {
    String body =
        "This port speaks Redis' protocol: try redis-cli, or a line such as GET key. HTTP is served on the client port.\n";
    String head =
        "HTTP/1.1 501 Not Implemented\r\nContent-Type: text/plain; charset=utf-8\r\n"
            + "Content-Length: "
            + body.length()
            + "\r\nConnection: close\r\n\r\n";
    return (head + body).getBytes(StandardCharsets.US_ASCII);
  }

  /**
   * What a port that takes TLS only says to who begins with these bytes, in his own protocol as far
   * as they show it. They are not read.
   */
  static ByteBuf tlsOnly(ByteBuf begun) {
    String first =
        begun.toString(
            begun.readerIndex(),
            Math.min(begun.readableBytes(), FIRST_BYTES_MAX),
            StandardCharsets.ISO_8859_1);
    String line = first.split("\\r?\\n", 2)[0];
    if (!REQUEST_LINE.matcher(line).matches()) {
      return Unpooled.copiedBuffer("-ERR " + TLS_ONLY + "\r\n", StandardCharsets.US_ASCII);
    }
    String body = TLS_ONLY + "\n";
    return Unpooled.copiedBuffer(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: "
            + body.length()
            + "\r\nConnection: close\r\n\r\n"
            + body,
        StandardCharsets.US_ASCII);
  }

  /** Whether a request is a line of HTTP that can stand behind the first one. */
  static boolean isOfHttp(List<byte[]> words) {
    byte[] name = words.get(0);
    return (name.length == 4 || name.length == 5) && (is(name, "post") || is(name, "host:"));
  }

  private static boolean is(byte[] name, String wanted) {
    return new String(name, StandardCharsets.ISO_8859_1).equalsIgnoreCase(wanted);
  }
}

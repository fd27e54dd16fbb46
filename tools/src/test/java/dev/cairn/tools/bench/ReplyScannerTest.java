// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Replies are found wherever the network cuts them. */
final class ReplyScannerTest {
  private static final String REPLIES =
      "+OK\r\n:12\r\n:-3\r\n$5\r\na\r\nbc\r\n$0\r\n\r\n$-1\r\n_\r\n-MOVED 5 127.0.0.1:7\r\n-ERR\r\n";
  private static final List<String> SEEN =
      List.of(
          "simple",
          "int 12",
          "int -3",
          "bulk",
          "bulk",
          "nil",
          "nil",
          "MOVED: MOVED 5 127.0.0.1:7",
          "ERR: ERR");

  @Test
  void cutAtEveryPlace() throws MalformedReplyException {
    byte[] bytes = REPLIES.getBytes(StandardCharsets.US_ASCII);
    for (int first = 0; first <= bytes.length; first++) {
      for (int second = first; second <= bytes.length; second++) {
        ReplyScanner scanner = new ReplyScanner();
        List<String> seen = new ArrayList<>();
        scan(scanner, ByteBuffer.wrap(bytes, 0, first), seen);
        scan(scanner, ByteBuffer.wrap(bytes, first, second - first), seen);
        scan(scanner, ByteBuffer.wrap(bytes, second, bytes.length - second), seen);
        assertThat(seen).isEqualTo(SEEN);
      }
    }
  }

  @Test
  void whatIsNoReplyIsRefused() {
    for (String wrong :
        List.of(
            "HTTP/1.1 400\r\n",
            "*1\r\n",
            "\r\n",
            "+OK\rx",
            ":\r\n",
            ":1x\r\n",
            "$-2\r\n",
            "$536870913\r\n",
            ":12345678901234567890\r\n",
            "+" + "x".repeat(65_536))) {
      assertThatThrownBy(() -> scan(new ReplyScanner(), bytes(wrong), new ArrayList<>()))
          .as("%.20s", wrong)
          .isInstanceOf(MalformedReplyException.class);
    }
  }

  @Test
  void longErrorsAreCutAndControlCharactersShown() throws MalformedReplyException {
    List<String> seen = new ArrayList<>();
    scan(new ReplyScanner(), bytes("-" + "E".repeat(2_000) + " x\r\n-ERR a\u001b[2Jb\r\n"), seen);

    assertThat(seen.get(0)).hasSize(64 + 2 + 511);
    assertThat(seen.get(1)).isEqualTo("ERR: ERR a?[2Jb");
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static void scan(ReplyScanner scanner, ByteBuffer in, List<String> seen)
      throws MalformedReplyException {
    while (scanner.next(in)) {
      if (scanner.isError()) {
        seen.add(ReplyScanner.code(scanner.errorLine()) + ": " + scanner.errorLine());
      } else if (scanner.isNil()) {
        seen.add("nil");
      } else if (scanner.isInteger()) {
        seen.add("int " + scanner.number());
      } else {
        seen.add(scanner.isBulk() ? "bulk" : "simple");
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.protocol.RespReader;
import dev.cairn.protocol.RespValue;
import dev.cairn.server.command.Face;
import dev.cairn.server.metrics.Metrics;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Golden transcripts: each file in {@code src/test/resources/transcripts} is a conversation with a
 * real server over a {@link FakeRouter} of six partitions.
 *
 * <pre>
 * # a comment                     face cluster    (first line: else the client port)
 * > SET a b                       an inline command, sent as it stands
 * OK                              its reply, as redis-cli would show it in words
 * </pre>
 *
 * <p>After a change that is meant, run with {@code -Dcairn.rewrite=true} and read the diff.
 */
final class TranscriptTest {
  private static final boolean REWRITE = Boolean.getBoolean("cairn.rewrite");
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-01-02T03:04:05.678901Z"), ZoneOffset.UTC);

  @TestFactory
  Stream<DynamicTest> transcripts() throws Exception {
    Path folder = Path.of("src/test/resources/transcripts");
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> sorted = files.sorted().toList();
      assertThat(sorted).isNotEmpty();
      return sorted.stream()
          .map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> play(file)));
    }
  }

  private static void play(Path file) throws Exception {
    String expected = Files.readString(file);
    List<String> lines = expected.lines().toList();
    Face face = lines.get(0).equals("face cluster") ? Face.CLUSTER : Face.CLIENT;
    FrontConfig config = FrontConfig.of("127.0.0.1", 0, "0.1.0");
    FakeRouter router = new FakeRouter(6, Runnable::run);
    StringBuilder played = new StringBuilder();
    try (RespServer server =
            RespServer.start(config, router, face, new Metrics(), CLOCK, () -> {});
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      RespReader reader = new RespReader();
      for (String line : lines) {
        if (line.startsWith("> ")) {
          played.append(line).append('\n');
          socket
              .getOutputStream()
              .write((line.substring(2) + "\n").getBytes(StandardCharsets.UTF_8));
          String reply = show(receive(socket, reader), "");
          // The bus ports that are announced may happen to be the same number.
          played.append(reply.replaceAll("(?<!@)\\b" + server.port() + "\\b", "PORT"));
        } else if (line.isEmpty() || line.startsWith("#") || line.startsWith("face ")) {
          played.append(line).append('\n');
        }
      }
    }
    if (REWRITE) {
      Files.writeString(file, played);
    } else {
      assertThat(played.toString()).isEqualTo(expected);
    }
  }

  private static RespValue receive(Socket socket, RespReader reader) throws Exception {
    byte[] chunk = new byte[8192];
    while (true) {
      Optional<RespValue> value = reader.next();
      if (value.isPresent()) {
        return value.get();
      }
      int count = socket.getInputStream().read(chunk);
      assertThat(count).as("the server closed").isPositive();
      reader.feed(chunk, 0, count);
    }
  }

  /** One value in lines, its parts indented below it. */
  private static String show(RespValue value, String indent) {
    if (value instanceof RespValue.SimpleString simple) {
      return indent + simple.text() + "\n";
    } else if (value instanceof RespValue.ErrorReply error) {
      return indent + "(error) " + error.text() + "\n";
    } else if (value instanceof RespValue.Int number) {
      return indent + "(integer) " + number.value() + "\n";
    } else if (value instanceof RespValue.Bulk bulk) {
      return text(bulk.bytes(), indent);
    } else if (value instanceof RespValue.Verbatim verbatim) {
      return text(verbatim.bytes(), indent);
    } else if (value instanceof RespValue.Nil) {
      return indent + "(nil)\n";
    } else if (value instanceof RespValue.Array array) {
      return list("(array)", array.elements(), indent);
    } else if (value instanceof RespValue.Collection set) {
      return list("(set)", set.elements(), indent);
    } else if (value instanceof RespValue.Dictionary map) {
      return list("(map)", flat(map.entries()), indent);
    } else if (value instanceof RespValue.Attributed attributed) {
      return list("(attribute)", flat(attributed.attributes()), indent)
          + show(attributed.value(), indent);
    }
    throw new AssertionError("not shown yet: " + value);
  }

  private static String list(String kind, List<RespValue> elements, String indent) {
    StringBuilder lines = new StringBuilder(indent + kind + " " + elements.size() + "\n");
    elements.forEach(element -> lines.append(show(element, indent + "  ")));
    return lines.toString();
  }

  private static List<RespValue> flat(List<RespValue.Entry> entries) {
    List<RespValue> all = new ArrayList<>();
    entries.forEach(entry -> all.addAll(List.of(entry.key(), entry.value())));
    return all;
  }

  private static String text(byte[] bytes, String indent) {
    String text = new String(bytes, StandardCharsets.UTF_8);
    if (text.isEmpty()) {
      return indent + "\"\"\n";
    }
    StringBuilder lines = new StringBuilder();
    text.lines().forEach(line -> lines.append(indent).append("\"").append(line).append("\"\n"));
    return lines.toString();
  }
}

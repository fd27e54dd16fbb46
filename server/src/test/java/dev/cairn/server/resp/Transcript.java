// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.protocol.RespReader;
import dev.cairn.protocol.RespValue;
import dev.cairn.server.TestLoops;
import dev.cairn.server.access.LocalRights;
import dev.cairn.server.command.ClientState;
import dev.cairn.server.command.CommandTable;
import dev.cairn.server.command.PortKind;
import dev.cairn.server.command.ShutdownBy;
import dev.cairn.server.command.SlowLog;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.routing.Router;
import dev.cairn.server.tls.ClientTls;
import java.io.IOException;
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

/**
 * A conversation as a file: what is sent, and what comes back.
 *
 * <pre>
 * # a comment                     face cluster    (first line: else the client port)
 * > SET a b                       an inline command, sent as it stands
 * OK                              its reply, as redis-cli would show it in words
 * </pre>
 *
 * @param name of its file
 * @param text as it stands there
 */
public record Transcript(String name, String text) {
  /** What a server's clock shows while a transcript is played. */
  static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-01-02T03:04:05.678901Z"), ZoneOffset.UTC);

  private static final Path FOLDER = Path.of("src/test/resources/transcripts");

  /** Says one line, and returns what is replied. */
  @FunctionalInterface
  public interface Speaker {
    RespValue say(String line) throws IOException;
  }

  /** All of them, by name. */
  public static List<Transcript> all() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      List<Transcript> all = new ArrayList<>();
      for (Path file : files.sorted().toList()) {
        all.add(new Transcript(file.getFileName().toString(), Files.readString(file)));
      }
      assertThat(all).isNotEmpty();
      return all;
    }
  }

  /** The port that it is for. */
  public PortKind face() {
    return text.startsWith("face cluster\n") ? PortKind.CLUSTER : PortKind.CLIENT;
  }

  /** What is sent, in its order. */
  List<String> commands() {
    return text.lines().filter(line -> line.startsWith("> ")).map(l -> l.substring(2)).toList();
  }

  /** Plays it, and returns it with the replies that came. */
  public String play(Speaker speaker) throws IOException {
    StringBuilder played = new StringBuilder();
    for (String line : text.lines().toList()) {
      if (line.startsWith("> ")) {
        played.append(line).append('\n').append(show(speaker.say(line.substring(2)), ""));
      } else if (line.isEmpty() || line.startsWith("#") || line.startsWith("face ")) {
        played.append(line).append('\n');
      }
    }
    return played.toString();
  }

  void rewrite(String played) throws IOException {
    Files.writeString(FOLDER.resolve(name), played);
  }

  /** A server over a cluster, whose clock stands still. */
  public static RespServer serve(Router router, PortKind face) throws IOException {
    FrontConfig.Rules rules =
        new FrontConfig.Rules(
            ClientState.Defaults.QUORUM,
            new SlowLog(),
            ShutdownBy.LOCAL,
            ClientTls.off(),
            LocalRights.of(CommandTable.catalog()));
    FrontConfig config = FrontConfig.of("127.0.0.1", 0, "0.1.0", TestLoops.SHARED).with(rules);
    return RespServer.start(config, router, face, new Metrics(), CLOCK, () -> {});
  }

  /** A connection that is spoken to in lines. */
  public static final class Connection implements Speaker, AutoCloseable {
    private final Socket socket;
    private final RespReader reader = new RespReader();
    private final byte[] chunk = new byte[8192];

    public Connection(RespServer server) throws IOException {
      socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
      socket.setTcpNoDelay(true);
    }

    /** Its own end's port. */
    int port() {
      return socket.getLocalPort();
    }

    @Override
    public RespValue say(String line) throws IOException {
      socket.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
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

    @Override
    public void close() throws IOException {
      socket.close();
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

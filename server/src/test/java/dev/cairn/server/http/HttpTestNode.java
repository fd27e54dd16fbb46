// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import dev.cairn.server.TestLoops;
import dev.cairn.server.access.AccessControl;
import dev.cairn.server.command.ClientState;
import dev.cairn.server.command.CommandTable;
import dev.cairn.server.command.PortKind;
import dev.cairn.server.command.SlowLog;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.resp.FakeRouter;
import dev.cairn.server.resp.FrontConfig;
import dev.cairn.server.resp.RespServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * A node's client port over a cluster in memory, and a client that says exactly what it is told.
 */
final class HttpTestNode implements AutoCloseable {
  static final int VALUE_BYTES_MAX = 8 << 20;

  /** Two of the longest values. */
  static final long MEMORY_BYTES_MAX = 2L * VALUE_BYTES_MAX;

  /** Holds every answer of {@link #ask}. */
  final Contract contract = new Contract();

  final FakeRouter router;
  volatile Optional<String> notReady = Optional.empty();
  final Metrics metrics = new Metrics();
  private final HttpFront http;
  private final RespServer server;

  HttpTestNode(int partitions) throws IOException {
    this(partitions, AccessControl.open(CommandTable.catalog()));
  }

  HttpTestNode(int partitions, AccessControl access) throws IOException {
    router = new FakeRouter(partitions, Runnable::run);
    http =
        new HttpFront(
            new HttpConfig(
                Set.of("node.example"),
                VALUE_BYTES_MAX,
                ClientState.Defaults.QUORUM,
                new SlowLog(),
                access),
            router,
            metrics,
            () -> notReady,
            MEMORY_BYTES_MAX);
    server =
        RespServer.start(
            FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED),
            router,
            PortKind.CLIENT,
            metrics,
            Optional.of(http),
            () -> {});
  }

  /**
   * One answer.
   *
   * @param headers by their names in lower case
   */
  record Answer(int status, TreeMap<String, String> headers, byte[] body) {
    String text() {
      return new String(body, StandardCharsets.UTF_8);
    }

    String header(String name) {
      return headers.get(name.toLowerCase(Locale.ROOT));
    }
  }

  /** Who lets requests in. */
  Gate gate() {
    return http.gate();
  }

  /** The table of what is served. */
  List<Route> routes() {
    return http.gate().routes();
  }

  int port() {
    return server.port();
  }

  int connections() {
    return server.connections();
  }

  /** Bytes that bodies and answers hold. */
  long held() {
    return http.memory().bytes() + http.documents().bytes() + router.replies.bytes();
  }

  /** Documents that nobody reads take all room for such, until this is run. */
  Runnable fillDocuments() {
    long taken = 0;
    for (long part = 1L << 40; part > 0; part /= 2) {
      while (http.documents().take(part)) {
        taken += part;
      }
    }
    long all = taken;
    return () -> http.documents().give(all);
  }

  /** The same of bodies that have not come to their end. */
  Runnable fillBodies() {
    if (!http.memory().take(MEMORY_BYTES_MAX)) {
      throw new IllegalStateException("there are bodies already");
    }
    return () -> http.memory().give(MEMORY_BYTES_MAX);
  }

  /** A request without a body; its header lines follow. */
  Answer ask(String methodAndTarget, String... lines) throws IOException {
    return ask(methodAndTarget, new byte[0], lines);
  }

  Answer ask(String methodAndTarget, byte[] body, String... lines) throws IOException {
    Answer answer = exchange(request(methodAndTarget, body, lines)).get(0);
    contract.hold(methodAndTarget, answer);
    return answer;
  }

  static byte[] request(String methodAndTarget, byte[] body, String... lines) {
    StringBuilder head = new StringBuilder(methodAndTarget + " HTTP/1.1\r\nHost: localhost\r\n");
    for (String line : lines) {
      head.append(line).append("\r\n");
    }
    if (body.length > 0) {
      head.append("Content-Length: ").append(body.length).append("\r\n");
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes(head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
    bytes.writeBytes(body);
    return bytes.toByteArray();
  }

  /** Sends, says that this was all, and reads every answer to the end. */
  List<Answer> exchange(byte[] requests) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", port())) {
      socket.setSoTimeout(30_000);
      OutputStream out = socket.getOutputStream();
      out.write(requests);
      out.flush();
      socket.shutdownOutput();
      boolean head = new String(requests, StandardCharsets.ISO_8859_1).startsWith("HEAD ");
      return answers(socket.getInputStream(), head);
    }
  }

  private static List<Answer> answers(InputStream in, boolean head) throws IOException {
    List<Answer> answers = new ArrayList<>();
    for (Optional<Answer> next = answer(in, head); next.isPresent(); next = answer(in, head)) {
      answers.add(next.get());
    }
    return answers;
  }

  /** The next answer; empty at the end. */
  static Optional<Answer> answer(InputStream in, boolean head) throws IOException {
    String status = line(in);
    if (status.isEmpty()) {
      return Optional.empty();
    }
    TreeMap<String, String> headers = new TreeMap<>();
    for (String line = line(in); !line.isEmpty(); line = line(in)) {
      int colon = line.indexOf(':');
      headers.put(
          line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).trim());
    }
    int length = head ? 0 : Integer.parseInt(headers.getOrDefault("content-length", "0"));
    return Optional.of(
        new Answer(Integer.parseInt(status.split(" ")[1]), headers, in.readNBytes(length)));
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int octet = in.read(); octet >= 0 && octet != '\n'; octet = in.read()) {
      line.append((char) octet);
    }
    return line.toString().stripTrailing();
  }

  @Override
  public void close() {
    server.close();
    http.close();
  }
}

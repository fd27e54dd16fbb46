// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.protocol.RespReader;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.RespWriter;
import dev.cairn.server.TestLoops;
import dev.cairn.server.command.OrderExamples;
import dev.cairn.server.command.PortKind;
import dev.cairn.server.metrics.Metrics;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Whatever a client sends ahead on one connection is answered as if it had waited for each reply:
 * every command, among writes that go before and behind it, while writes take longer than reads or
 * the other way round.
 */
final class PipelineOrderTest {
  private static final long SLOW_MICROS = 500;

  private final ScheduledExecutorService late = Executors.newSingleThreadScheduledExecutor();
  private final Executor slow = task -> late.schedule(task, SLOW_MICROS, TimeUnit.MICROSECONDS);

  @AfterEach
  void stop() {
    late.shutdownNow();
  }

  /** How requests are written. */
  private enum Form {
    ARRAYS(line -> line),
    LINES(line -> line),
    WITH(line -> "CAIRN WITH CONSISTENCY QUORUM DO " + line);

    private final UnaryOperator<String> call;

    Form(UnaryOperator<String> call) {
      this.call = call;
    }

    byte[] bytes(List<String> requests) throws IOException {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      for (String request : requests) {
        if (this == LINES) {
          bytes.write((request + "\r\n").getBytes(StandardCharsets.UTF_8));
        } else {
          String[] words = request.split(" ");
          Arrays.asList(words).replaceAll(word -> word.equals("\"\"") ? "" : word);
          bytes.write(RespWriter.command(words));
        }
      }
      return bytes.toByteArray();
    }
  }

  @Test
  void everyCommandThatMayTouchDataHasAnExample() {
    assertThat(OrderExamples.missing()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void whileWritesAreSlow(Form form) throws Exception {
    compare(PortKind.CLIENT, form, slow, Runnable::run);
  }

  @Test
  void whileWritesAreSlowOnTheClusterPort() throws Exception {
    compare(PortKind.CLUSTER, Form.ARRAYS, slow, Runnable::run);
  }

  @Test
  void whileReadsAreSlow() throws Exception {
    compare(PortKind.CLIENT, Form.ARRAYS, Runnable::run, slow);
  }

  @Test
  void tenThousandRequestsWhoseReaderStallsAreBoundedAndAllAreRight() throws Exception {
    FakeRouter patient = new FakeRouter(1, Runnable::run);
    FakeRouter stalled = new FakeRouter(1, slow, Runnable::run);
    List<String> requests = new ArrayList<>();
    while (requests.size() < 10_000) {
      for (List<String> call : OrderExamples.all()) {
        if (!call.contains("RANDOMKEY")) { // there are more keys than one
          requests.add("SET {u}d " + "x".repeat(8 << 10));
          requests.addAll(call);
          requests.addAll(List.of("SET {u}a 5", "GET {u}d", "GET {u}d", "GETEX {u}d"));
        }
      }
    }
    try (Server one = new Server(patient, PortKind.CLIENT);
        Server other = new Server(stalled, PortKind.CLIENT)) {
      byte[] bytes = Form.ARRAYS.bytes(requests);
      FutureTask<Void> sending = new FutureTask<>(() -> other.send(bytes), null);
      new Thread(sending).start();
      List<RespValue> expected = new ArrayList<>();
      for (String request : requests) {
        expected.addAll(one.ask(Form.ARRAYS.bytes(List.of(request)), 1));
      }
      await().until(() -> stalled.requests.get() > 100);
      assertThat(stalled.requests)
          .as("what was read of none")
          .hasValueLessThan(requests.size() / 2);
      assertThat(other.server.requestBytes())
          .isLessThanOrEqualTo(
              FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED).bounds().requestBytesMax());
      assertThat(other.receive(requests.size())).isEqualTo(expected);
      sending.get();
      await().until(() -> other.server.requestBytes() == 0 && stalled.replies.bytes() == 0);
    }
  }

  private void compare(PortKind face, Form form, Executor writes, Executor reads) throws Exception {
    List<String> differences = new ArrayList<>();
    FakeRouter patient = new FakeRouter(1, Runnable::run);
    FakeRouter pipelined = new FakeRouter(1, writes, reads);
    try (Server one = new Server(patient, face);
        Server other = new Server(pipelined, face)) {
      for (List<String> call : OrderExamples.all()) {
        if (form != Form.WITH || OrderExamples.touchesKeys(call)) {
          List<String> requests = pipeline(call.stream().map(form.call).toList());
          List<RespValue> expected = new ArrayList<>();
          for (String request : requests) {
            expected.addAll(one.ask(form.bytes(List.of(request)), 1));
          }
          List<RespValue> actual = other.ask(form.bytes(requests), requests.size());
          if (!actual.equals(expected)) {
            differences.add(requests + "\n expected " + expected + "\n but was  " + actual);
          }
        }
      }
    }
    assertThat(differences).isEmpty();
  }

  private static List<String> pipeline(List<String> call) {
    List<String> requests = new ArrayList<>();
    for (String write :
        List.of(
            "MSET {u}a 5 {u}b xyz",
            "SET {u}a 6",
            "DEL {u}a {u}b {u}c",
            "SET {u}a 7 PX 100000",
            "DEL {u}a {u}b {u}c")) {
      requests.add(write);
      requests.addAll(call);
    }
    requests.add("MGET {u}a {u}b {u}c");
    requests.add("DEL {u}a {u}b {u}c");
    return requests;
  }

  /** A server, and one connection to it. */
  private static final class Server implements AutoCloseable {
    private final RespServer server;
    private final Socket socket;
    private final RespReader reader = new RespReader();
    private final byte[] chunk = new byte[65_536];

    Server(FakeRouter router, PortKind face) throws IOException {
      FrontConfig config = FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED);
      server = RespServer.start(config, router, face, new Metrics(), () -> {});
      socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
    }

    /** Sends in one write, and waits for so many replies. */
    List<RespValue> ask(byte[] requests, int count) throws IOException {
      send(requests);
      return receive(count);
    }

    void send(byte[] requests) {
      try {
        socket.getOutputStream().write(requests);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    List<RespValue> receive(int count) throws IOException {
      List<RespValue> replies = new ArrayList<>();
      while (replies.size() < count) {
        Optional<RespValue> next = reader.next();
        if (next.isPresent()) {
          replies.add(next.get());
          continue;
        }
        int length = socket.getInputStream().read(chunk);
        assertThat(length).as("the server closed").isPositive();
        reader.feed(chunk, 0, length);
      }
      return replies;
    }

    @Override
    public void close() throws IOException {
      socket.close();
      server.stop();
    }
  }
}

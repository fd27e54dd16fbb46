// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.protocol.RespValue;
import dev.cairn.server.command.PortKind;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** CLIENT PAUSE over connections, and what it leaves alone. */
final class PauseTest {
  private static final RespValue OK = RespValue.OK;

  private final FakeRouter router = new FakeRouter(2, Runnable::run);
  private RespServer server;
  private Transcript.Connection operator;
  private Transcript.Connection client;

  @BeforeEach
  void start() throws IOException {
    server = Transcript.serve(router, PortKind.CLIENT);
    operator = new Transcript.Connection(server);
    client = new Transcript.Connection(server);
  }

  @AfterEach
  void stop() throws IOException {
    operator.close();
    client.close();
    server.close();
  }

  private CompletableFuture<RespValue> asking(String line) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return client.say(line);
          } catch (IOException e) {
            throw new IllegalStateException(e);
          }
        });
  }

  /** Asks, and waits until the node has read it. */
  private CompletableFuture<RespValue> asked(String line) {
    CompletableFuture<RespValue> answer = asking(line);
    Awaitility.await().until(() -> server.requestBytes() > 0);
    return answer;
  }

  @Test
  void writesWaitAndReadsDoNot() throws Exception {
    assertThat(client.say("SET k 1")).isEqualTo(OK);
    assertThat(operator.say("CLIENT PAUSE 600000 WRITE")).isEqualTo(OK);

    assertThat(client.say("GET k")).isEqualTo(RespValue.bulk("1"));
    CompletableFuture<RespValue> write = asked("SET k 2");
    assertThat(operator.say("GET k")).isEqualTo(RespValue.bulk("1"));
    assertThat(write).isNotDone();

    assertThat(operator.say("CLIENT UNPAUSE")).isEqualTo(OK);
    assertThat(write.get(30, TimeUnit.SECONDS)).isEqualTo(OK);
    assertThat(operator.say("GET k")).isEqualTo(RespValue.bulk("2"));
  }

  @Test
  void everythingWaitsButWhatEndsIt() throws Exception {
    assertThat(operator.say("CLIENT PAUSE 600000")).isEqualTo(OK);

    CompletableFuture<RespValue> ping = asked("PING");
    assertThat(operator.say("CLIENT ID")).isInstanceOf(RespValue.Int.class);
    assertThat(operator.say("RESET")).isEqualTo(new RespValue.SimpleString("RESET"));
    assertThat(ping).isNotDone();

    assertThat(operator.say("CLIENT UNPAUSE")).isEqualTo(OK);
    assertThat(ping.get(30, TimeUnit.SECONDS)).isEqualTo(new RespValue.SimpleString("PONG"));
  }

  @Test
  void aPauseEndsByItself() throws Exception {
    assertThat(operator.say("CLIENT PAUSE 200 ALL")).isEqualTo(OK);
    assertThat(asking("SET k 3").get(30, TimeUnit.SECONDS)).isEqualTo(OK);
  }

  @Test
  void theLaterPauseCounts() throws Exception {
    assertThat(operator.say("CLIENT PAUSE 9223372036854775807 ALL")).isEqualTo(OK);
    CompletableFuture<RespValue> read = asked("GET k");
    assertThat(operator.say("CLIENT PAUSE 600000 WRITE")).isEqualTo(OK);
    assertThat(read.get(30, TimeUnit.SECONDS)).isEqualTo(RespValue.NIL);
  }

  @Test
  void whoWaitsAndIsKilledLeavesNothingBehind() throws Exception {
    RespValue id = client.say("CLIENT ID");
    assertThat(operator.say("CLIENT PAUSE 600000")).isEqualTo(OK);
    CompletableFuture<RespValue> ping = asked("PING");

    assertThat(operator.say("CLIENT KILL ID " + ((RespValue.Int) id).value()))
        .isEqualTo(new RespValue.Int(1));
    assertThat(ping.handle((answer, closed) -> closed).get(30, TimeUnit.SECONDS)).isNotNull();
    Awaitility.await().until(() -> server.requestBytes() == 0 && server.connections() == 1);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.server.raft.PeerTransport.Answer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PeerTransportTest {
  private static final byte KIND = 77;
  private static final int TIMEOUT_MILLIS = 20_000;

  @TempDir Path folder;

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static CompletableFuture<Answer> send(PeerTransport from, int port, byte[] body) {
    CompletableFuture<Answer> answer = new CompletableFuture<>();
    from.send("127.0.0.1", port, KIND, body, TIMEOUT_MILLIS, answer::complete);
    return answer;
  }

  /** The first message finds no connection; one is opened meanwhile. */
  private static boolean received(CompletableFuture<Answer> answer) throws Exception {
    return answer.get(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS) instanceof Answer.Received;
  }

  @Test
  void connectionWithMuchUnsentIsNoBrokenConnection() throws Exception {
    int port = freePort();
    try (SharedLog log = SharedLog.open(folder.resolve("log"), damage -> {});
        RaftEngine engine = RaftEngine.start("127.0.0.1", "127.0.0.1", port, log)) {
      engine.transport().handle(KIND, (body, answer) -> answer.accept(new byte[] {1}));
      await().until(() -> received(send(engine.transport(), port, new byte[1])));
      List<CompletableFuture<Answer>> answers = new ArrayList<>();
      for (int i = 0; i < 24; i++) {
        answers.add(send(engine.transport(), port, new byte[1 << 20]));
      }
      for (CompletableFuture<Answer> answer : answers) {
        assertThat(answer.get(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS))
            .isInstanceOf(Answer.Received.class);
      }
    }
  }

  @Test
  void addressWhereNobodyListensIsACertainFailure() throws Exception {
    int port = freePort();
    try (SharedLog log = SharedLog.open(folder.resolve("log"), damage -> {});
        RaftEngine engine = RaftEngine.start("127.0.0.1", "127.0.0.1", port, log)) {
      assertThat(send(engine.transport(), freePort(), new byte[1]).get(20, TimeUnit.SECONDS))
          .isInstanceOf(Answer.NotSent.class);
    }
  }
}

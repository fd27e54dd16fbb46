// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.protocol.Consistency;
import dev.cairn.server.command.PortKind;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Reply;
import dev.cairn.server.partition.LogLimits;
import dev.cairn.server.resp.FrontConfig;
import dev.cairn.server.resp.RespServer;
import io.netty.util.concurrent.EventExecutor;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Nodes whose clients, peers and shard share one loop. */
@Timeout(120)
class OneLoopTest {
  private static final int LEADER = 0;

  @TempDir Path folder;
  private RuntimeCluster cluster;
  private int partition;

  private record Answered(Reply reply, Thread by) {}

  @BeforeEach
  void start() throws Exception {
    cluster = RuntimeCluster.start(folder, LogLimits.DEFAULT);
    partition = cluster.partitionOn(LEADER, 1);
    cluster.awaitLeader(partition, LEADER);
  }

  @AfterEach
  void stop() {
    if (cluster != null) {
      cluster.close();
    }
  }

  @Test
  void aGetOfWhatTheNodeLeadsIsAskedAndAnsweredOnTheLoop() throws Exception {
    String key = RuntimeCluster.key(partition, 1);
    cluster.put(LEADER, key, "value");
    cluster.get(LEADER, key); // from now on memory has it
    EventExecutor loop = cluster.loops(LEADER).group().next();
    CompletableFuture<Answered> answered = new CompletableFuture<>();
    Thread thread =
        loop.submit(
                () -> {
                  cluster
                      .node(LEADER)
                      .router()
                      .read(
                          partition,
                          List.of(new Query.Get(key.getBytes(StandardCharsets.UTF_8))),
                          Consistency.QUORUM,
                          reply -> answered.complete(new Answered(reply, Thread.currentThread())));
                  return Thread.currentThread();
                })
            .get();
    Answered answer = answered.get(20, TimeUnit.SECONDS);
    assertThat(answer.reply()).isInstanceOf(Reply.Done.class);
    assertThat(RuntimeCluster.value((Reply.Done) answer.reply())).contains("value");
    assertThat(answer.by()).isSameAs(thread);
  }

  @Test
  void aClientIsServedAcrossARestartOfAllBelowItsPort() throws Exception {
    String key = RuntimeCluster.key(partition, 2);
    try (RespServer server = serve();
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        BufferedReader in =
            new BufferedReader(
                new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8))) {
      assertThat(ask(socket, in, "SET " + key + " one")).isEqualTo("+OK");
      assertThat(ask(socket, in, "GET " + key)).isEqualTo("$3");
      assertThat(in.readLine()).isEqualTo("one");
      cluster.stop(LEADER);
      assertThat(ask(socket, in, "PING")).as("the loop goes on").isEqualTo("+PONG");
      cluster.start(LEADER);
      cluster.awaitLeaders();
      cluster.put(LEADER, key, "two");
    }
    assertThat(cluster.get(LEADER, key)).contains("two");
  }

  private RespServer serve() throws Exception {
    return RespServer.start(
        FrontConfig.of("127.0.0.1", 0, "test", cluster.loops(LEADER)),
        cluster.node(LEADER).router(),
        PortKind.CLIENT,
        cluster.metrics(LEADER),
        () -> {});
  }

  private static String ask(Socket socket, BufferedReader in, String line) throws Exception {
    socket.getOutputStream().write((line + "\r\n").getBytes(StandardCharsets.UTF_8));
    return in.readLine();
  }
}

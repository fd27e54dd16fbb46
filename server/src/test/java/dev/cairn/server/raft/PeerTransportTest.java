// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.alipay.sofa.jraft.rpc.RpcRequests.PingRequest;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.raft.PeerTransport.Answer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
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
    try (SharedLog log = SharedLog.open(folder.resolve("log"), damage -> {}, new Metrics());
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

  /**
   * A node whose disk was full opens everything anew on its port. Connections that are accepted
   * while it closes must not stay with what was closed.
   */
  @Test
  void aPortThatIsOpenedAnewIsReachedHoweverManyConnectWhileItCloses() throws Exception {
    int port = freePort();
    try (SharedLog log = SharedLog.open(folder.resolve("log"), damage -> {}, new Metrics());
        RaftEngine other = RaftEngine.start("127.0.0.1", "127.0.0.1", freePort(), log)) {
      AtomicBoolean enough = new AtomicBoolean();
      Thread sender =
          new Thread(
              () -> {
                while (!enough.get()) {
                  send(other.transport(), port, new byte[1]).join();
                }
              });
      sender.start();
      List<Thread> load = busy(enough);
      for (byte run = 1; run <= 30; run++) {
        byte[] mine = {run};
        RaftEngine engine =
            await()
                .ignoreException(IOException.class)
                .until(() -> RaftEngine.start("127.0.0.1", "127.0.0.1", port, log), e -> true);
        engine.transport().handle(KIND, (body, answer) -> answer.accept(mine));
        await()
            .until(
                () ->
                    send(other.transport(), port, new byte[1])
                                .get(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)
                            instanceof Answer.Received received
                        && Arrays.equals(received.body(), mine));
        engine.close();
      }
      enough.set(true);
      sender.join();
      for (Thread thread : load) {
        thread.join();
      }
    }
  }

  /** On an idle machine nothing comes between two steps of a close. */
  private static List<Thread> busy(AtomicBoolean enough) {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      Thread thread =
          new Thread(
              () -> {
                while (!enough.get()) {
                  Thread.onSpinWait();
                }
              });
      thread.start();
      threads.add(thread);
    }
    return threads;
  }

  @Test
  void addressWhereNobodyListensIsACertainFailure() throws Exception {
    int port = freePort();
    try (SharedLog log = SharedLog.open(folder.resolve("log"), damage -> {}, new Metrics());
        RaftEngine engine = RaftEngine.start("127.0.0.1", "127.0.0.1", port, log)) {
      assertThat(send(engine.transport(), freePort(), new byte[1]).get(20, TimeUnit.SECONDS))
          .isInstanceOf(Answer.NotSent.class);
    }
  }

  /** What a peer port would build if it deserialized what it is sent. */
  public static final class Tripwire implements java.io.Serializable {
    private static final long serialVersionUID = 1;
    static final AtomicInteger BUILT = new AtomicInteger();

    public Tripwire() {
      BUILT.incrementAndGet();
    }
  }

  /**
   * Bolt picks the serializer that a frame names. Hessian, its default, builds whatever class the
   * bytes ask for: it must not be on the class path, and the port must survive being asked for it.
   */
  @Test
  void aHessianFrameBuildsNothingAndThePortGoesOn() throws Exception {
    assertThatThrownBy(() -> Class.forName("com.caucho.hessian.io.Hessian2Input"))
        .isInstanceOf(ClassNotFoundException.class);
    int port = freePort();
    try (SharedLog log = SharedLog.open(folder.resolve("log"), damage -> {}, new Metrics());
        RaftEngine engine = RaftEngine.start("127.0.0.1", "127.0.0.1", port, log)) {
      engine.transport().handle(KIND, (body, answer) -> answer.accept(new byte[] {1}));
      await().until(() -> received(send(engine.transport(), port, new byte[1])));
      for (String requestClass :
          List.of(
              PeerTransport.class.getName() + "$Request",
              PingRequest.class.getName(),
              Tripwire.class.getName())) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
          socket.getOutputStream().write(hessianFrame(requestClass));
          socket.shutdownOutput();
          drain(socket); // until it was dealt with and the connection ended
        }
        assertThat(Tripwire.BUILT).as("through %s", requestClass).hasValue(0);
        assertThat(received(send(engine.transport(), port, new byte[1]))).isTrue();
      }
    }
  }

  private static void drain(Socket socket) throws IOException {
    socket.setSoTimeout(TIMEOUT_MILLIS);
    while (socket.getInputStream().read() >= 0) {
      // an error, or nothing
    }
  }

  /**
   * A request of Bolt's protocol, version 2.
   *
   * <pre>
   *   protocol:1 version:1 type:1 command:2 commandVersion:1 requestId:4 serializer:1 switches:1
   *   timeout:4 classLength:2 headerLength:2 contentLength:4 class content
   *   content ::= 'M' 't' length:2 type 'z'          (Hessian: an object of a class, no fields)
   * </pre>
   */
  private static byte[] hessianFrame(String requestClass) {
    byte[] name = requestClass.getBytes(StandardCharsets.US_ASCII);
    byte[] content = hessianContent();
    ByteBuffer frame = ByteBuffer.allocate(24 + name.length + content.length);
    frame.put((byte) 2).put((byte) 1).put((byte) 1).putShort((short) 1).put((byte) 1).putInt(7);
    frame.put((byte) 1).put((byte) 0).putInt(TIMEOUT_MILLIS);
    frame.putShort((short) name.length).putShort((short) 0).putInt(content.length);
    return frame.put(name).put(content).array();
  }

  private static byte[] hessianContent() {
    byte[] type = Tripwire.class.getName().getBytes(StandardCharsets.US_ASCII);
    ByteBuffer content = ByteBuffer.allocate(5 + type.length);
    content.put((byte) 'M').put((byte) 't').putShort((short) type.length);
    return content.put(type).put((byte) 'z').array();
  }
}

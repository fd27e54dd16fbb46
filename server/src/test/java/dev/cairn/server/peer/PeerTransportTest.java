// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.cairn.server.FreePorts;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class PeerTransportTest {
  private static final byte KIND = 77;
  private static final int TIMEOUT_MILLIS = 20_000;
  private static final String LOCAL = "127.0.0.1";

  private static CompletableFuture<Answer> send(
      PeerTransport from, int port, int stream, byte[] body, long timeoutMillis) {
    CompletableFuture<Answer> answer = new CompletableFuture<>();
    from.send(LOCAL, port, KIND, stream, body, timeoutMillis, answer::complete);
    return answer;
  }

  private static CompletableFuture<Answer> send(PeerTransport from, int port, byte[] body) {
    return send(from, port, 0, body, TIMEOUT_MILLIS);
  }

  private static Answer get(CompletableFuture<Answer> answer) throws Exception {
    return answer.get(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
  }

  private static boolean received(CompletableFuture<Answer> answer) throws Exception {
    return get(answer) instanceof Answer.Received;
  }

  @Test
  void theFirstMessageOpensTheConnectionAndIsAnswered() throws Exception {
    int port = FreePorts.next();
    try (PeerTransport to = PeerTransport.listen(LOCAL, port);
        PeerTransport from = PeerTransport.listen(LOCAL, FreePorts.next())) {
      to.handle(KIND, (body, answer) -> answer.accept(new byte[] {(byte) (body[0] + 1)}));
      for (Traffic traffic : Traffic.values()) {
        CompletableFuture<Answer> answer = new CompletableFuture<>();
        from.send(traffic, LOCAL, port, KIND, 0, new byte[] {41}, TIMEOUT_MILLIS, answer::complete);
        assertThat(get(answer))
            .isInstanceOfSatisfying(
                Answer.Received.class, received -> assertThat(received.body()).containsExactly(42));
      }
    }
  }

  @Test
  void largeMessagesWaitForEachOtherAndAllArrive() throws Exception {
    int port = FreePorts.next();
    try (PeerTransport to = PeerTransport.listen(LOCAL, port);
        PeerTransport from = PeerTransport.listen(LOCAL, FreePorts.next())) {
      to.handle(KIND, (body, answer) -> answer.accept(new byte[] {1}));
      List<CompletableFuture<Answer>> answers = new ArrayList<>();
      for (int i = 0; i < 24; i++) {
        answers.add(send(from, port, new byte[1 << 20]));
      }
      for (CompletableFuture<Answer> answer : answers) {
        assertThat(get(answer)).isInstanceOf(Answer.Received.class);
      }
    }
  }

  /** What is unanswered is bounded; what comes on top certainly did not leave. */
  @Test
  void moreUnansweredThanTheBoundIsNotSent() throws Exception {
    int port = FreePorts.next();
    try (PeerTransport to = PeerTransport.listen(LOCAL, port);
        PeerTransport from = PeerTransport.listen(LOCAL, FreePorts.next())) {
      to.handle(KIND, (body, answer) -> {}); // never answers
      byte[] body = new byte[8 << 20];
      List<CompletableFuture<Answer>> answers = new ArrayList<>();
      for (long bytes = 0; bytes < Link.UNANSWERED_BYTES_MAX; bytes += body.length) {
        answers.add(send(from, port, 0, body, 1_000));
      }
      assertThat(get(send(from, port, new byte[1]))).isInstanceOf(Answer.NotSent.class);
      for (CompletableFuture<Answer> answer : answers) {
        assertThat(get(answer)).isInstanceOf(Answer.Lost.class);
      }
      to.handle((byte) (KIND + 1), (message, answer) -> answer.accept(message));
      CompletableFuture<Answer> again = new CompletableFuture<>();
      from.send(LOCAL, port, (byte) (KIND + 1), 0, new byte[1], TIMEOUT_MILLIS, again::complete);
      assertThat(get(again)).isInstanceOf(Answer.Received.class);
    }
  }

  @Test
  void messagesOfAStreamAreDealtWithInTheirOrderAndAnsweredInAny() throws Exception {
    int port = FreePorts.next();
    int messages = 2_000;
    List<Integer> arrived = Collections.synchronizedList(new ArrayList<>());
    try (PeerTransport to = PeerTransport.listen(LOCAL, port);
        PeerTransport from = PeerTransport.listen(LOCAL, FreePorts.next())) {
      to.handle(
          KIND,
          (body, answer) -> {
            arrived.add(ByteBuffer.wrap(body).getInt());
            answer.accept(body);
          });
      List<CompletableFuture<Answer>> answers = new ArrayList<>();
      for (int i = 0; i < messages; i++) {
        answers.add(
            send(from, port, 4711, ByteBuffer.allocate(4).putInt(i).array(), TIMEOUT_MILLIS));
      }
      for (int i = 0; i < messages; i++) {
        Answer.Received received = (Answer.Received) get(answers.get(i));
        assertThat(ByteBuffer.wrap(received.body()).getInt()).isEqualTo(i);
      }
    }
    assertThat(arrived).hasSize(messages).isSorted();
  }

  /** A handler that waits for a disk holds up no other stream. */
  @Test
  void aHandlerApartMayBlockAndOthersGoOn() throws Exception {
    int port = FreePorts.next();
    byte slow = KIND + 1;
    CountDownLatch release = new CountDownLatch(1);
    try (PeerTransport to = PeerTransport.listen(LOCAL, port);
        PeerTransport from = PeerTransport.listen(LOCAL, FreePorts.next())) {
      to.handle(KIND, (body, answer) -> answer.accept(body));
      to.handleApart(
          slow,
          (connection, body, answer) -> {
            try {
              release.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
            answer.accept(body);
          });
      CompletableFuture<Answer> waits = new CompletableFuture<>();
      from.send(LOCAL, port, slow, 0, new byte[1], TIMEOUT_MILLIS, waits::complete);
      assertThat(received(send(from, port, new byte[1]))).isTrue();
      assertThat(waits).isNotDone();
      release.countDown();
      assertThat(received(waits)).isTrue();
    }
  }

  @Test
  void aMessageThatNobodyAnswersIsLostAtItsDeadline() throws Exception {
    int port = FreePorts.next();
    try (PeerTransport to = PeerTransport.listen(LOCAL, port);
        PeerTransport from = PeerTransport.listen(LOCAL, FreePorts.next())) {
      to.handle(KIND, (body, answer) -> {});
      assertThat(get(send(from, port, 0, new byte[1], 50)))
          .isInstanceOfSatisfying(Answer.Lost.class, lost -> assertThat(lost.timedOut()).isTrue());
    }
  }

  @Test
  void aKindThatThePeerDoesNotKnowIsSaid() throws Exception {
    int port = FreePorts.next();
    try (PeerTransport to = PeerTransport.listen(LOCAL, port);
        PeerTransport from = PeerTransport.listen(LOCAL, FreePorts.next())) {
      assertThat(to.isConnected(LOCAL, port)).isFalse();
      assertThat(get(send(from, port, new byte[1])))
          .isInstanceOfSatisfying(
              Answer.Lost.class,
              lost ->
                  assertThat(lost.reason())
                      .contains("kind 77 is not taken while this node starts")
                      .doesNotContain("unknown"));
      to.complete();
      assertThat(get(send(from, port, new byte[1])))
          .isInstanceOfSatisfying(
              Answer.Lost.class, lost -> assertThat(lost.reason()).contains("kind 77 is unknown"));
    }
  }

  @Test
  void messagesUnderWayWhenThePeerEndsAreLostAndNeverCalledNotSent() throws Exception {
    int port = FreePorts.next();
    CountDownLatch arrived = new CountDownLatch(1);
    try (PeerTransport from = PeerTransport.listen(LOCAL, FreePorts.next())) {
      CompletableFuture<Answer> answer;
      try (PeerTransport to = PeerTransport.listen(LOCAL, port)) {
        to.handle(KIND, (body, reply) -> arrived.countDown());
        answer = send(from, port, new byte[1]);
        assertThat(arrived.await(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
      }
      assertThat(get(answer))
          .isInstanceOfSatisfying(Answer.Lost.class, lost -> assertThat(lost.timedOut()).isFalse());
    }
  }

  @Test
  void messagesUnderWayWhenThisNodeStopsAreAnswered() throws Exception {
    int port = FreePorts.next();
    CompletableFuture<Answer> answer;
    try (PeerTransport to = PeerTransport.listen(LOCAL, port)) {
      CountDownLatch arrived = new CountDownLatch(1);
      to.handle(KIND, (body, reply) -> arrived.countDown());
      try (PeerTransport from = PeerTransport.listen(LOCAL, FreePorts.next())) {
        answer = send(from, port, new byte[1]);
        assertThat(arrived.await(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
      }
      assertThat(get(answer)).isInstanceOf(Answer.Lost.class);
    }
  }

  /**
   * A node whose disk was full opens everything anew on its port. Connections that are accepted
   * while it closes must not stay with what was closed.
   */
  @Test
  void aPortThatIsOpenedAnewIsReachedHoweverManyConnectWhileItCloses() throws Exception {
    int port = FreePorts.next();
    try (PeerTransport other = PeerTransport.listen(LOCAL, FreePorts.next())) {
      AtomicBoolean enough = new AtomicBoolean();
      Thread sender =
          new Thread(
              () -> {
                while (!enough.get()) {
                  send(other, port, new byte[1]).join();
                }
              });
      sender.start();
      for (byte run = 1; run <= 15; run++) {
        byte[] mine = {run};
        PeerTransport opened =
            await()
                .ignoreException(IOException.class)
                .until(() -> PeerTransport.listen(LOCAL, port), e -> true);
        opened.handle(KIND, (body, answer) -> answer.accept(mine));
        await()
            .until(
                () ->
                    get(send(other, port, new byte[1])) instanceof Answer.Received received
                        && Arrays.equals(received.body(), mine));
        opened.close();
      }
      enough.set(true);
      sender.join();
    }
  }

  @Test
  void addressWhereNobodyListensIsACertainFailure() throws Exception {
    try (PeerTransport from = PeerTransport.listen(LOCAL, FreePorts.next())) {
      assertThat(get(send(from, FreePorts.next(), new byte[1]))).isInstanceOf(Answer.NotSent.class);
    }
  }

  @Test
  void aHostWithoutAnAddressIsACertainFailure() throws Exception {
    try (PeerTransport from = PeerTransport.listen(LOCAL, FreePorts.next())) {
      CompletableFuture<Answer> answer = new CompletableFuture<>();
      from.send("no.such.host.invalid", 1, KIND, 0, new byte[1], TIMEOUT_MILLIS, answer::complete);
      assertThat(get(answer)).isInstanceOf(Answer.NotSent.class);
    }
  }

  /** As a frozen process does: its kernel takes connections, and nobody greets. */
  @Test
  void aPeerThatAcceptsAndStaysMuteIsNoConnection() throws Exception {
    try (ServerSocket mute = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
        PeerTransport from = PeerTransport.listen(LOCAL, FreePorts.next())) {
      assertThat(from.awaitConnected(LOCAL, mute.getLocalPort(), 100)).isFalse();
      assertThat(get(send(from, mute.getLocalPort(), new byte[1])))
          .isInstanceOf(Answer.NotSent.class);
    }
  }

  /** An election asks each peer several times; a frozen one must not hold up each of them. */
  @Test
  @Timeout(10)
  void aPeerThatStaysMuteIsNotWaitedForAgainAndAgain() throws Exception {
    try (ServerSocket mute = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
        PeerTransport from = PeerTransport.listen(LOCAL, FreePorts.next())) {
      for (int i = 0; i < 50; i++) {
        assertThat(from.awaitConnected(LOCAL, mute.getLocalPort(), 5_000)).isFalse();
      }
    }
  }

  @Test
  void aPeerFailsUntilItIsThereAgain() throws Exception {
    int port = FreePorts.next();
    try (PeerTransport from = PeerTransport.listen(LOCAL, FreePorts.next())) {
      assertThat(from.isFailing(LOCAL, port)).as("nobody has tried").isFalse();
      assertThat(from.awaitConnected(LOCAL, port, TIMEOUT_MILLIS)).isFalse();
      assertThat(from.isFailing(LOCAL, port)).isTrue();
      try (PeerTransport to = PeerTransport.listen(LOCAL, port)) {
        to.handle(KIND, (body, answer) -> answer.accept(body));
        await().until(() -> from.isConnected(LOCAL, port));
        assertThat(from.isFailing(LOCAL, port)).isFalse();
      }
    }
  }

  @Test
  void aPeerOfAnotherVersionIsSentNothing() throws Exception {
    try (ServerSocket newer = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
        PeerTransport from = PeerTransport.listen(LOCAL, FreePorts.next())) {
      CompletableFuture<Answer> answer = send(from, newer.getLocalPort(), new byte[1]);
      try (Socket socket = newer.accept()) {
        socket.getOutputStream().write(greeting(Frame.MAGIC, 9, Frame.ANSWERS));
        assertThat(get(answer))
            .isInstanceOfSatisfying(
                Answer.NotSent.class,
                notSent ->
                    assertThat(notSent.reason()).contains("version 9").contains("this node 1"));
        assertThat(socket.getInputStream().readAllBytes()).hasSize(Frame.GREETING_BYTES);
      }
    }
  }

  @Test
  void whoeverGreetsInAnotherVersionLearnsOursAndIsClosed() throws Exception {
    int port = FreePorts.next();
    try (PeerTransport to = PeerTransport.listen(LOCAL, port);
        Socket socket = new Socket(LOCAL, port)) {
      to.handle(KIND, (body, answer) -> answer.accept(body));
      socket.getOutputStream().write(greeting(Frame.MAGIC, 9));
      socket.setSoTimeout(TIMEOUT_MILLIS);
      byte[] greeting = socket.getInputStream().readAllBytes();
      assertThat(ByteBuffer.wrap(greeting).getInt()).isEqualTo(Frame.MAGIC);
      assertThat(ByteBuffer.wrap(greeting).getShort(4)).isEqualTo(Frame.VERSION);
    }
  }

  /**
   * A port among those that systems give to outgoing connections can be connected to itself, when
   * nobody listens there: what comes back is the own greeting.
   */
  @Test
  void whoeverEchoesTheGreetingIsNoPeer() throws Exception {
    try (ServerSocket echo = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
        PeerTransport from = PeerTransport.listen(LOCAL, FreePorts.next())) {
      CompletableFuture<Answer> answer = send(from, echo.getLocalPort(), new byte[1]);
      try (Socket socket = echo.accept()) {
        socket.getOutputStream().write(socket.getInputStream().readNBytes(Frame.GREETING_BYTES));
        assertThat(get(answer)).isInstanceOf(Answer.NotSent.class);
      }
    }
  }

  private static byte[] greeting(int magic, int version) {
    return greeting(magic, version, (byte) 1);
  }

  private static byte[] greeting(int magic, int version, byte traffic) {
    return ByteBuffer.allocate(Frame.GREETING_BYTES)
        .putInt(magic)
        .putShort((short) version)
        .put(traffic)
        .array();
  }

  /**
   * Whoever only looks whether somebody is there is no peer, and no peer is gone when it leaves.
   */
  @Test
  void theEndOfAPeersConnectionIsToldAndThatOfOthersIsNot() throws Exception {
    int port = FreePorts.next();
    AtomicInteger ended = new AtomicInteger();
    try (PeerTransport to = PeerTransport.listen(LOCAL, port)) {
      to.handle(KIND, (body, answer) -> answer.accept(body));
      to.onEnd(ended::incrementAndGet);
      new Socket(LOCAL, port).close();
      try (PeerTransport from = PeerTransport.listen(LOCAL, FreePorts.next())) {
        assertThat(received(send(from, port, new byte[1]))).isTrue();
      }
      await().until(() -> ended.get() > 0);
      assertThat(ended).hasValue(1);
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
   * Bolt, the engine's own transport, builds whatever class a Hessian frame asks for. It serves no
   * port here, Hessian is not on the class path, and such a frame is refused at its first bytes.
   */
  @Test
  void aHessianFrameBuildsNothingAndThePortGoesOn() throws Exception {
    assertThatThrownBy(() -> Class.forName("com.caucho.hessian.io.Hessian2Input"))
        .isInstanceOf(ClassNotFoundException.class);
    int port = FreePorts.next();
    try (PeerTransport to = PeerTransport.listen(LOCAL, port);
        PeerTransport from = PeerTransport.listen(LOCAL, FreePorts.next())) {
      to.handle(KIND, (body, answer) -> answer.accept(body));
      try (Socket socket = new Socket(LOCAL, port)) {
        socket.getOutputStream().write(hessianFrame(Tripwire.class.getName()));
        assertEnds(socket);
      }
      assertThat(Tripwire.BUILT).hasValue(0);
      assertThat(received(send(from, port, new byte[1]))).isTrue();
    }
  }

  @Test
  void aFrameThatClaimsMoreThanTheBoundEndsItsConnectionAtOnce() throws Exception {
    int port = FreePorts.next();
    try (PeerTransport to = PeerTransport.listen(LOCAL, port);
        PeerTransport from = PeerTransport.listen(LOCAL, FreePorts.next())) {
      to.handle(KIND, (body, answer) -> answer.accept(body));
      for (int length : new int[] {Frame.BYTES_MAX + 1, Integer.MAX_VALUE, -1, 0, 7}) {
        try (Socket socket = new Socket(LOCAL, port)) {
          socket.getOutputStream().write(greeting(Frame.MAGIC, Frame.VERSION));
          socket.getOutputStream().write(ByteBuffer.allocate(4).putInt(length).array());
          assertEnds(socket);
        }
      }
      assertThat(received(send(from, port, new byte[1]))).isTrue();
    }
  }

  private static void assertEnds(Socket socket) throws IOException {
    socket.setSoTimeout(TIMEOUT_MILLIS);
    InputStream in = socket.getInputStream();
    try {
      while (in.read() >= 0) {
        // a greeting, or nothing
      }
    } catch (java.net.SocketException reset) {
      // as good as the end
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

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.server.FreePorts;
import dev.cairn.server.TestLoops;
import dev.cairn.server.tls.PeerTls;
import io.netty.buffer.ByteBufUtil;
import io.netty.util.concurrent.EventExecutor;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class PeerTransportTest {
  private static final byte KIND = 77;
  private static final int GREETING_HEAD_BYTES = 7; // docs/reference/formats.md
  private static final int TIMEOUT_MILLIS = 20_000;
  private static final String LOCAL = "127.0.0.1";

  private static CompletableFuture<Answer> send(
      PeerTransport from, int port, int stream, byte[] body, long timeoutMillis) {
    CompletableFuture<Answer> answer = new CompletableFuture<>();
    from.send(LocalPeers.at(from, port), KIND, stream, body, timeoutMillis, answer::complete);
    return answer;
  }

  private static CompletableFuture<Answer> send(PeerTransport from, int port, byte[] body) {
    return send(from, port, 0, body, TIMEOUT_MILLIS);
  }

  private static CompletableFuture<Answer> sendToNode(PeerTransport from, String nodeId) {
    CompletableFuture<Answer> answer = new CompletableFuture<>();
    from.send(nodeId, KIND, 0, new byte[1], TIMEOUT_MILLIS, answer::complete);
    return answer;
  }

  private static Answer get(CompletableFuture<Answer> answer) throws Exception {
    return answer.get(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
  }

  private static boolean received(CompletableFuture<Answer> answer) throws Exception {
    return get(answer) instanceof Answer.Received;
  }

  /** A node that closes all and opens it anew does so on the loop that its clients keep. */
  @Test
  void aPortThatWasClosedCanBeHadAtOnce() throws Exception {
    int port = FreePorts.next();
    AtomicBoolean stop = new AtomicBoolean();
    List<Thread> busy = new ArrayList<>();
    for (EventExecutor loop : TestLoops.SHARED.group()) {
      Thread thread =
          new Thread(
              () -> {
                while (!stop.get()) {
                  loop.submit(() -> {}).syncUninterruptibly();
                }
              });
      thread.start();
      busy.add(thread);
    }
    try {
      for (int start = 1; start <= 300; start++) {
        LocalPeers.listen(port, start).close();
      }
    } finally {
      stop.set(true);
      for (Thread thread : busy) {
        thread.join();
      }
    }
  }

  @Test
  void theFirstMessageOpensTheConnectionAndIsAnswered() throws Exception {
    int port = FreePorts.next();
    try (PeerTransport to = LocalPeers.listen(port);
        PeerTransport from = LocalPeers.listen(FreePorts.next())) {
      to.handle(KIND, (body, answer) -> answer.accept(new byte[] {(byte) (body[0] + 1)}));
      for (Traffic traffic : Traffic.values()) {
        CompletableFuture<Answer> answer = new CompletableFuture<>();
        from.send(
            traffic,
            LocalPeers.at(from, port),
            KIND,
            0,
            new byte[] {41},
            TIMEOUT_MILLIS,
            answer::complete);
        assertThat(get(answer))
            .isInstanceOfSatisfying(
                Answer.Received.class, received -> assertThat(received.body()).containsExactly(42));
      }
      int each = Traffic.values().length;
      assertThat(List.of(from.messagesSent(), to.messagesReceived())).containsOnly((long) each);
      assertThat(List.of(to.messagesSent(), from.messagesReceived())).containsOnly((long) each);
      assertThat(List.of(from.connections(), to.connections())).containsOnly((long) each);
      await().until(() -> from.unansweredBytes() == 0);
    }
  }

  @Test
  void whoIsGivenLoopsLeavesThemToOthers() throws Exception {
    int port = FreePorts.next();
    try (EventLoops shared = EventLoops.shared(1);
        PeerTransport to = LocalPeers.listen(port, 1, shared)) {
      to.handleOnLoop(KIND, (connection, body, answer) -> answer.accept(body));
      to.handleOnLoop((byte) (KIND + 1), (connection, body, answer) -> {}); // never answers
      PeerTransport from = LocalPeers.listen(FreePorts.next(), 1, shared);
      assertThat(received(send(from, port, new byte[1]))).isTrue();
      CompletableFuture<Answer> waiting = new CompletableFuture<>();
      CompletableFuture<Boolean> late = new CompletableFuture<>();
      from.after(TimeUnit.MILLISECONDS.toNanos(20), () -> late.complete(true));
      from.sendApart(
          Traffic.DATA,
          LocalPeers.at(from, port),
          (byte) (KIND + 1),
          new byte[1],
          TIMEOUT_MILLIS,
          Runnable::run,
          waiting::complete);
      from.close();
      assertThat(waiting).as("told before it is closed").isDone();
      assertThat(received(waiting)).isFalse();
      boolean ranBefore = late.isDone();
      assertThat(from.after(1, () -> {})).isFalse();
      from.loop().execute(() -> late.complete(true));
      assertThat(received(send(from, port, new byte[1]))).isFalse();
      await().until(() -> to.connections() == 0);
      try (PeerTransport next = LocalPeers.listen(FreePorts.next(), 1, shared)) {
        for (int i = 0; i < 30; i++) {
          assertThat(received(send(next, port, new byte[1]))).isTrue();
        }
      }
      assertThat(late.isDone()).as("runs nothing once it is closed").isEqualTo(ranBefore);
    }
  }

  @Test
  void largeMessagesWaitForEachOtherAndAllArrive() throws Exception {
    int port = FreePorts.next();
    try (PeerTransport to = LocalPeers.listen(port);
        PeerTransport from = LocalPeers.listen(FreePorts.next())) {
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
    try (PeerTransport to = LocalPeers.listen(port);
        PeerTransport from = LocalPeers.listen(FreePorts.next())) {
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
      from.send(
          LocalPeers.at(from, port),
          (byte) (KIND + 1),
          0,
          new byte[1],
          TIMEOUT_MILLIS,
          again::complete);
      assertThat(get(again)).isInstanceOf(Answer.Received.class);
    }
  }

  @Test
  void messagesOfAStreamAreDealtWithInTheirOrderAndAnsweredInAny() throws Exception {
    int port = FreePorts.next();
    int messages = 2_000;
    List<Integer> arrived = Collections.synchronizedList(new ArrayList<>());
    try (PeerTransport to = LocalPeers.listen(port);
        PeerTransport from = LocalPeers.listen(FreePorts.next())) {
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
    try (PeerTransport to = LocalPeers.listen(port);
        PeerTransport from = LocalPeers.listen(FreePorts.next())) {
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
      from.send(LocalPeers.at(from, port), slow, 0, new byte[1], TIMEOUT_MILLIS, waits::complete);
      assertThat(received(send(from, port, new byte[1]))).isTrue();
      assertThat(waits).isNotDone();
      release.countDown();
      assertThat(received(waits)).isTrue();
    }
  }

  @Test
  void aMessageThatNobodyAnswersIsLostAtItsDeadline() throws Exception {
    int port = FreePorts.next();
    try (PeerTransport to = LocalPeers.listen(port);
        PeerTransport from = LocalPeers.listen(FreePorts.next())) {
      to.handle(KIND, (body, answer) -> {});
      assertThat(get(send(from, port, 0, new byte[1], 50)))
          .isInstanceOfSatisfying(Answer.Lost.class, lost -> assertThat(lost.timedOut()).isTrue());
    }
  }

  @Test
  void aKindThatThePeerDoesNotKnowIsSaid() throws Exception {
    int port = FreePorts.next();
    try (PeerTransport to = LocalPeers.listen(port);
        PeerTransport from = LocalPeers.listen(FreePorts.next())) {
      assertThat(to.isConnected(LocalPeers.at(to, port))).isFalse();
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
    try (PeerTransport from = LocalPeers.listen(FreePorts.next())) {
      CompletableFuture<Answer> answer;
      try (PeerTransport to = LocalPeers.listen(port)) {
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
    try (PeerTransport to = LocalPeers.listen(port)) {
      CountDownLatch arrived = new CountDownLatch(1);
      to.handle(KIND, (body, reply) -> arrived.countDown());
      try (PeerTransport from = LocalPeers.listen(FreePorts.next())) {
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
  /**
   * The queues of groups come to their end after the connections: what they answer goes nowhere.
   */
  @Test
  void whoAnswersAfterTheNodeStoppedIsToldNothing() throws Exception {
    int port = FreePorts.next();
    CompletableFuture<Consumer<byte[]>> unanswered = new CompletableFuture<>();
    try (PeerTransport from = LocalPeers.listen(FreePorts.next())) {
      CompletableFuture<Answer> answer;
      try (PeerTransport to = LocalPeers.listen(port)) {
        to.handle(KIND, (body, answered) -> unanswered.complete(answered));
        answer = send(from, port, new byte[1]);
        unanswered.get(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
      }
      unanswered.join().accept(new byte[1]);
      assertThat(get(answer)).isInstanceOf(Answer.Lost.class);
    }
  }

  @Test
  void aPortThatIsOpenedAnewIsReachedHoweverManyConnectWhileItCloses() throws Exception {
    int port = FreePorts.next();
    try (PeerTransport other = LocalPeers.listen(FreePorts.next())) {
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
                .until(() -> LocalPeers.listen(port), e -> true);
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
    try (PeerTransport from = LocalPeers.listen(FreePorts.next())) {
      assertThat(get(send(from, FreePorts.next(), new byte[1]))).isInstanceOf(Answer.NotSent.class);
    }
  }

  @Test
  void aHostWithoutAnAddressIsACertainFailure() throws Exception {
    try (PeerTransport from = LocalPeers.listen(FreePorts.next())) {
      CompletableFuture<Answer> answer = new CompletableFuture<>();
      from.locate("lost", new PeerAddress("no.such.host.invalid", 1));
      from.send("lost", KIND, 0, new byte[1], TIMEOUT_MILLIS, answer::complete);
      assertThat(get(answer)).isInstanceOf(Answer.NotSent.class);
    }
  }

  /** As a frozen process does: its kernel takes connections, and nobody greets. */
  @Test
  void aPeerThatAcceptsAndStaysMuteIsNoConnection() throws Exception {
    try (ServerSocket mute = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
        PeerTransport from = LocalPeers.listen(FreePorts.next())) {
      assertThat(from.isConnected(LocalPeers.at(from, mute.getLocalPort()))).isFalse();
      assertThat(get(send(from, mute.getLocalPort(), new byte[1])))
          .isInstanceOf(Answer.NotSent.class);
    }
  }

  @Test
  void aPeerIsConnectedAsLongAsItIsThere() throws Exception {
    int port = FreePorts.next();
    try (PeerTransport from = LocalPeers.listen(FreePorts.next())) {
      String peer = LocalPeers.at(from, port);
      assertThat(from.isConnected(peer)).isFalse();
      try (PeerTransport to = LocalPeers.listen(port)) {
        to.handle(KIND, (body, answer) -> answer.accept(body));
        await().until(() -> from.isConnected(peer));
      }
      await().until(() -> !from.isConnected(peer));
    }
  }

  @Test
  void aPeerOfAnotherVersionIsSentNothing() throws Exception {
    try (ServerSocket newer = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
        PeerTransport from = LocalPeers.listen(FreePorts.next())) {
      CompletableFuture<Answer> answer = send(from, newer.getLocalPort(), new byte[1]);
      try (Socket socket = newer.accept()) {
        socket.getOutputStream().write(greeting(Frame.MAGIC, 9, Frame.ANSWERS));
        assertThat(get(answer))
            .isInstanceOfSatisfying(
                Answer.NotSent.class,
                notSent ->
                    assertThat(notSent.reason()).contains("version 9").contains("this node 2"));
        assertThat(socket.getInputStream().readAllBytes()).hasSize(ownGreeting(from).length);
      }
    }
  }

  @Test
  void whoeverGreetsInAnotherVersionLearnsOursAndIsClosed() throws Exception {
    int port = FreePorts.next();
    try (PeerTransport to = LocalPeers.listen(port);
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
        PeerTransport from = LocalPeers.listen(FreePorts.next())) {
      CompletableFuture<Answer> answer = send(from, echo.getLocalPort(), new byte[1]);
      try (Socket socket = echo.accept()) {
        socket
            .getOutputStream()
            .write(socket.getInputStream().readNBytes(ownGreeting(from).length));
        assertThat(get(answer)).isInstanceOf(Answer.NotSent.class);
      }
    }
  }

  private static byte[] ownGreeting(PeerTransport node) {
    return ByteBufUtil.getBytes(Frame.greeting(Traffic.DATA.code(), node.self()));
  }

  private static byte[] greeting(int magic, int version) {
    return greeting(magic, version, (byte) 1);
  }

  private static byte[] greeting(int magic, int version, byte traffic) {
    return ByteBuffer.allocate(GREETING_HEAD_BYTES)
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
    try (PeerTransport to = LocalPeers.listen(port)) {
      to.handle(KIND, (body, answer) -> answer.accept(body));
      to.onEnd(run -> ended.incrementAndGet());
      new Socket(LOCAL, port).close();
      try (PeerTransport from = LocalPeers.listen(FreePorts.next())) {
        assertThat(received(send(from, port, new byte[1]))).isTrue();
      }
      await().until(() -> ended.get() > 0);
      assertThat(ended).hasValue(1);
    }
  }

  @Test
  void whatIsForOneNodeGoesToNoOther() throws Exception {
    int port = FreePorts.next();
    AtomicInteger arrived = new AtomicInteger();
    try (PeerTransport other = LocalPeers.listen(port);
        PeerTransport from = LocalPeers.listen(FreePorts.next())) {
      other.handle(KIND, (body, answer) -> arrived.incrementAndGet());
      from.locate("meant", new PeerAddress(LOCAL, port));
      CompletableFuture<Answer> answer = new CompletableFuture<>();
      from.send("meant", KIND, 0, new byte[1], TIMEOUT_MILLIS, answer::complete);
      assertThat(get(answer))
          .isInstanceOfSatisfying(
              Answer.NotSent.class,
              notSent ->
                  assertThat(notSent.reason())
                      .contains("is answered by node node-" + port + ", not by node meant"));
      CompletableFuture<Answer> asked = new CompletableFuture<>();
      from.ask(new PeerAddress(LOCAL, port), KIND, new byte[1], 50, asked::complete);
      assertThat(get(asked)).as("whoever is there").isInstanceOf(Answer.Lost.class);
    }
    assertThat(arrived).hasValue(1);
  }

  @Test
  void aNodeThatMovesIsFoundWhereItIs() throws Exception {
    int before = FreePorts.next();
    int after = FreePorts.next();
    try (PeerTransport from = LocalPeers.listen(FreePorts.next());
        PeerTransport old =
            PeerTransport.listen(
                LOCAL, before, new PeerRun("moves", 1, "a"), PeerTls.off(), TestLoops.SHARED);
        PeerTransport now =
            PeerTransport.listen(
                LOCAL, after, new PeerRun("moves", 2, "b"), PeerTls.off(), TestLoops.SHARED)) {
      old.handle(KIND, (body, answer) -> answer.accept(new byte[] {1}));
      now.handle(KIND, (body, answer) -> answer.accept(new byte[] {2}));
      for (int port : new int[] {before, after}) {
        from.locate("moves", new PeerAddress(LOCAL, port));
        byte expected = (byte) (port == before ? 1 : 2);
        await()
            .until(
                () -> {
                  CompletableFuture<Answer> answer = new CompletableFuture<>();
                  from.send("moves", KIND, 0, new byte[1], TIMEOUT_MILLIS, answer::complete);
                  return get(answer) instanceof Answer.Received received
                      && received.body()[0] == expected;
                });
      }
    }
  }

  @Test
  void ofARunThatIsOverNothingIsTakenButWhatIsOpenToAll() throws Exception {
    int port = FreePorts.next();
    int own = FreePorts.next();
    byte open = KIND + 1;
    AtomicInteger taken = new AtomicInteger();
    AtomicBoolean told = new AtomicBoolean();
    try (PeerTransport to = LocalPeers.listen(port);
        PeerTransport from =
            PeerTransport.listen(
                LOCAL, own, new PeerRun("two", 1, "first"), PeerTls.off(), TestLoops.SHARED)) {
      to.handle(
          KIND,
          (body, answer) -> {
            taken.incrementAndGet();
            answer.accept(body);
          });
      to.handle(open, (body, answer) -> answer.accept(body));
      to.openToAll(open);
      from.onGreeting((peer, superseded) -> told.compareAndSet(false, superseded));
      assertThat(received(send(from, port, new byte[1]))).isTrue();
      assertThat(to.hearsOtherRun("two", "second", TIMEOUT_MILLIS)).isTrue();
      assertThat(to.hearsOtherRun("two", "first", TIMEOUT_MILLIS)).as("itself").isFalse();

      to.fence(run -> run.nodeId().equals("two") && run.start() < 2);
      await().until(() -> !to.hearsOtherRun("two", "second", TIMEOUT_MILLIS));
      await()
          .until(
              () -> {
                CompletableFuture<Answer> answer = new CompletableFuture<>();
                from.send(
                    LocalPeers.at(from, port),
                    open,
                    0,
                    new byte[1],
                    TIMEOUT_MILLIS,
                    answer::complete);
                return get(answer) instanceof Answer.Received;
              });
      assertThat(told).as("that a later start is known").isTrue();
      assertThat(received(send(from, port, new byte[1]))).isFalse();
      assertThat(taken).hasValue(1);
      to.locate("two", new PeerAddress(LOCAL, own));
      assertThat(get(sendToNode(to, "two")))
          .as("nor is anything sent to it")
          .isInstanceOf(Answer.NotSent.class);
    }
  }

  /** At the first nobody listens, at the second another node. */
  @Test
  void theAddressesOfANameAreTriedUntilTheNodeAnswers() throws Exception {
    int port = FreePorts.next();
    Names names =
        host ->
            new InetAddress[] {
              InetAddress.getByName("127.0.0.7"),
              InetAddress.getByName("127.0.0.8"),
              InetAddress.getByName(LOCAL)
            };
    try (PeerTransport other =
            PeerTransport.listen(
                "127.0.0.8", port, new PeerRun("other", 1, "o"), PeerTls.off(), TestLoops.SHARED);
        PeerTransport to = LocalPeers.listen(port);
        PeerTransport from =
            PeerTransport.listen(
                LOCAL,
                FreePorts.next(),
                new PeerRun("from", 1, "f"),
                PeerTls.off(),
                TestLoops.SHARED,
                names)) {
      other.handle(KIND, (body, answer) -> answer.accept(new byte[] {8}));
      to.handle(KIND, (body, answer) -> answer.accept(new byte[] {1}));
      from.locate(LocalPeers.id(port), new PeerAddress("three.example", port));
      CompletableFuture<Answer> answer = new CompletableFuture<>();
      from.send(LocalPeers.id(port), KIND, 0, new byte[1], TIMEOUT_MILLIS, answer::complete);
      assertThat(get(answer))
          .isInstanceOfSatisfying(
              Answer.Received.class, heard -> assertThat(heard.body()).containsExactly(1));
    }
  }

  @Test
  void aFrameThatClaimsMoreThanTheBoundEndsItsConnectionAtOnce() throws Exception {
    int port = FreePorts.next();
    try (PeerTransport to = LocalPeers.listen(port);
        PeerTransport from = LocalPeers.listen(FreePorts.next())) {
      to.handle(KIND, (body, answer) -> answer.accept(body));
      for (int length : new int[] {Frame.BYTES_MAX + 1, Integer.MAX_VALUE, -1, 0, 7}) {
        try (Socket socket = new Socket(LOCAL, port)) {
          socket.getOutputStream().write(ownGreeting(from));
          assertThat(socket.getInputStream().readNBytes(ownGreeting(to).length))
              .as("the greeting of a connection that is open")
              .hasSize(ownGreeting(to).length);
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
}

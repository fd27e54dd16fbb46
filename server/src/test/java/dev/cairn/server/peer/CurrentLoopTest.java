// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.cairn.server.FreePorts;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Loops that are lent, and what is sent from them. */
@Timeout(60)
class CurrentLoopTest {
  private static final byte KIND = 77;
  private static final int TIMEOUT_MILLIS = 20_000;

  private final EventLoopGroup loops =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final EventLoop loop = loops.next();
  private int port;
  private PeerTransport peer;
  private PeerTransport transport;

  private record Told(Answer answer, Thread by) {}

  @BeforeEach
  void listen() throws Exception {
    port = FreePorts.next();
    peer = LocalPeers.listen(port);
    peer.handleOnLoop(KIND, (body, answer) -> answer.accept(body));
    transport = LocalPeers.listen(FreePorts.next());
    CurrentLoop.lend(loops);
  }

  @AfterEach
  void close() {
    if (transport != null) {
      transport.close();
    }
    peer.close();
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
  }

  @Test
  void theAnswerComesToTheLoopThatAsked() {
    Thread asking = onLoop(told -> told.accept(Thread.currentThread()));
    for (int i = 0; i < 3; i++) {
      Told told = onLoop(this::ask);
      assertThat(told.answer()).isInstanceOf(Answer.Received.class);
      assertThat(told.by()).isSameAs(asking);
    }
  }

  @Test
  void withoutALentLoopItComesAllTheSame() {
    CompletableFuture<Told> told = new CompletableFuture<>();
    ask(told::complete);
    assertThat(told.join().answer()).isInstanceOf(Answer.Received.class);
  }

  @Test
  void whoeverWaitsWhenTheTransportClosesIsTold() {
    peer.handleOnLoop((byte) (KIND + 1), (body, answer) -> {}); // never answers
    CompletableFuture<Answer> waiting = new CompletableFuture<>();
    onLoop(this::ask);
    loop.execute(
        () ->
            transport.sendFromHere(
                LocalPeers.at(transport, port),
                (byte) (KIND + 1),
                new byte[1],
                TIMEOUT_MILLIS,
                waiting::complete));
    onLoop(told -> told.accept(true));
    transport.close();
    assertThat(waiting.join()).isNotInstanceOf(Answer.Received.class);
    assertThat(onLoop(this::ask).answer()).isInstanceOf(Answer.NotSent.class);
    transport = null;
  }

  @Test
  void transportClosesAlthoughALentLoopHasEnded() {
    onLoop(this::ask);
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    transport.close();
    transport = null;
  }

  @Test
  void whatIsForTheEndOfARoundComesAfterWhatTheRoundBrought() {
    List<String> order = Collections.synchronizedList(new ArrayList<>());
    CompletableFuture<Thread> after = new CompletableFuture<>();
    Thread thread =
        onLoop(
            told -> {
              loop.execute(() -> order.add("what the round brought"));
              CurrentLoop.afterRound(
                  () -> {
                    order.add("after it");
                    after.complete(Thread.currentThread());
                  });
              order.add("the one that asks");
              told.accept(Thread.currentThread());
            });
    assertThat(after.orTimeout(20, TimeUnit.SECONDS).join()).isSameAs(thread);
    assertThat(order).containsExactly("the one that asks", "what the round brought", "after it");
  }

  @Test
  void aLoopMustNotWait() {
    CurrentLoop.willWait(); // any other thread may
    CompletableFuture<Throwable> refused = new CompletableFuture<>();
    loop.execute(
        () ->
            refused.complete(
                catchThrowable(() -> transport.awaitConnected(LocalPeers.id(port), 1))));
    assertThat(refused.orTimeout(20, TimeUnit.SECONDS).join())
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void onAnotherThreadTheEndOfARoundIsAtOnce() {
    AtomicReference<Thread> by = new AtomicReference<>();
    CurrentLoop.afterRound(() -> by.set(Thread.currentThread()));
    assertThat(by).hasValue(Thread.currentThread());
  }

  @Test
  void loopThatStopsDealsWithTheEndOfItsRoundToo() {
    CompletableFuture<Boolean> before = new CompletableFuture<>();
    CompletableFuture<Boolean> stopping = new CompletableFuture<>();
    CompletableFuture<Boolean> done = new CompletableFuture<>();
    loop.execute(
        () -> {
          CurrentLoop.afterRound(() -> before.complete(true));
          loops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
          stopping.complete(loop.isShuttingDown());
          CurrentLoop.afterRound(() -> done.complete(true));
        });
    assertThat(stopping.orTimeout(20, TimeUnit.SECONDS).join()).isTrue();
    assertThat(before.orTimeout(20, TimeUnit.SECONDS).join()).isTrue();
    assertThat(done.orTimeout(20, TimeUnit.SECONDS).join()).isTrue();
  }

  private void ask(Consumer<Told> told) {
    transport.sendFromHere(
        LocalPeers.at(transport, port),
        KIND,
        new byte[1],
        TIMEOUT_MILLIS,
        answer -> told.accept(new Told(answer, Thread.currentThread())));
  }

  private <T> T onLoop(Consumer<Consumer<T>> task) {
    CompletableFuture<T> done = new CompletableFuture<>();
    loop.execute(() -> task.accept(done::complete));
    return done.orTimeout(20, TimeUnit.SECONDS).join();
  }
}

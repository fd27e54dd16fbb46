// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

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

/** What is done at the end of a loop's round, and what must not be done on it. */
@Timeout(60)
class CurrentLoopTest {
  private final EventLoopGroup loops =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final EventLoop loop = loops.next();

  @BeforeEach
  void know() {
    CurrentLoop.know(loops);
  }

  @AfterEach
  void close() {
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
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
    loop.execute(() -> refused.complete(catchThrowable(CurrentLoop::willWait)));
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

  private <T> T onLoop(Consumer<Consumer<T>> task) {
    CompletableFuture<T> done = new CompletableFuture<>();
    loop.execute(() -> task.accept(done::complete));
    return done.orTimeout(20, TimeUnit.SECONDS).join();
  }
}

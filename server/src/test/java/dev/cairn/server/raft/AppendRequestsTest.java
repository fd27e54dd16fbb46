// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cairn.server.raft.AppendRequests.Turn;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What one group is sent is done in its order, and waits for nothing but what came before. */
class AppendRequestsTest {
  @Test
  void oneAfterTheOtherInTheirOrderOnWhateverThreads() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      Turn turn = new Turn(threads);
      List<Integer> done = new ArrayList<>(); // no lock: the turn is one
      CountDownLatch all = new CountDownLatch(1_000);
      for (int i = 0; i < 1_000; i++) {
        int number = i;
        turn.execute(
            () -> {
              done.add(number);
              all.countDown();
            });
      }
      assertThat(all.await(30, TimeUnit.SECONDS)).isTrue();
      assertThat(done).hasSize(1_000).isSorted();
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void oneThatFailsHoldsUpNobody() {
    Turn turn = new Turn(Runnable::run);
    List<String> done = new ArrayList<>();
    Thread.UncaughtExceptionHandler before = Thread.currentThread().getUncaughtExceptionHandler();
    Thread.currentThread()
        .setUncaughtExceptionHandler((thread, failure) -> done.add(failure.getMessage()));
    try {
      turn.execute(
          () -> {
            throw new IllegalStateException("told");
          });
    } finally {
      Thread.currentThread().setUncaughtExceptionHandler(before);
    }
    turn.execute(() -> done.add("next"));
    assertThat(done).containsExactly("told", "next");
  }

  @Test
  void atMostSoManyWait() {
    Queue<Runnable> held = new ArrayDeque<>();
    Turn turn = new Turn(held::add);
    int[] done = {0};
    for (int i = 0; i < AppendRequests.WAITING_MAX; i++) {
      turn.execute(() -> done[0]++);
    }
    assertThatThrownBy(() -> turn.execute(() -> done[0]++))
        .isInstanceOf(RejectedExecutionException.class);
    held.remove().run();
    assertThat(held).isEmpty();
    assertThat(done[0]).isEqualTo(AppendRequests.WAITING_MAX);
    turn.execute(() -> done[0]++);
    held.remove().run();
    assertThat(done[0]).isEqualTo(AppendRequests.WAITING_MAX + 1);
  }
}

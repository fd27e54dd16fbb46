// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TaskLoopTest {
  private final TaskLoop loop = new TaskLoop("loop");

  @AfterEach
  void close() {
    loop.close();
  }

  @Test
  void runsTasksOneAtATimeInTheirOrder() throws InterruptedException {
    int tasks = 100_000;
    List<Integer> ran = new ArrayList<>(); // not thread-safe on purpose
    CountDownLatch all = new CountDownLatch(1);
    for (int i = 0; i < tasks; i++) {
      int number = i;
      loop.execute(() -> ran.add(number));
    }
    loop.execute(all::countDown);

    assertThat(all.await(30, SECONDS)).isTrue();
    assertThat(ran).isEqualTo(IntStream.range(0, tasks).boxed().toList());
  }

  @Test
  void losesNoTaskThatComesWhileItFallsAsleep() throws InterruptedException {
    for (int i = 0; i < 20_000; i++) {
      CountDownLatch ran = new CountDownLatch(1);
      loop.execute(ran::countDown);
      assertThat(ran.await(30, SECONDS)).as("task %d", i).isTrue();
    }
  }

  @Test
  void aTaskThatBlocksHoldsUpNobody() throws InterruptedException {
    CountDownLatch mayEnd = new CountDownLatch(1);
    CountDownLatch ended = new CountDownLatch(1);
    CountDownLatch behind = new CountDownLatch(1);
    loop.execute(
        () -> {
          TaskLoop.willBlock();
          await(mayEnd);
          ended.countDown();
        });
    loop.execute(behind::countDown);

    assertThat(behind.await(30, SECONDS)).isTrue();
    assertThat(ended.getCount()).isEqualTo(1);
    mayEnd.countDown();
    assertThat(ended.await(30, SECONDS)).isTrue();
  }

  @Test
  void aTaskThatDoesNotSaySoHoldsUpThoseBehindIt() throws InterruptedException {
    CountDownLatch mayEnd = new CountDownLatch(1);
    CountDownLatch behind = new CountDownLatch(1);
    loop.execute(() -> await(mayEnd));
    loop.execute(behind::countDown);

    assertThat(behind.await(100, java.util.concurrent.TimeUnit.MILLISECONDS)).isFalse();
    mayEnd.countDown();
    assertThat(behind.await(30, SECONDS)).isTrue();
  }

  @Test
  void threadsThatBlockedServeAgain() throws InterruptedException {
    Set<Thread> threads = Collections.newSetFromMap(new ConcurrentHashMap<>());
    AtomicInteger inside = new AtomicInteger();
    for (int i = 0; i < 1_000; i++) {
      CountDownLatch ran = new CountDownLatch(2);
      loop.execute(
          () -> {
            threads.add(Thread.currentThread());
            TaskLoop.willBlock();
            TaskLoop.willBlock(); // says nothing new
            ran.countDown();
          });
      loop.execute(
          () -> {
            assertThat(inside.incrementAndGet()).isEqualTo(1);
            threads.add(Thread.currentThread());
            inside.decrementAndGet();
            ran.countDown();
          });
      assertThat(ran.await(30, SECONDS)).isTrue();
    }

    assertThat(threads).hasSizeLessThan(100); // two take turns; a few more while one is late
  }

  @Test
  void manyTasksMayBlockAtOnce() throws InterruptedException {
    int tasks = 50;
    CountDownLatch all = new CountDownLatch(tasks);
    for (int i = 0; i < tasks; i++) {
      loop.execute(
          () -> {
            TaskLoop.willBlock();
            all.countDown();
            await(all); // only when all of them are here
          });
    }

    assertThat(all.await(30, SECONDS)).isTrue();
  }

  @Test
  void whereNoOtherThreadCanBeHadWhatWaitsIsLate() throws InterruptedException {
    AtomicInteger made = new AtomicInteger();
    try (TaskLoop poor =
        new TaskLoop(
            task -> {
              if (made.getAndIncrement() > 0) {
                throw new OutOfMemoryError("expected by TaskLoopTest");
              }
              return new Thread(task);
            })) {
      CountDownLatch behind = new CountDownLatch(2);
      poor.execute(
          () -> {
            TaskLoop.willBlock();
            behind.countDown();
          });
      poor.execute(behind::countDown);

      assertThat(behind.await(30, SECONDS)).isTrue();
    }
  }

  @Test
  void anInterruptedTaskLeavesALoopThatSleeps() throws Exception {
    CountDownLatch ran = new CountDownLatch(1);
    List<Thread> by = new ArrayList<>();
    loop.execute(
        () -> {
          Thread.currentThread().interrupt();
          by.add(Thread.currentThread());
          ran.countDown();
        });

    assertThat(ran.await(30, SECONDS)).isTrue();
    Awaitility.await().until(() -> by.get(0).getState() == Thread.State.WAITING);
  }

  @Test
  void aTaskThatFailsEndsNothing() throws InterruptedException {
    CountDownLatch behind = new CountDownLatch(1);
    loop.execute(
        () -> {
          throw new IllegalStateException("expected by TaskLoopTest");
        });
    loop.execute(behind::countDown);

    assertThat(behind.await(30, SECONDS)).isTrue();
  }

  @Test
  void whatWaitsWhenItIsClosedIsRunAndSoIsWhatComesLater() throws InterruptedException {
    int tasks = 10_000;
    CountDownLatch all = new CountDownLatch(tasks);
    Thread closer = new Thread(loop::close);
    for (int i = 0; i < tasks; i++) {
      if (i == tasks / 2) {
        closer.start();
      }
      loop.execute(all::countDown);
    }

    assertThat(all.await(30, SECONDS)).isTrue();
    closer.join();
  }

  @Test
  void elsewhereBlockingIsNobodysAffair() {
    TaskLoop.willBlock();
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(30, SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}

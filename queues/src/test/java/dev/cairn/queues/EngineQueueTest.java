// SPDX-License-Identifier: Apache-2.0
package dev.cairn.queues;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.lmax.disruptor.BlockingWaitStrategy;
import com.lmax.disruptor.EventHandler;
import com.lmax.disruptor.ExceptionHandler;
import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.dsl.Disruptor;
import com.lmax.disruptor.dsl.ProducerType;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What JRaft takes for granted of its queues. */
class EngineQueueTest {
  private final Deque<Runnable> turns = new ArrayDeque<>();
  private final List<String> seen = new CopyOnWriteArrayList<>();
  private final List<String> failures = new CopyOnWriteArrayList<>();

  private static final class Event {
    private String what;
  }

  private Disruptor<Event> disruptor(int size, EventHandler<Event> handler) {
    Disruptor<Event> disruptor =
        new Disruptor<>(
            Event::new,
            size,
            task -> new Thread(task, "Queue-1"),
            ProducerType.MULTI,
            new BlockingWaitStrategy());
    disruptor.handleEventsWith(handler);
    disruptor.setDefaultExceptionHandler(
        new ExceptionHandler<Object>() {
          @Override
          public void handleEventException(Throwable failure, long sequence, Object event) {
            failures.add(sequence + " " + failure.getMessage());
          }

          @Override
          public void handleOnStartException(Throwable failure) {}

          @Override
          public void handleOnShutdownException(Throwable failure) {}
        });
    return disruptor;
  }

  private RingBuffer<Event> placed(int size, EventHandler<Event> handler, Executor executor) {
    Placement placement = queue -> executor;
    return placement.during(() -> disruptor(size, handler)).start();
  }

  private static void publish(RingBuffer<Event> queue, String what) {
    queue.publishEvent((event, sequence) -> event.what = what);
  }

  private void note(Event event, long sequence, boolean endOfBatch) {
    seen.add(sequence + event.what + (endOfBatch ? "." : ""));
  }

  @Test
  void aBatchIsWhatWasPublishedBeforeItsTurn() {
    RingBuffer<Event> queue = placed(8, this::note, turns::add);
    publish(queue, "a");
    publish(queue, "b");
    publish(queue, "c");

    assertThat(turns).as("one turn for all").hasSize(1);
    turns.remove().run();
    assertThat(seen).containsExactly("0a", "1b", "2c.");

    publish(queue, "d");
    turns.remove().run();
    assertThat(seen).endsWith("3d.");
    assertThat(turns).isEmpty();
  }

  @Test
  void aLongQueueLetsOthersHaveTheThread() {
    RingBuffer<Event> queue = placed(1024, this::note, turns::add);
    for (int i = 0; i < 300; i++) {
      publish(queue, "x");
    }

    turns.remove().run();
    assertThat(seen).hasSize(256).last().isEqualTo("255x.");
    assertThat(turns).hasSize(1);
    turns.remove().run();
    assertThat(seen).hasSize(300).last().isEqualTo("299x.");
    assertThat(turns).isEmpty();
  }

  @Test
  void whatAHandlerPublishesIsHandledAfterIt() {
    List<RingBuffer<Event>> self = new ArrayList<>();
    RingBuffer<Event> queue =
        placed(
            1, // publishing never waits for room: the publisher may be who makes it
            (event, sequence, endOfBatch) -> {
              note(event, sequence, endOfBatch);
              if (event.what.length() < 4) {
                publish(self.get(0), event.what + "x");
                publish(self.get(0), "over");
              }
            },
            turns::add);
    self.add(queue);
    publish(queue, "xxx");
    while (!turns.isEmpty()) {
      turns.remove().run();
    }

    assertThat(seen).hasSize(3).first().isEqualTo("0xxx.");
    assertThat(queue.remainingCapacity()).isEqualTo(1);
  }

  @Test
  void aFullQueueRefusesWhoAsks() {
    RingBuffer<Event> queue = placed(2, this::note, turns::add);
    assertThat(queue.getBufferSize()).isEqualTo(2);
    assertThat(queue.hasAvailableCapacity(2)).isTrue();
    assertThat(queue.tryPublishEvent((event, sequence) -> event.what = "a")).isTrue();
    assertThat(queue.hasAvailableCapacity(2)).isFalse();
    assertThat(queue.tryPublishEvent((event, sequence) -> event.what = "b")).isTrue();
    assertThat(queue.tryPublishEvent((event, sequence) -> event.what = "c")).isFalse();

    turns.remove().run();
    assertThat(seen).containsExactly("0a", "1b.");
    assertThat(queue.tryPublishEvent((event, sequence) -> event.what = "c")).isTrue();
  }

  @Test
  void whatAHandlerThrowsIsToldAndTheQueueGoesOn() {
    RingBuffer<Event> queue =
        placed(
            8,
            (event, sequence, endOfBatch) -> {
              if (event.what.equals("bad")) {
                throw new IllegalStateException("expected");
              }
              note(event, sequence, endOfBatch);
            },
            turns::add);
    publish(queue, "bad");
    publish(queue, "good");
    turns.remove().run();

    assertThat(failures).containsExactly("0 expected");
    assertThat(seen).containsExactly("1good.");
  }

  @Test
  void whoeverIsToldOfAFailureMayFailToo() {
    Placement placement = queue -> turns::add;
    Disruptor<Event> disruptor =
        placement.during(
            () ->
                disruptor(
                    8,
                    (event, sequence, endOfBatch) -> {
                      if (event.what.equals("bad")) {
                        throw new IllegalStateException();
                      }
                      note(event, sequence, endOfBatch);
                    }));
    disruptor.setDefaultExceptionHandler(
        new ExceptionHandler<Object>() {
          @Override
          public void handleEventException(Throwable failure, long sequence, Object event) {
            throw new IllegalStateException("expected by EngineQueueTest");
          }

          @Override
          public void handleOnStartException(Throwable failure) {}

          @Override
          public void handleOnShutdownException(Throwable failure) {}
        });
    RingBuffer<Event> queue = disruptor.start();
    publish(queue, "bad");
    publish(queue, "good");
    turns.remove().run();

    assertThat(seen).containsExactly("1good.");
    assertThat(turns).isEmpty();
    disruptor.shutdown();
  }

  @Test
  void handlingIsOneAtATimeThoughManyPublishAndHandlersBlock() throws InterruptedException {
    int publishers = 4;
    int each = 5_000;
    AtomicInteger inside = new AtomicInteger();
    int[] counted = {0}; // not thread-safe on purpose
    try (TaskLoop loop = new TaskLoop("loop")) {
      RingBuffer<Event> queue =
          placed(
              16,
              (event, sequence, endOfBatch) -> {
                assertThat(inside.incrementAndGet()).isEqualTo(1);
                if (sequence % 100 == 0) {
                  TaskLoop.willBlock();
                }
                counted[0]++;
                inside.decrementAndGet();
              },
              loop);
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < publishers; i++) {
        Thread thread =
            new Thread(
                () -> {
                  for (int j = 0; j < each; j++) {
                    publish(queue, "x");
                  }
                });
        threads.add(thread);
        thread.start();
      }
      for (Thread thread : threads) {
        thread.join();
      }
      queue.awaitIdle();
    }

    assertThat(failures).isEmpty();
    assertThat(counted[0]).isEqualTo(publishers * each);
  }

  @Test
  void withoutAPlacementAQueueHasAThreadUntilItIsShutDown() throws InterruptedException {
    CountDownLatch handled = new CountDownLatch(1);
    List<Thread> by = new CopyOnWriteArrayList<>();
    Disruptor<Event> disruptor =
        disruptor(
            8,
            (event, sequence, endOfBatch) -> {
              by.add(Thread.currentThread());
              handled.countDown();
            });
    publish(disruptor.start(), "a");

    assertThat(handled.await(30, SECONDS)).isTrue();
    disruptor.shutdown();
    assertThat(by.get(0).getName()).isEqualTo("Queue-1");
    by.get(0).join(30_000);
    assertThat(by.get(0).isAlive()).isFalse();
  }

  @Test
  void aHandlerKnowsWhichQueueItServes() {
    List<Boolean> serving = new ArrayList<>();
    RingBuffer<Event> queue =
        placed(
            8,
            (event, sequence, endOfBatch) -> {
              serving.add(RingBuffer.serving("Queue"));
              serving.add(RingBuffer.serving("Another"));
            },
            turns::add);
    publish(queue, "a");
    turns.remove().run();

    assertThat(serving).containsExactly(true, false);
    assertThat(RingBuffer.serving("Queue")).isFalse();
  }

  @Test
  void placementsNestAndEnd() {
    Executor inOuter = turns::add;
    Executor inInner = Runnable::run;
    Placement outer = queue -> inOuter;
    outer.during(
        () -> {
          Placement inner = queue -> inInner;
          assertThat(inner.during(() -> Placement.now("q"))).containsSame(inInner);
          assertThat(Placement.now("q")).containsSame(inOuter);
          return null;
        });
    assertThat(Placement.now("q")).isEmpty();
  }

  @Test
  void aQueueHasOneHandlerAndStartsOnce() {
    Disruptor<Event> disruptor = disruptor(8, this::note);
    EventHandler<Event> another = this::note;
    assertThatThrownBy(() -> disruptor.handleEventsWith(another))
        .isInstanceOf(IllegalArgumentException.class);
    disruptor.start();
    assertThatThrownBy(disruptor::start).isInstanceOf(IllegalStateException.class);
    disruptor.shutdown();
  }
}

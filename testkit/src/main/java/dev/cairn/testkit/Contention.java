// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import dev.cairn.testkit.Observation.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Clients that fight over a few keys, each in a thread of its own, until they are stopped. Every
 * value is written once, so that a read says which write it saw.
 */
public final class Contention {
  /** Keeps a history short enough to be decided, and leaves the machine some time for the nodes. */
  private static final long PAUSE_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(8);

  private static final long PAUSE_NANOS_AFTER_FAILURE = TimeUnit.MILLISECONDS.toNanos(20);

  private final History history;
  private final List<String> keys;
  private final List<Thread> threads = new ArrayList<>();
  private volatile boolean stopped;

  private Contention(History history, List<String> keys) {
    this.history = history;
    this.keys = List.copyOf(keys);
  }

  /**
   * Has the clients fight while the story goes on; returns when each has its last answer.
   *
   * @param history takes what they ask and are told
   * @param clients closed when they stop
   * @param seed of their choices
   */
  public static void during(
      History history, List<RegisterClient> clients, List<String> keys, long seed, Runnable story) {
    Contention contention = new Contention(history, keys);
    try {
      for (int process = 0; process < clients.size(); process++) {
        contention.start(process, clients.get(process), new Random(seed + process));
      }
      story.run();
    } finally {
      contention.stop();
    }
  }

  private void start(int process, RegisterClient client, Random random) {
    Thread thread = new Thread(() -> run(process, client, random), "client-" + process);
    threads.add(thread);
    thread.start();
  }

  private void stop() {
    stopped = true;
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private void run(int process, RegisterClient client, Random random) {
    try (client) {
      for (int count = 0; !stopped; count++) {
        String key = keys.get(random.nextInt(keys.size()));
        Action asked = next(random, "c" + process + "." + count);
        History.Invocation invocation = history.invoke(process, key, asked);
        RegisterClient.Answer answer = client.ask(key, asked);
        switch (answer.outcome()) {
          case OK -> invocation.ok(answer.action());
          case FAILED -> invocation.failed();
          case UNKNOWN -> invocation.unknown();
        }
        LockSupport.parkNanos(
            answer.outcome() == Outcome.OK
                ? random.nextLong(PAUSE_NANOS_MAX)
                : PAUSE_NANOS_AFTER_FAILURE);
      }
    }
  }

  private static Action next(Random random, String value) {
    int draw = random.nextInt(100);
    if (draw < 48) {
      return new Action.Put(value);
    }
    return draw < 95 ? Action.Get.UNANSWERED : Action.Delete.UNANSWERED;
  }
}

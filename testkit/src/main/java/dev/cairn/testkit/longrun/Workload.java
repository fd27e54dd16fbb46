// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.longrun;

import dev.cairn.testkit.Action;
import dev.cairn.testkit.History;
import dev.cairn.testkit.Observation.Outcome;
import dev.cairn.testkit.ProcessCluster;
import dev.cairn.testkit.RegisterClient;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Clients that fight over the keys of the present {@link Window}, each in a thread of its own: half
 * with the Java client as anybody uses it, a quarter with one that knows one node only, a quarter
 * with a plain connection. Every value is written once, so that a read says which write it saw.
 */
final class Workload implements AutoCloseable {
  static final int WRITE_PERCENT = 50;
  private static final int DELETE_PERCENT = 5;
  private static final int LONG_VALUE_PERCENT = 5;
  private static final String PADDING = "-".repeat(4_000);
  private static final long PAUSE_NANOS_AFTER_FAILURE = TimeUnit.MILLISECONDS.toNanos(20);

  private final ProcessCluster cluster;
  private final Consumer<String> acknowledged;
  private final Consumer<String> violations;
  private final long pauseNanosMax;
  private final List<Thread> threads = new ArrayList<>();
  private final LongAdder operations = new LongAdder();
  private final LongAdder writes = new LongAdder();
  private final LongAdder unknown = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder malformed = new LongAdder();
  private volatile Window window;
  private volatile boolean stopped;

  /**
   * @param acknowledged told the key of each write that was acknowledged
   * @param violations told of answers that are none
   * @param pauseNanosMax longest pause of a client between two requests
   */
  Workload(
      ProcessCluster cluster,
      Consumer<String> acknowledged,
      Consumer<String> violations,
      long pauseNanosMax) {
    this.cluster = cluster;
    this.acknowledged = acknowledged;
    this.violations = violations;
    this.pauseNanosMax = pauseNanosMax;
  }

  void start(Window first, int clients, long seed) {
    window = first;
    for (int process = 0; process < clients; process++) {
      int number = process;
      RegisterClient client = client(process);
      Random random = new Random(seed * 1_000 + process);
      Thread thread = new Thread(() -> run(number, client, random), "client-" + process);
      threads.add(thread);
      thread.start();
    }
  }

  private RegisterClient client(int process) {
    int node = process / 4 % cluster.size();
    return switch (process % 4) {
      case 0, 2 -> RegisterClient.of(cluster.client().build());
      case 1 -> RegisterClient.of(cluster.clientThrough(node).build());
      default -> RegisterClient.plain(() -> cluster.node(node));
    };
  }

  /** From now on the keys of this window are asked; the one before lets nobody in any more. */
  void moveTo(Window next) {
    Window before = window;
    window = next;
    before.shut();
  }

  private void run(int process, RegisterClient client, Random random) {
    try (client) {
      for (long count = 0; !stopped; count++) {
        Window now = window;
        if (now.enter()) {
          Outcome outcome;
          try {
            outcome = ask(now, process, client, random, count);
          } finally {
            now.leave();
          }
          LockSupport.parkNanos(
              outcome == Outcome.OK ? random.nextLong(pauseNanosMax) : PAUSE_NANOS_AFTER_FAILURE);
        }
      }
    }
  }

  private Outcome ask(Window now, int process, RegisterClient client, Random random, long count) {
    String key = now.keys().get(random.nextInt(now.keys().size()));
    Action asked = next(random, Window.kind(key), "c" + process + "." + count);
    History.Invocation invocation = now.history().invoke(process, key, asked);
    RegisterClient.Answer answer;
    try {
      answer = client.ask(key, asked);
    } catch (RegisterClient.MalformedReplyException noAnswer) {
      malformed.increment();
      violations.accept("an answer to " + asked + " that is none: " + noAnswer);
      return Outcome.UNKNOWN;
    }
    operations.increment();
    if (!asked.readOnly()) {
      writes.increment();
    }
    switch (answer.outcome()) {
      case OK -> {
        invocation.ok(answer.action());
        if (!asked.readOnly()) {
          acknowledged.accept(key);
        }
      }
      case FAILED -> {
        invocation.failed();
        failed.increment();
      }
      case UNKNOWN -> {
        invocation.unknown();
        unknown.increment();
      }
    }
    return answer.outcome();
  }

  private static Action next(Random random, Window.Kind kind, String value) {
    int draw = random.nextInt(100);
    if (draw >= WRITE_PERCENT) {
      return Action.Get.UNANSWERED;
    }
    return switch (kind) {
      case COUNTER -> Action.Increment.UNANSWERED;
      case LIST -> Action.Append.of(value + ";");
      case REGISTER ->
          draw < DELETE_PERCENT
              ? Action.Delete.UNANSWERED
              : new Action.Put(
                  draw < DELETE_PERCENT + LONG_VALUE_PERCENT ? value + PADDING : value);
    };
  }

  /** Requests that were asked and have ended. */
  long operations() {
    return operations.sum();
  }

  /** Those of them that change something. */
  long writes() {
    return writes.sum();
  }

  /** Those whose outcome the client was not told, reads among them. */
  long unknown() {
    return unknown.sum();
  }

  /** Those that certainly did nothing. */
  long failed() {
    return failed.sum();
  }

  /** Answers that were none. */
  long malformed() {
    return malformed.sum();
  }

  /** Stops asking; returns when each client has its last answer. */
  @Override
  public void close() {
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
}

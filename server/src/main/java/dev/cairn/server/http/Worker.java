// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Makes answers that take a moment, such as metrics: an event loop never waits. One thread. */
final class Worker implements AutoCloseable {
  private static final int QUEUE_MAX = 64;

  private final ThreadPoolExecutor executor;

  Worker() {
    executor =
        new ThreadPoolExecutor(
            1,
            1,
            10,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(QUEUE_MAX),
            task -> {
              Thread thread = new Thread(task, "http");
              thread.setDaemon(true);
              return thread;
            });
    executor.allowCoreThreadTimeOut(true);
  }

  /** A resource whose answers are made here. */
  Route.Resource resource(Route.Resource inner) {
    return call -> {
      try {
        executor.execute(() -> answer(inner, call));
      } catch (RejectedExecutionException full) {
        call.answer(HttpAnswer.tooMuch());
      }
    };
  }

  private static void answer(Route.Resource inner, HttpCall call) {
    try {
      inner.answer(call);
    } catch (BadRequest wrong) {
      call.answer(wrong.answer());
    } catch (RuntimeException bug) {
      call.answer(HttpAnswer.internalError(bug));
    }
  }

  @Override
  public void close() {
    executor.shutdownNow();
  }
}

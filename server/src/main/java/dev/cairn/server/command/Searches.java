// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.server.operation.Reply;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where pages of keys are compared with patterns: on a thread of its own, so that a pattern that
 * takes long holds up other searches and nothing else. A walk waits here for one page at a time, so
 * walks take turns. The thread ends when it has nothing to do for a while. Any thread.
 */
final class Searches implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Searches.class);
  private static final int QUEUE_MAX = 4096;
  private static final int IDLE_SECONDS = 10;

  private static final Reply.Failed FULL =
      new Reply.Failed(
          ErrorCode.TRYAGAIN,
          "this node looks for as many patterns as it may; retry when it has found some");
  private static final Reply.Failed BUG =
      new Reply.Failed(ErrorCode.ERR, "internal error, see the node's log");

  private final ThreadPoolExecutor executor;

  Searches() {
    executor =
        new ThreadPoolExecutor(
            1,
            1,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(QUEUE_MAX),
            task -> {
              Thread thread = new Thread(task, "search");
              thread.setDaemon(true);
              return thread;
            });
    executor.allowCoreThreadTimeOut(true);
  }

  /**
   * Looks at a page.
   *
   * @param failed takes why it was not looked at; {@code look} has not been called then, or threw
   */
  void run(Runnable look, Consumer<Reply.Failed> failed) {
    try {
      executor.execute(
          () -> {
            try {
              look.run();
            } catch (RuntimeException bug) {
              log.error("a page of keys was not looked at: report this as a bug", bug);
              failed.accept(BUG);
            }
          });
    } catch (RejectedExecutionException full) {
      failed.accept(FULL);
    }
  }

  @Override
  public void close() {
    executor.shutdownNow();
  }
}

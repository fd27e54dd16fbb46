// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.util.ThreadPoolsFactory;
import com.lmax.disruptor.RingBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Where the engine runs what it does not want to do in the thread that noticed it.
 *
 * <p>Whoever takes a group's proposals does one such thing for each proposal and peer: it has the
 * peer's replicator send the new entries. Sending does not block here, so it is done at once, which
 * saves two threads a wake-up each for every proposal. It holds the group's lock then, and the
 * replicator takes its own, an order that the engine keeps elsewhere too (a new leader starts its
 * replicators under the group's lock). Everything else gets a thread.
 */
final class EngineThreads extends ThreadPoolExecutor {
  private static final String TAKES_PROPOSALS = "JRaft-NodeImpl";
  private static final EngineThreads SHARED = new EngineThreads();

  private EngineThreads() {
    super(
        0,
        256,
        30,
        TimeUnit.SECONDS,
        new SynchronousQueue<>(),
        task -> {
          Thread thread = new Thread(task, "raft-closures");
          thread.setDaemon(true);
          return thread;
        },
        new CallerRunsPolicy());
  }

  /** Has a group's tasks run here. The engine keeps this for as long as the process lives. */
  static void use(String group) {
    try {
      ThreadPoolsFactory.registerThreadPool(group, SHARED);
    } catch (IllegalArgumentException alreadyRegistered) {
      // by another member in this process, or when the group was open before
    }
  }

  @Override
  public Future<?> submit(Runnable task) {
    if (RingBuffer.serving(TAKES_PROPOSALS)) {
      task.run();
      return CompletableFuture.completedFuture(null);
    }
    return super.submit(task);
  }
}

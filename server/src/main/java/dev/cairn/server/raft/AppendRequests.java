// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.rpc.RaftServerService;
import com.alipay.sofa.jraft.rpc.RpcProcessor;
import com.alipay.sofa.jraft.rpc.RpcRequestClosure;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequestHeader;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesResponse;
import com.alipay.sofa.jraft.rpc.impl.core.NodeRequestProcessor;
import com.google.protobuf.Message;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/**
 * Takes entries and heartbeats from leaders, those of a group one after the other.
 *
 * <p>JRaft 1.4.1 has a thread for each pair of peers do this, and when a connection ends it waits
 * for that thread under a lock that the thread may need: 15 seconds in which nothing that any
 * leader sends on the same event loop is read. So a partition could stay without a leader for as
 * long, whenever its leader died with entries on their way. Nothing waits for anything here. The
 * engine's own processor also keeps the answers in order; leaders put them in order themselves.
 *
 * <p>Threads: those of the executor; order is kept by {@link Turn}s, of which groups share {@value
 * #TURNS}.
 */
final class AppendRequests extends NodeRequestProcessor<AppendEntriesRequest> {
  private static final int TURNS = 256;

  /** More than all leaders of the groups that share a turn have under way. */
  static final int WAITING_MAX = 32_768;

  private final Turn[] turns = new Turn[TURNS];

  AppendRequests(Executor executor) {
    super(executor, AppendEntriesResponse.getDefaultInstance());
    for (int i = 0; i < TURNS; i++) {
      turns[i] = new Turn(executor);
    }
  }

  @Override
  protected String getPeerId(AppendEntriesRequest request) {
    return request.getPeerId();
  }

  @Override
  protected String getGroupId(AppendEntriesRequest request) {
    return request.getGroupId();
  }

  @Override
  protected Message processRequest0(
      RaftServerService service, AppendEntriesRequest request, RpcRequestClosure done) {
    return service.handleAppendEntriesRequest(request, done);
  }

  @Override
  public String interest() {
    return AppendEntriesRequest.class.getName();
  }

  @Override
  public RpcProcessor.ExecutorSelector executorSelector() {
    return (type, header) -> turn(((AppendEntriesRequestHeader) header).getGroupId());
  }

  private Turn turn(String group) {
    return turns[Math.floorMod(group.hashCode(), TURNS)];
  }

  /** Runs what it is given one after the other, in the order in which it came. */
  static final class Turn implements Executor {
    private final Executor executor;
    private final Queue<Runnable> waiting = new ArrayDeque<>(); // guarded by this
    private boolean busy; // guarded by this

    Turn(Executor executor) {
      this.executor = executor;
    }

    @Override
    public void execute(Runnable task) {
      synchronized (this) {
        if (waiting.size() >= WAITING_MAX) {
          throw new RejectedExecutionException("too many requests of leaders wait");
        }
        waiting.add(task);
        if (busy) {
          return;
        }
        busy = true;
      }
      try {
        executor.execute(this::run);
      } catch (RejectedExecutionException stopping) {
        synchronized (this) {
          busy = false;
          waiting.clear();
        }
        throw stopping;
      }
    }

    private void run() {
      for (Runnable next = next(); next != null; next = next()) {
        try {
          next.run();
        } catch (RuntimeException e) {
          Thread thread = Thread.currentThread();
          thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
        }
      }
    }

    private synchronized Runnable next() {
      Runnable next = waiting.poll();
      busy = next != null;
      return next;
    }
  }
}

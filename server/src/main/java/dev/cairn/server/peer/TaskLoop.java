// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs tasks one after the other, in the order in which they came, on a thread that is woken only
 * when it sleeps: a burst costs one wake-up.
 *
 * <p>A task that is about to wait for a disk says so ({@link #willBlock}): another thread goes on
 * with the tasks behind it meanwhile, as Tokio's {@code block_in_place} has it. Such a task is then
 * no longer in order with those that come after it. Whoever needs the order sees to it, by handing
 * over a task only when the one before has ended.
 *
 * <p>Invariants: at most one thread takes tasks at any moment ({@code runner}); no task is lost,
 * not when it comes while the loop falls asleep and not when it comes while it is closed.
 */
public final class TaskLoop implements Executor, AutoCloseable {
  private static final int SPARES_MAX = 4;
  private static final long SPARE_NANOS = TimeUnit.SECONDS.toNanos(30);
  private static final Logger log = LoggerFactory.getLogger(TaskLoop.class);
  private static final ThreadLocal<TaskLoop> CURRENT = new ThreadLocal<>();

  private final ThreadFactory threads;
  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean asleep = new AtomicBoolean();

  /** The thread that takes tasks. Only it names another, or falls asleep. */
  private volatile Thread runner;

  /** Threads that were the runner, and may be again; guarded by this. */
  private final Deque<Thread> spares = new ArrayDeque<>();

  private volatile boolean closed;
  private volatile boolean ended;

  /**
   * Starts a loop.
   *
   * @param name of its threads, which do not keep the process alive
   */
  public TaskLoop(String name) {
    this(
        task -> {
          Thread thread = new Thread(task, name);
          thread.setDaemon(true);
          return thread;
        });
  }

  /** Starts a loop on threads that a factory makes. */
  TaskLoop(ThreadFactory threads) {
    this.threads = threads;
    runner = threads.newThread(this::run);
    runner.start();
  }

  /** Runs a task after those that came before it. What it throws is logged. */
  @Override
  public void execute(Runnable task) {
    tasks.add(task);
    if (asleep.get() && asleep.compareAndSet(true, false)) {
      LockSupport.unpark(runner);
    }
    if (ended) {
      runWaiting();
    }
  }

  /**
   * To be called by a task before it waits for something slow: what waits behind it is run by
   * another thread from now on. Does nothing on any other thread, nor when the task has called it
   * already.
   */
  public static void willBlock() {
    TaskLoop loop = CURRENT.get();
    if (loop != null && loop.runner == Thread.currentThread()) {
      loop.handOver();
    }
  }

  private synchronized void handOver() {
    Thread spare = spares.pollLast();
    if (spare != null) {
      runner = spare;
      LockSupport.unpark(spare);
      return;
    }
    try {
      Thread next = threads.newThread(this::run);
      runner = next;
      next.start();
    } catch (Throwable e) { // no memory for another thread: late is better than never
      runner = Thread.currentThread();
      log.error("no other thread can be had; what waits behind this task waits for it", e);
    }
  }

  private void run() {
    CURRENT.set(this);
    do {
      takeTasks();
    } while (!ended && isRunnerAgain());
  }

  private void takeTasks() {
    Thread me = Thread.currentThread();
    while (runner == me) {
      Runnable task = tasks.poll();
      if (task != null) {
        run(task);
      } else if (closed) {
        ended = true;
        runWaiting(); // what came between the look and the word
        return;
      } else {
        sleep();
      }
    }
  }

  private void sleep() {
    asleep.set(true);
    while (asleep.get() && tasks.isEmpty() && !closed) {
      LockSupport.park(this);
      Thread.interrupted(); // a task left it behind; it would keep this from sleeping
    }
    asleep.set(false);
  }

  /** Waits as a spare until this thread is the runner again; false when it is not needed. */
  private boolean isRunnerAgain() {
    Thread me = Thread.currentThread();
    synchronized (this) {
      if (closed || spares.size() >= SPARES_MAX) {
        return false;
      }
      spares.addLast(me);
    }
    long until = System.nanoTime() + SPARE_NANOS;
    while (runner != me) {
      long left = until - System.nanoTime();
      synchronized (this) {
        if ((closed || left <= 0) && spares.remove(me)) {
          return false;
        }
      }
      LockSupport.parkNanos(this, left);
      Thread.interrupted();
    }
    return true;
  }

  private void runWaiting() {
    for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
      run(task);
    }
  }

  private static void run(Runnable task) {
    try {
      task.run();
    } catch (Throwable e) { // a loop that ended would hold up all that is behind
      log.error("a task failed: report this as a bug", e);
    }
  }

  /**
   * Runs what is waiting, and ends; does not wait for that. What comes later is run by whoever
   * brings it.
   */
  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(runner);
    synchronized (this) {
      spares.forEach(LockSupport::unpark);
    }
  }
}

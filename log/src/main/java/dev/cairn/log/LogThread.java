// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Runs a log on a real disk. One thread writes: it takes all that waits, writes and syncs once,
 * tells how far the log is durable, and begins again. Another makes files ahead, copies what
 * outlasts its segment, and writes the mark, at most once in {@link #MARK_MILLIS}.
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>{@link Listener#durable} is called by the writing thread only, with numbers that grow.
 *   <li>While nothing is appended, both threads sleep; before that the mark is written.
 *   <li>After {@link Listener#failed}, which is called once, nothing is told any more.
 * </ol>
 */
public final class LogThread implements AutoCloseable {
  /** The least time between two marks, in milliseconds. */
  public static final long MARK_MILLIS = 1000;

  /** How long one waits before trying again to make room. */
  private static final long RETRY_MILLIS = 100;

  private final Log log;
  private final Listener listener;
  private final Thread writer;
  private final Thread keeper;
  private volatile boolean stopped;

  /** Something was written, or there is no room for it, since the keeper looked. */
  private volatile boolean written;

  private boolean failed;

  /** Who is told what became of appends. Its methods must not wait. */
  public interface Listener {
    /** All appends up to a number are on disk. Called by the writing thread. */
    void durable(long sequence);

    /** Something was written and synced, in so long. Called by the writing thread. */
    default void wrote(long nanos) {}

    /** The log has failed: nothing more will be on disk. Called once, by either thread. */
    void failed(LogException cause);
  }

  /** Starts to run a log; it belongs to this from now on. */
  public LogThread(Log log, Listener listener) {
    this.log = log;
    this.listener = listener;
    writer = new Thread(this::write, "log");
    keeper = new Thread(this::keep, "log-keeper");
    writer.setDaemon(true);
    keeper.setDaemon(true);
    log.onAppend(() -> LockSupport.unpark(writer));
    writer.start();
    keeper.start();
  }

  private void write() {
    long told = log.durable();
    while (!stopped) {
      long begun = System.nanoTime();
      boolean wrote = log.write();
      if (wrote) {
        listener.wrote(System.nanoTime() - begun);
      }
      long durable = log.durable();
      if (durable > told) {
        told = durable;
        listener.durable(durable);
      }
      if (log.failure().isPresent()) {
        fail();
        return;
      }
      if (wrote && !written) {
        written = true;
        LockSupport.unpark(keeper);
      }
      if (!wrote) {
        if (log.queuedBytes() > 0) {
          written = true;
          LockSupport.unpark(keeper);
          LockSupport.parkNanos(this, TimeUnit.MILLISECONDS.toNanos(RETRY_MILLIS));
        } else {
          LockSupport.park(this);
        }
      }
    }
  }

  private void keep() {
    long nextMark = System.nanoTime();
    boolean idle = false;
    while (!stopped) {
      if (idle && !written) {
        LockSupport.park(this);
        continue;
      }
      written = false;
      boolean made = log.prepare();
      boolean copied = log.copy();
      if (copied) {
        LockSupport.unpark(writer); // a new segment may be wanted, which lets others go
      }
      boolean due = System.nanoTime() - nextMark >= 0;
      if (due && log.mark()) {
        nextMark = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(MARK_MILLIS);
      }
      if (log.failure().isPresent()) {
        fail();
        return;
      }
      if (!made && !copied) {
        LockSupport.parkNanos(this, TimeUnit.MILLISECONDS.toNanos(RETRY_MILLIS));
      }
      idle = due && !made && !copied && !log.isOutOfRoom();
    }
  }

  private void fail() {
    synchronized (this) {
      if (failed) {
        return;
      }
      failed = true;
    }
    log.failure().ifPresent(listener::failed);
  }

  /** Ends both threads and closes the log. What waits is not written. */
  @Override
  public void close() throws IOException {
    stopped = true;
    boolean interrupted = end(writer);
    interrupted |= end(keeper);
    log.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static boolean end(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      LockSupport.unpark(thread);
      try {
        thread.join(RETRY_MILLIS);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    return interrupted;
  }
}

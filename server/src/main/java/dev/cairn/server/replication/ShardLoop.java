// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import dev.cairn.consensus.Batch;
import dev.cairn.consensus.EntriesWanted;
import dev.cairn.consensus.Entry;
import dev.cairn.consensus.HardState;
import dev.cairn.consensus.Network;
import dev.cairn.consensus.Settings;
import dev.cairn.consensus.Shard;
import dev.cairn.consensus.SharedLog;
import dev.cairn.log.LogException;
import dev.cairn.replication.ShardLog;
import dev.cairn.server.peer.CurrentLoop;
import dev.cairn.server.peer.PeerLoop;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.LongFunction;
import java.util.random.RandomGenerator;

/**
 * A shard on its event loop. All that comes meanwhile, from clients, peers and the log, is dealt
 * with in one round, which is the next task of the loop.
 *
 * <p>Threads: {@link #run} and {@link #ask} by any; the shard is touched by the loop alone.
 * Invariants:
 *
 * <ol>
 *   <li>After any input a round follows, and the next one comes no later than the shard asks for.
 *   <li>What is given to {@link #run} runs, also when the loop has ended: whoever waits is
 *       answered. {@link #end} comes before the end of the loop. It makes all groups leave, and
 *       what comes behind it is run by whoever brings it; no group is left then, so it only
 *       answers.
 *   <li>A bug in what is done here or in a round stops the shard for good: what it left behind
 *       nobody can tell. All groups leave, and the node is told, once ({@link
 *       RoundFailedException}).
 *   <li>Nothing here waits: what has to be read from the log is read by {@code readers}.
 * </ol>
 */
final class ShardLoop {
  private final PeerLoop loop;
  private final String node;
  private final WrittenLog written;
  private final Executor readers;
  private final LongFunction<Executor> workers;
  private final ShardLog log;
  private final Shard shard;
  private final AtomicBoolean woken = new AtomicBoolean();
  private final Queue<Runnable> arrived = new ConcurrentLinkedQueue<>();
  private final CompletableFuture<Void> over = new CompletableFuture<>();
  private final Map<Long, ReplicatedGroup> groups =
      new ConcurrentHashMap<>(); // the loop changes it
  private volatile boolean ended; // written by the loop

  // The loop's.
  private boolean roundComes;
  private long timerAt = Long.MAX_VALUE;
  private boolean failed;

  /**
   * A shard without groups.
   *
   * @param session of this process, higher than that of any earlier one of the node
   * @param readers reads entries that are not in memory
   * @param workers runs a group's state machine
   */
  ShardLoop(
      PeerLoop loop,
      String node,
      long session,
      WrittenLog written,
      Executor readers,
      LongFunction<Executor> workers,
      Network network) {
    this.loop = loop;
    this.node = node;
    this.written = written;
    this.readers = readers;
    this.workers = workers;
    this.log = new ShardLog(written.log(), this::read);
    this.shard =
        new Shard(
            node,
            session,
            Settings.DEFAULT,
            new Tails(),
            network,
            RandomGenerator.getDefault(),
            nowMillis());
    written.onDurable(this::wake);
  }

  static long nowMillis() {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
  }

  // ---- Any thread ----

  Executor readers() {
    return readers;
  }

  /** Who runs the state machine of a group. */
  Executor worker(long group) {
    return workers.apply(group);
  }

  WrittenLog written() {
    return written;
  }

  /** The groups that take part. */
  List<ReplicatedGroup> groups() {
    return List.copyOf(groups.values());
  }

  /** A group that takes part; empty for any other. */
  Optional<ReplicatedGroup> group(long number) {
    return Optional.ofNullable(groups.get(number));
  }

  /** Something on the loop, followed by a round; by the caller once the shard has ended. */
  void run(Runnable task) {
    if (loop.isCurrent() && !ended) {
      runHere(task);
      return;
    }
    arrived.add(task);
    if (ended) {
      takeArrived();
    } else {
      loop.execute(this::takeArrived);
    }
  }

  private void takeArrived() {
    for (Runnable task = arrived.poll(); task != null; task = arrived.poll()) {
      runHere(task);
    }
  }

  private void runHere(Runnable task) {
    if (ended) {
      Callback.tell(task);
      return;
    }
    try {
      task.run();
    } catch (RuntimeException e) {
      broken(e);
    }
    roundSoon();
  }

  /** Ends the shard, and waits for that; its loop must not have ended. */
  void end() {
    run(this::endNow);
    over.join();
  }

  private void endNow() {
    if (!ended) {
      groups().forEach(ReplicatedGroup::leaveNow);
      ended = true;
    }
    over.complete(null);
    takeArrived();
  }

  /** What the shard knows; waits for the loop. Empty once the shard has ended. */
  <T> Optional<T> ask(Function<Shard, T> question) {
    if (ended) {
      return Optional.empty();
    }
    if (loop.isCurrent()) {
      return Optional.of(question.apply(shard));
    }
    CurrentLoop.willWait();
    CompletableFuture<Optional<T>> answer = new CompletableFuture<>();
    run(
        () -> {
          try {
            answer.complete(ended ? Optional.empty() : Optional.of(question.apply(shard)));
          } catch (RuntimeException e) {
            answer.completeExceptionally(e);
          }
        });
    try {
      return answer.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** More is on disk. */
  private void wake() {
    if (woken.compareAndSet(false, true)) {
      run(() -> woken.set(false));
    }
  }

  private void read(long group, EntriesWanted wanted) {
    ReplicatedGroup asking = groups.get(group);
    readers.execute(
        () -> {
          List<Entry> entries = log.entries(group, wanted.from(), wanted.bytesMax());
          run(
              () -> {
                if (asking != null && groups.get(group) == asking) {
                  shard.loaded(group, wanted.peer(), entries, nowMillis());
                }
              });
        });
  }

  /** Entries that are on disk; may wait. */
  List<Entry> entries(long group, long from, long bytesMax) {
    return log.entries(group, from, bytesMax);
  }

  // ---- The loop ----

  Shard shard() {
    return shard;
  }

  ShardLog log() {
    return log;
  }

  void add(long number, ReplicatedGroup group) {
    groups.put(number, group);
  }

  /** A group that another has followed under its number is not there any more. */
  void remove(long number, ReplicatedGroup group) {
    if (groups.remove(number, group)) {
      shard.close(number);
    }
  }

  /** Whether proposals are to be refused, since the log takes nothing now. */
  boolean holdsBack() {
    return isOver() || log.holdsBack();
  }

  void later(Runnable task, long millis) {
    loop.after(millis, () -> run(task));
  }

  void receive(Batch batch) {
    if (isOver()) {
      return;
    }
    try {
      shard.receive(batch, nowMillis());
    } catch (RuntimeException e) {
      broken(e);
    }
    roundSoon();
  }

  private boolean isOver() {
    return ended || failed || written.isFaulty();
  }

  private void roundSoon() {
    if (!isOver() && !roundComes) {
      roundComes = true;
      loop.execute(this::round);
    }
  }

  private void round() {
    roundComes = false;
    if (isOver()) {
      return;
    }
    try {
      shard.durable(log.durable(), nowMillis());
      timer(shard.round(nowMillis()));
    } catch (LogException e) {
      stop();
      written.fault(e);
    } catch (RuntimeException e) {
      broken(e);
    }
  }

  private void broken(RuntimeException bug) {
    stop();
    written.fault(new RoundFailedException(bug));
  }

  private void stop() {
    if (!failed) {
      failed = true;
      groups().forEach(group -> Callback.tell(group::leaveNow));
    }
  }

  private void timer(long at) {
    if (at >= timerAt || at == Long.MAX_VALUE) {
      return;
    }
    timerAt = at;
    loop.after(
        Math.max(0, at - nowMillis()),
        () -> {
          if (timerAt == at) {
            timerAt = Long.MAX_VALUE;
            roundSoon();
          }
        });
  }

  /** The log as the shard writes it; each group keeps what it has yet to apply. */
  private final class Tails implements SharedLog {
    @Override
    public long append(List<Part> parts) {
      for (Part part : parts) {
        ReplicatedGroup group = groups.get(part.group());
        if (group != null && part.write() != null) {
          group.written(part.write());
        }
        if (part.write() != null && standsIn(part.write().hardState())) {
          written.stands();
        }
      }
      return log.append(parts);
    }

    /** Whoever stands votes for itself, once in a term. */
    private boolean standsIn(HardState state) {
      return state != null && state.votedFor() != null && state.votedFor().node().equals(node);
    }

    @Override
    public void read(long group, EntriesWanted wanted) {
      log.read(group, wanted);
    }
  }
}

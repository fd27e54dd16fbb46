// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesResponse;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * When a leader sends its entries to a witness: at once while they are needed for a majority, else
 * a moment later, many together.
 *
 * <p>While all full replicas answer promptly, leader and copies are a majority without the witness.
 * What is meant for the witness is then held for at most {@link #HOLD_NANOS}: the engine, which has
 * few requests to a peer under way, packs the entries of that time into few requests. When a full
 * replica fails, is slow, or has yet to catch up, what is held goes out, and nothing is held until
 * it is prompt again. Heartbeats are never held.
 *
 * <p>Raft's safety does not rest on when a message is sent. What this may cost is time: a write
 * that was under way when a copy failed waits for up to {@link #HOLD_NANOS} more.
 *
 * <p>Threads: any; the lock is never held while somebody else's code runs. Invariants:
 *
 * <ol>
 *   <li>Entries for a witness leave in the order in which the engine gave them.
 *   <li>Nothing is held for longer than {@link #HOLD_NANOS}.
 * </ol>
 */
final class WitnessPace {
  /** Far below an election timeout, far above the time a prompt copy takes to answer. */
  static final long HOLD_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  /** A copy is sent each entry at about the same time as the witness, a few earlier or later. */
  static final long ENTRIES_AHEAD_MAX = 8;

  private final LongSupplier nanoTime;
  private final Timer timer;
  private final List<Runnable> held = new ArrayList<>(); // guarded by this
  private final Map<String, Copy> copies = new HashMap<>(); // by peer; guarded by this
  private Set<String> witnesses = Set.of(); // guarded by this
  private long term; // of copies; guarded by this
  private boolean ticking; // guarded by this
  private boolean releasing; // guarded by this

  /** Sends a message. */
  interface Delivery {
    /** Sends a request; does not block. {@code done} is called exactly once. */
    void deliver(AppendEntriesRequest request, Consumer<RaftRpc.Outcome> done);
  }

  /** Runs something later. */
  interface Timer {
    /**
     * Runs a task once.
     *
     * @return false when it never will
     */
    boolean after(long nanos, Runnable task);
  }

  /** A full replica, and how it answers entries. */
  private static final class Copy {
    private long lastSent; // index of an entry
    private int missing; // answers
    private long sinceNanos; // of the last answer, or the first request since
    private boolean prompt; // the last one

    void asked(AppendEntriesRequest request, long now) {
      lastSent = lastIndex(request);
      if (missing++ == 0) {
        sinceNanos = now;
      }
    }

    void answered(boolean success, long askedNanos, long now) {
      missing--;
      sinceNanos = now;
      prompt = success && now - askedNanos < HOLD_NANOS;
    }

    boolean prompt(long now) {
      return prompt && (missing == 0 || now - sinceNanos < HOLD_NANOS);
    }
  }

  WitnessPace(LongSupplier nanoTime, Timer timer) {
    this.nanoTime = nanoTime;
    this.timer = timer;
  }

  /** Which members hold no data, from now on. */
  synchronized void witnesses(Set<Peer> peers) {
    Set<String> next = peers.stream().map(Peer::toString).collect(Collectors.toUnmodifiableSet());
    if (!next.equals(witnesses)) {
      witnesses = next;
      copies.clear();
    }
  }

  /**
   * Sends a request, now or a moment later.
   *
   * @param done called exactly once, as {@code delivery} does
   */
  void send(AppendEntriesRequest request, Delivery delivery, Consumer<RaftRpc.Outcome> done) {
    if (RaftMessage.isHeartbeat(request)) {
      delivery.deliver(request, done);
      return;
    }
    Copy copy;
    long now = nanoTime.getAsLong();
    synchronized (this) {
      if (request.getTerm() != term) {
        copies.clear();
        term = request.getTerm();
      }
      copy = witnesses.contains(request.getPeerId()) ? null : asked(request, now);
    }
    if (copy == null) {
      sendToWitness(request, delivery, done);
    } else {
      delivery.deliver(
          request,
          outcome -> {
            answered(copy, outcome, now);
            done.accept(outcome);
          });
    }
  }

  private Copy asked(AppendEntriesRequest request, long now) {
    Copy copy = copies.computeIfAbsent(request.getPeerId(), peer -> new Copy());
    copy.asked(request, now);
    return copy;
  }

  private void answered(Copy copy, RaftRpc.Outcome outcome, long askedNanos) {
    boolean success =
        outcome.message() instanceof AppendEntriesResponse response && response.getSuccess();
    synchronized (this) {
      copy.answered(success, askedNanos, nanoTime.getAsLong());
    }
    if (!success) {
      release();
    }
  }

  private void sendToWitness(
      AppendEntriesRequest request, Delivery delivery, Consumer<RaftRpc.Outcome> done) {
    boolean now;
    synchronized (this) {
      held.add(() -> delivery.deliver(request, done));
      now = !dispensable(request, nanoTime.getAsLong()) || !tick();
    }
    if (now) {
      release();
    }
  }

  /** Whether a majority is likely without the witness' answer to this; never so for a probe. */
  private boolean dispensable(AppendEntriesRequest request, long now) {
    return request.getEntriesCount() > 0
        && !copies.isEmpty()
        && copies.values().stream()
            .allMatch(
                copy ->
                    copy.prompt(now) && lastIndex(request) - copy.lastSent <= ENTRIES_AHEAD_MAX);
  }

  /** All groups of a node are released at the same moments, and share what a sending costs. */
  private boolean tick() {
    if (!ticking) {
      long untilNext = HOLD_NANOS - Math.floorMod(nanoTime.getAsLong(), HOLD_NANOS);
      ticking =
          timer.after(
              untilNext,
              () -> {
                synchronized (this) {
                  ticking = false;
                }
                release();
              });
    }
    return ticking;
  }

  /** Sends what is held, in order; one thread at a time. */
  private void release() {
    for (List<Runnable> next = takeHeld(); !next.isEmpty(); next = takeHeld()) {
      try {
        next.forEach(Runnable::run);
      } finally {
        synchronized (this) {
          releasing = false;
        }
      }
    }
  }

  private synchronized List<Runnable> takeHeld() {
    if (releasing || held.isEmpty()) {
      return List.of();
    }
    releasing = true;
    List<Runnable> taken = List.copyOf(held);
    held.clear();
    return taken;
  }

  private static long lastIndex(AppendEntriesRequest request) {
    return request.getPrevLogIndex() + request.getEntriesCount();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesResponse;
import java.util.ArrayDeque;
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
 * When a leader sends its entries and heartbeats to a witness: at once while they are needed for a
 * majority, else a moment later, many together.
 *
 * <p>While all full replicas answer promptly, leader and copies are a majority without the witness.
 * What is meant for the witness is then held for at most {@link #HOLD_NANOS}: the engine, which has
 * few requests to a peer under way, packs the entries of that time into few requests, and of the
 * heartbeats that confirm reads only the last is sent. When a full replica fails, is slow, or has
 * yet to catch up, what is held goes out, and nothing is held until it is prompt again.
 *
 * <p>Raft's safety does not rest on when a message is sent. What this may cost is time: a write
 * that was under way when a copy failed waits for up to {@link #HOLD_NANOS} more.
 *
 * <p>Threads: any; the lock is never held while somebody else's code runs. Invariants:
 *
 * <ol>
 *   <li>Messages to a witness leave in the order in which the engine gave them, but for heartbeats
 *       that are replaced by later ones of the same leader and term.
 *   <li>An answer to a heartbeat counts for those that it replaced: they were asked before it.
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
  private final ArrayDeque<Held> held = new ArrayDeque<>(); // guarded by this
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

  /** What is meant for a witness. */
  private static final class Held {
    private final Delivery delivery;
    private final List<Consumer<RaftRpc.Outcome>> done = new ArrayList<>(1);
    private AppendEntriesRequest request;

    Held(AppendEntriesRequest request, Delivery delivery, Consumer<RaftRpc.Outcome> done) {
      this.request = request;
      this.delivery = delivery;
      this.done.add(done);
    }

    /** Whether a heartbeat says all that this one does. */
    boolean replacedBy(AppendEntriesRequest later) {
      return RaftMessage.isHeartbeat(request)
          && RaftMessage.isHeartbeat(later)
          && request.getTerm() == later.getTerm()
          && request.getPeerId().equals(later.getPeerId())
          && request.getServerId().equals(later.getServerId());
    }

    void deliver() {
      delivery.deliver(request, outcome -> done.forEach(one -> one.accept(outcome)));
    }
  }

  /** A full replica. Its entries and its heartbeats go different ways, and may fail apart. */
  private static final class Copy {
    private final Answers entries = new Answers();
    private final Answers heartbeats = new Answers();
    private long lastSent; // index of an entry
  }

  /** How a full replica answers. */
  private static final class Answers {
    private int missing;
    private long sinceNanos; // of the last answer, or the first request since
    private boolean prompt; // the last one

    void asked(long now) {
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
            answered(copy, request, outcome, now);
            done.accept(outcome);
          });
    }
  }

  private Copy asked(AppendEntriesRequest request, long now) {
    Copy copy = copies.computeIfAbsent(request.getPeerId(), peer -> new Copy());
    if (RaftMessage.isHeartbeat(request)) {
      copy.heartbeats.asked(now);
    } else {
      copy.entries.asked(now);
      copy.lastSent = lastIndex(request);
    }
    return copy;
  }

  private void answered(
      Copy copy, AppendEntriesRequest request, RaftRpc.Outcome outcome, long askedNanos) {
    boolean success =
        outcome.message() instanceof AppendEntriesResponse response && response.getSuccess();
    synchronized (this) {
      Answers answers = RaftMessage.isHeartbeat(request) ? copy.heartbeats : copy.entries;
      answers.answered(success, askedNanos, nanoTime.getAsLong());
    }
    if (!success) {
      release();
    }
  }

  private void sendToWitness(
      AppendEntriesRequest request, Delivery delivery, Consumer<RaftRpc.Outcome> done) {
    boolean now;
    synchronized (this) {
      Held replaced = null;
      for (Held one : held) {
        if (one.replacedBy(request)) {
          replaced = one;
        }
      }
      if (replaced == null) {
        held.add(new Held(request, delivery, done));
      } else {
        replaced.request = request;
        replaced.done.add(done);
      }
      now = !dispensable(request, nanoTime.getAsLong()) || !tick();
    }
    if (now) {
      release();
    }
  }

  /** Whether a majority is likely without the witness' answer to this. */
  private boolean dispensable(AppendEntriesRequest request, long now) {
    if (copies.isEmpty()) {
      return false;
    }
    for (Copy copy : copies.values()) {
      boolean prompt =
          RaftMessage.isHeartbeat(request)
              ? copy.heartbeats.prompt(now)
              : request.getEntriesCount() > 0
                  && copy.entries.prompt(now)
                  && lastIndex(request) - copy.lastSent <= ENTRIES_AHEAD_MAX;
      if (!prompt) {
        return false;
      }
    }
    return true;
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
    for (List<Held> next = takeHeld(); !next.isEmpty(); next = takeHeld()) {
      try {
        next.forEach(Held::deliver);
      } finally {
        synchronized (this) {
          releasing = false;
        }
      }
    }
  }

  private synchronized List<Held> takeHeld() {
    if (releasing || held.isEmpty()) {
      return List.of();
    }
    releasing = true;
    List<Held> taken = List.copyOf(held);
    held.clear();
    return taken;
  }

  private static long lastIndex(AppendEntriesRequest request) {
    return request.getPrevLogIndex() + request.getEntriesCount();
  }
}

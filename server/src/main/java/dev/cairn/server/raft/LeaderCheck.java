// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import dev.cairn.server.peer.Answer;
import dev.cairn.server.peer.PeerTransport;
import dev.cairn.server.peer.Traffic;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Makes sure that this node leads a group still: the part of ReadIndex that asks the others
 * (Ongaro's thesis, 6.4).
 *
 * <p>A voter is asked for its term on disk, which its loop answers from a field. If a majority of
 * the voters, this one among them, is at the leader's term or below after the question, nobody led
 * in a later term before it: for that a majority would have had to be in that term, terms never go
 * back, and two majorities have a member in common. So whatever was acknowledged before the
 * question was acknowledged by this leader, which had applied it then, or by an earlier one, whose
 * entries it had applied when it began to lead ({@link GroupListener#leaderStarted}). Its state
 * answers reads that came before the question.
 *
 * <p>A voter counts for what its disk says, whether its replica is open or not: one that is closed
 * votes for nobody. One of another incarnation is another voter.
 *
 * <p>The witness is asked only when the others do not answer within {@link #ALONE_NANOS}, twice
 * that at most, or did not the last time. Threads: any; the lock is never held while somebody
 * else's code runs.
 *
 * <pre>
 *   request ::= incarnation:4 group:UTF-8
 *   answer  ::= term:8                      0 when the group is not on disk in that incarnation
 * </pre>
 */
final class LeaderCheck {
  static final byte KIND = 70;
  static final long ALONE_NANOS = WitnessPace.HOLD_NANOS;
  private static final long ANSWER_WITHIN_MILLIS = 500;
  private static final int GROUP_BYTES_MAX = 1_024;

  private final String group;
  private final byte[] name;
  private final Peer self;
  private final State state;
  private final Sender sender;
  private final WitnessPace.Timer timer;
  private final LongSupplier nanoTime;
  private final AtomicBoolean ticking = new AtomicBoolean();
  private volatile Set<Peer> witnesses = Set.of();
  private volatile boolean othersSuffice; // without witnesses; the last time
  private volatile Round latest;

  /** What is on this node's disk. */
  interface State {
    /** The term of the group; 0 without one. */
    long term(String group);

    /** Who votes; none while that is changing, or not known. */
    Set<Peer> voters(String group);
  }

  /** Asks a voter. */
  interface Sender {
    /** Sends a request; {@code done} is called exactly once, on a thread that must not block. */
    void send(Peer to, byte[] request, Consumer<Answer> done);
  }

  /**
   * Creates the check of one member.
   *
   * @param timer runs something later, on a thread that must not block
   */
  LeaderCheck(
      String group,
      Peer self,
      State state,
      Sender sender,
      WitnessPace.Timer timer,
      LongSupplier nanoTime) {
    this.group = group;
    this.name = group.getBytes(StandardCharsets.UTF_8);
    this.self = self;
    this.state = state;
    this.sender = sender;
    this.timer = timer;
    this.nanoTime = nanoTime;
  }

  /** The check of a member of a node. */
  static LeaderCheck of(String group, Peer self, SharedLog log, PeerTransport transport) {
    State state =
        new State() {
          @Override
          public long term(String name) {
            return log.term(name);
          }

          @Override
          public Set<Peer> voters(String name) {
            return log.voters(name);
          }
        };
    Sender sender =
        (to, request, done) ->
            transport.sendApart(
                Traffic.CONTROL,
                to.host(),
                to.port(),
                KIND,
                request,
                ANSWER_WITHIN_MILLIS,
                Runnable::run,
                done);
    return new LeaderCheck(group, self, state, sender, transport::after, System::nanoTime);
  }

  /** Answers other nodes' checks from now on. */
  static void serve(PeerTransport transport, SharedLog log) {
    transport.handleOnLoop(KIND, (body, answer) -> answer.accept(answer(log, body)));
  }

  private static byte[] answer(SharedLog log, byte[] body) {
    if (body.length < Integer.BYTES || body.length > Integer.BYTES + GROUP_BYTES_MAX) {
      throw new IllegalArgumentException("a leader's check of " + body.length + " bytes");
    }
    int incarnation = ByteBuffer.wrap(body).getInt();
    String group =
        new String(body, Integer.BYTES, body.length - Integer.BYTES, StandardCharsets.UTF_8);
    // The term is read first: a replica that is wiped in between has another incarnation then.
    long term = log.term(group);
    return ByteBuffer.allocate(Long.BYTES)
        .putLong(log.incarnation(group) == incarnation ? term : 0)
        .array();
  }

  /** Which members need not be asked while the others answer. */
  void witnesses(Set<Peer> peers) {
    witnesses = Set.copyOf(peers);
  }

  /**
   * Makes sure that this node leads in a term.
   *
   * @param term the term in which it was told to lead
   * @param done called exactly once, mostly on the transport's loop; empty when nobody led in a
   *     later term before this call, else why that is not certain
   * @return false when it cannot be told, since who votes is changing or not known; {@code done} is
   *     not called then
   */
  boolean confirm(long term, Consumer<Optional<String>> done) {
    Set<Peer> voters = state.voters(group);
    if (!voters.contains(self)) {
      return false;
    }
    Round round = new Round(term, voters, nanoTime.getAsLong(), done);
    latest = round;
    if (voters.size() == 1 && timer.after(0, round::settle)) {
      return true; // not on the caller's stack, who asks again when it is done
    }
    round.ask(others(voters, false));
    if (!othersSuffice || !tickLater()) {
      round.askWitnesses();
    }
    round.settle();
    return true;
  }

  private boolean tickLater() {
    if (!ticking.compareAndSet(false, true)) {
      return true;
    }
    boolean later = timer.after(ALONE_NANOS, this::tick);
    ticking.set(later);
    return later;
  }

  private void tick() {
    ticking.set(false);
    Round round = latest;
    if (round.isOver()) {
      return;
    }
    if (nanoTime.getAsLong() - round.begunNanos >= ALONE_NANOS || !tickLater()) {
      round.askWitnesses();
    }
  }

  private List<Peer> others(Set<Peer> voters, boolean witness) {
    List<Peer> others = new ArrayList<>(voters);
    others.removeIf(peer -> peer.equals(self) || witnesses.contains(peer) != witness);
    return others;
  }

  /** One confirmation that is under way. */
  private final class Round {
    private final long term;
    private final Set<Peer> voters;
    private final long begunNanos;
    private final Consumer<Optional<String>> done;
    private final Set<Peer> asked = new HashSet<>(); // guarded by this
    private final Set<Peer> agree = new HashSet<>(); // guarded by this
    private final Set<Peer> missing = new HashSet<>(); // guarded by this: will not agree
    private boolean witnessesAsked; // guarded by this
    private boolean over; // guarded by this

    Round(long term, Set<Peer> voters, long begunNanos, Consumer<Optional<String>> done) {
      this.term = term;
      this.voters = voters;
      this.begunNanos = begunNanos;
      this.done = done;
    }

    synchronized boolean isOver() {
      return over;
    }

    void ask(List<Peer> peers) {
      for (Peer peer : peers) {
        synchronized (this) {
          if (over || !asked.add(peer)) {
            continue;
          }
        }
        byte[] request =
            ByteBuffer.allocate(Integer.BYTES + name.length)
                .putInt(peer.incarnation())
                .put(name)
                .array();
        sender.send(peer, request, answer -> answered(peer, answer));
      }
    }

    void askWitnesses() {
      synchronized (this) {
        if (over || witnessesAsked) {
          return;
        }
        witnessesAsked = true;
      }
      ask(others(voters, true));
      settle();
    }

    private void answered(Peer peer, Answer answer) {
      boolean agrees =
          answer instanceof Answer.Received received && agrees(ByteBuffer.wrap(received.body()));
      boolean needed;
      synchronized (this) {
        (agrees ? agree : missing).add(peer);
        needed = !agrees && !over;
      }
      if (needed) {
        askWitnesses();
      }
      settle();
    }

    private boolean agrees(ByteBuffer body) {
      if (body.remaining() != Long.BYTES) {
        return false;
      }
      long its = body.getLong();
      return its > 0 && its <= term;
    }

    /** Ends the round when it is decided. */
    void settle() {
      Optional<String> failure;
      synchronized (this) {
        if (over) {
          return;
        }
        int needed = voters.size() / 2; // besides this one
        boolean confirmed = agree.size() >= needed;
        boolean hopeless = voters.size() - 1 - missing.size() < needed;
        if (!confirmed && !hopeless) {
          return;
        }
        over = true;
        othersSuffice = confirmed && (!witnessesAsked || agree.containsAll(others(voters, false)));
        failure =
            confirmed
                ? Optional.empty()
                : Optional.of("no majority of the voters says that this node leads");
      }
      // This one's own voice, after the others'.
      done.accept(
          failure.isEmpty() && state.term(group) != term
              ? Optional.of("this node is in another term")
              : failure);
    }
  }
}

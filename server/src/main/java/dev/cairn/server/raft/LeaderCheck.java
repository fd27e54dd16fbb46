// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
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
 * <p>As many voters are asked as a majority needs, the same ones for all groups of a node as far as
 * they share any, so that their questions travel together ({@link TermQuestions}): those that
 * follow this node in the order of ids. A witness knows terms as well as anybody. The others are
 * asked when those do not answer within {@link #ALONE_NANOS}, twice that at most, or did not the
 * last time.
 *
 * <p>Threads: any; the lock is never held while somebody else's code runs.
 */
final class LeaderCheck {
  static final long ALONE_NANOS = WitnessPace.HOLD_NANOS;

  private final String group;
  private final byte[] name;
  private final Peer self;
  private final State state;
  private final Questions questions;
  private final WitnessPace.Timer timer;
  private final LongSupplier nanoTime;
  private final AtomicBoolean ticking = new AtomicBoolean();
  private volatile boolean firstSuffice; // those that are asked first did, the last time
  private volatile Round latest;
  private volatile Order order = new Order(Set.of(), List.of());

  /** What is on this node's disk. */
  interface State {
    /** The term of the group; 0 without one. */
    long term(String group);

    /** Who votes; none while that is changing, or not known. */
    Set<Peer> voters(String group);
  }

  /** In which order voters are asked. */
  private record Order(Set<Peer> voters, List<Peer> others) {}

  /** Asks a voter for its term on disk. */
  interface Questions {
    /** As {@link TermQuestions#ask}. */
    void ask(Peer voter, byte[] group, LongConsumer done);
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
      Questions questions,
      WitnessPace.Timer timer,
      LongSupplier nanoTime) {
    this.group = group;
    this.name = group.getBytes(StandardCharsets.UTF_8);
    this.self = self;
    this.state = state;
    this.questions = questions;
    this.timer = timer;
    this.nanoTime = nanoTime;
  }

  /** The check of a member of a node. */
  static LeaderCheck of(
      String group, Peer self, SharedLog log, Questions questions, WitnessPace.Timer timer) {
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
    return new LeaderCheck(group, self, state, questions, timer, System::nanoTime);
  }

  /**
   * Makes sure that this node leads in a term.
   *
   * @param term the term in which it was told to lead
   * @param done called exactly once, mostly on an event loop; empty when nobody led in a later term
   *     before this call, else why that is not certain
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
    round.ask(round.first);
    if (!firstSuffice || !tickLater()) {
      round.askRest();
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
      round.askRest();
    }
  }

  /** The other voters, those first that follow this node in the order of ids. */
  private List<Peer> others(Set<Peer> voters) {
    Order known = order;
    if (!known.voters().equals(voters)) {
      known = new Order(voters, sorted(voters));
      order = known;
    }
    return known.others();
  }

  private List<Peer> sorted(Set<Peer> voters) {
    Comparator<Peer> byId = Comparator.comparing(Peer::nodeId);
    return voters.stream()
        .filter(peer -> !peer.equals(self))
        .sorted(
            Comparator.comparing((Peer peer) -> byId.compare(peer, self) < 0).thenComparing(byId))
        .toList();
  }

  /** One confirmation that is under way. */
  private final class Round {
    private final long term;
    private final List<Peer> others;
    private final List<Peer> first; // of the others: as many as a majority needs
    private final long begunNanos;
    private final Consumer<Optional<String>> done;
    private final Set<Peer> asked = new HashSet<>(); // guarded by this
    private final Set<Peer> agree = new HashSet<>(); // guarded by this
    private final Set<Peer> missing = new HashSet<>(); // guarded by this: will not agree
    private boolean restAsked; // guarded by this
    private boolean over; // guarded by this

    Round(long term, Set<Peer> voters, long begunNanos, Consumer<Optional<String>> done) {
      this.term = term;
      this.others = others(voters);
      this.first = others.subList(0, voters.size() / 2);
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
        questions.ask(peer, name, its -> answered(peer, its > 0 && its <= term));
      }
    }

    void askRest() {
      synchronized (this) {
        if (over || restAsked) {
          return;
        }
        restAsked = true;
      }
      ask(others);
      settle();
    }

    private void answered(Peer peer, boolean agrees) {
      boolean needed;
      synchronized (this) {
        (agrees ? agree : missing).add(peer);
        needed = !agrees && !over;
      }
      if (needed) {
        askRest();
      }
      settle();
    }

    /** Ends the round when it is decided. */
    void settle() {
      Optional<String> failure;
      synchronized (this) {
        if (over) {
          return;
        }
        boolean confirmed = agree.size() >= first.size();
        boolean hopeless = others.size() - missing.size() < first.size();
        if (!confirmed && !hopeless) {
          return;
        }
        over = true;
        firstSuffice = confirmed && (!restAsked || agree.containsAll(first));
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

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.access;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Compares passwords, off the event loops, and slows down who guesses: after {@value #FAILURES_MAX}
 * failed logins within a minute from one address as one user, each further one of that pair is
 * looked at after {@value #SLOW_MILLIS} milliseconds only, right or wrong, until a minute has
 * passed since the last failure.
 *
 * <p>Bounds: {@value #WAITING_MAX} logins wait, and beside them {@value #SLOW_WAITING_MAX} of those
 * who guess; one more is refused. So guessers keep nobody else out. {@value #PAIRS_MAX} pairs are
 * remembered; the one that failed longest ago is forgotten.
 */
public final class Logins implements AutoCloseable {
  /** How many may fail in a minute before the next ones are slow. */
  static final int FAILURES_MAX = 10;

  /** How long a slow one waits. */
  static final long SLOW_MILLIS = 1_000;

  private static final int WAITING_MAX = 10_000;
  static final int SLOW_WAITING_MAX = 1_000;
  private static final int PAIRS_MAX = 10_000;
  private static final long WINDOW_NANOS = TimeUnit.MINUTES.toNanos(1);

  private final AccessControl access;
  private final LongSupplier nanoTime;
  private final ScheduledThreadPoolExecutor thread;
  private final AtomicInteger waiting = new AtomicInteger();
  private final AtomicInteger slowWaiting = new AtomicInteger();
  private final Map<Pair, Failures> failures =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Pair, Failures> eldest) {
          return size() > PAIRS_MAX;
        }
      }; // guarded by itself

  private record Pair(String host, String user) {}

  private record Failures(int count, long sinceNanos, long lastNanos) {}

  /**
   * Somebody who wants in.
   *
   * @param from where it comes from
   * @param user a byte a character
   */
  public record Attempt(ClientAddress from, String user, byte[] password) {}

  /** Starts its thread with the first login. */
  public Logins(AccessControl access, LongSupplier nanoTime) {
    this.access = access;
    this.nanoTime = nanoTime;
    this.thread =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread made = new Thread(task, "logins");
              made.setDaemon(true);
              return made;
            });
  }

  /**
   * Looks whether a login is right. Returns at once.
   *
   * @param done the login, empty where it is wrong; once, on the thread of this class
   * @return whether it is looked at; if not, too many wait, and {@code done} is not called
   */
  public boolean check(Attempt attempt, Consumer<Optional<Login>> done) {
    boolean slow = isSlow(attempt);
    AtomicInteger queue = slow ? slowWaiting : waiting;
    if (queue.incrementAndGet() > (slow ? SLOW_WAITING_MAX : WAITING_MAX)) {
      queue.decrementAndGet();
      return false;
    }
    try {
      thread.schedule(
          () -> {
            queue.decrementAndGet();
            done.accept(look(attempt));
          },
          slow ? SLOW_MILLIS : 0,
          TimeUnit.MILLISECONDS);
      return true;
    } catch (RejectedExecutionException stopping) {
      queue.decrementAndGet();
      return false;
    }
  }

  private Optional<Login> look(Attempt attempt) {
    Optional<Login> login =
        access.check(attempt.user(), attempt.password(), attempt.from().isLocal());
    if (login.isEmpty()) {
      failed(new Pair(attempt.from().host(), attempt.user()));
    }
    access
        .audit()
        .add(
            new Audit.Event(
                Audit.Kind.LOGIN,
                login.isPresent() ? Audit.Outcome.DONE : Audit.Outcome.REFUSED,
                attempt.user(),
                attempt.from().host(),
                login.map(in -> "by " + in.kind().words()).orElse("by a password that is wrong")));
    return login;
  }

  private boolean isSlow(Attempt attempt) {
    synchronized (failures) {
      Failures known = failures.get(new Pair(attempt.from().host(), attempt.user()));
      return known != null
          && known.count() >= FAILURES_MAX
          && nanoTime.getAsLong() - known.lastNanos() < WINDOW_NANOS;
    }
  }

  private void failed(Pair pair) {
    long now = nanoTime.getAsLong();
    synchronized (failures) {
      Failures known = failures.get(pair);
      boolean slow = known != null && known.count() >= FAILURES_MAX;
      boolean within =
          known != null && now - (slow ? known.lastNanos() : known.sinceNanos()) < WINDOW_NANOS;
      failures.put(
          pair,
          within
              ? new Failures(known.count() + 1, known.sinceNanos(), now)
              : new Failures(1, now, now));
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}

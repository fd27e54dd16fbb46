// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.client.Answer;
import dev.cairn.client.CairnClient;
import dev.cairn.client.NotOnAllReplicasException;
import dev.cairn.client.UnavailableException;
import dev.cairn.client.UnknownOutcomeException;
import dev.cairn.tools.Pairs.Entry;
import dev.cairn.tools.Pairs.Malformed;
import dev.cairn.tools.Pairs.Pair;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Stores many pairs, a bounded number of them in flight at once.
 *
 * <p>A pair that could not be stored for a passing reason is sent again until it is, or until
 * nothing at all could be stored for {@link Options#giveUpNanos}. An unknown outcome is treated the
 * same if the options say so: storing the same pair twice changes nothing as long as nobody else
 * writes these keys.
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>At most one pair of a key is in flight, so of two lines with the same key the later wins.
 *   <li>A pair that was unknown once is stored or unknown in the end, never failed.
 *   <li>Every pair read ends as exactly one of stored, failed, unknown and expired.
 * </ol>
 *
 * <p>Threads: {@link #run} reads and sends; answers come on the client's threads; {@link #stop} and
 * the counts may be called from any.
 */
final class Loader {
  private static final int BYTES_UNIT = 1024;
  private static final int BYTES_UNITS_MAX = 48 * 1024;
  private static final long RETRY_MILLIS = 100;

  /**
   * How to load.
   *
   * @param inFlightMax most pairs in flight
   * @param perSecondMax most pairs a second, 0 for no limit
   * @param retryUnknown whether a pair with an unknown outcome is sent again
   * @param giveUpNanos stop when nothing was stored for so long
   */
  record Options(int inFlightMax, double perSecondMax, boolean retryUnknown, long giveUpNanos) {}

  /** Hears what becomes of each line. Called on any thread, of one pair once. */
  interface Listener {
    void stored(Pair pair);

    void failed(long lineNumber, String why);

    void unknown(Pair pair, String why);
  }

  private final CairnClient client;
  private final Options options;
  private final Clock clock;
  private final Listener listener;
  private final Semaphore room;
  private final Semaphore bytes = new Semaphore(BYTES_UNITS_MAX);
  private final Executor later =
      CompletableFuture.delayedExecutor(RETRY_MILLIS, TimeUnit.MILLISECONDS);
  private final Set<ByteBuffer> keysInFlight = ConcurrentHashMap.newKeySet();
  private final ConcurrentSkipListSet<Long> linesInFlight = new ConcurrentSkipListSet<>();
  private final AtomicLong stored = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();
  private final AtomicLong unknown = new AtomicLong();
  private final AtomicLong malformed = new AtomicLong();
  private final AtomicLong expired = new AtomicLong();
  private volatile long storedNanos = System.nanoTime();
  private volatile long lineRead;
  private volatile boolean stopping;
  private volatile boolean gaveUp;

  /**
   * A loader that has sent nothing.
   *
   * @param clock tells which pairs have expired
   */
  Loader(CairnClient client, Options options, Clock clock, Listener listener) {
    this.client = client;
    this.clock = clock;
    this.options = options;
    this.listener = listener;
    room = new Semaphore(options.inFlightMax);
  }

  /**
   * Stores what the reader holds. Where reading fails, what was read before is stored, and the rest
   * is one line that failed.
   *
   * @param skip lines to pass over first
   */
  void run(Pairs reader, long skip) throws InterruptedException {
    storedNanos = System.nanoTime();
    long sent = 0;
    long startNanos = storedNanos;
    Optional<Entry> entry = next(reader);
    while (entry.isPresent() && !stopping) {
      lineRead = entry.get().lineNumber();
      if (lineRead > skip) {
        if (entry.get() instanceof Malformed line) {
          malformed.incrementAndGet();
          listener.failed(line.lineNumber(), line.why());
        } else if (entry.get() instanceof Pair pair && hasExpired(pair)) {
          expired.incrementAndGet();
        } else if (entry.get() instanceof Pair pair) {
          pace(startNanos, sent++);
          start(pair);
        }
      }
      entry = next(reader);
    }
    room.acquire(options.inFlightMax);
    room.release(options.inFlightMax);
  }

  private boolean hasExpired(Pair pair) {
    return pair.expiresAtMillis().isPresent()
        && pair.expiresAtMillis().getAsLong() <= clock.millis();
  }

  private Optional<Entry> next(Pairs reader) {
    try {
      return reader.next();
    } catch (IOException cut) {
      malformed.incrementAndGet();
      listener.failed(lineRead + 1, "cannot be read, nor what follows it: " + cut.getMessage());
      return Optional.empty();
    }
  }

  /** Sends no more and lets what is in flight end. */
  void stop() {
    stopping = true;
  }

  long stored() {
    return stored.get();
  }

  long failed() {
    return failed.get();
  }

  long unknown() {
    return unknown.get();
  }

  long malformed() {
    return malformed.get();
  }

  /** How many had expired before they were sent, and were not. */
  long expired() {
    return expired.get();
  }

  /** Whether nothing could be stored for so long that it stopped by itself. */
  boolean gaveUp() {
    return gaveUp;
  }

  /** Every line up to this one has ended, one way or the other. */
  long settledLine() {
    Long first = linesInFlight.isEmpty() ? null : linesInFlight.first();
    return first == null ? lineRead : first - 1;
  }

  private void pace(long startNanos, long sent) {
    if (options.perSecondMax <= 0) {
      return;
    }
    long dueNanos = startNanos + (long) (sent * 1e9 / options.perSecondMax);
    for (long wait = dueNanos - System.nanoTime();
        wait > 0 && !stopping;
        wait = dueNanos - System.nanoTime()) {
      LockSupport.parkNanos(wait);
    }
  }

  private void start(Pair pair) throws InterruptedException {
    linesInFlight.add(pair.lineNumber());
    room.acquire();
    bytes.acquire(units(pair));
    while (!keysInFlight.add(ByteBuffer.wrap(pair.key()))) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
    }
    send(pair, false);
  }

  private void send(Pair pair, boolean wasUnknown) {
    CompletableFuture<Answer<Boolean>> sent =
        pair.expiresAtMillis().isPresent()
            ? client.putAsync(pair.key(), pair.value(), pair.expiresAtMillis().getAsLong())
            : client.putAsync(pair.key(), pair.value());
    sent.whenComplete(
        (answer, failure) -> {
          if (failure == null || cause(failure) instanceof NotOnAllReplicasException) {
            end(pair);
            stored.incrementAndGet();
            storedNanos = System.nanoTime();
            listener.stored(pair);
            room.release();
          } else {
            failed(pair, wasUnknown, cause(failure));
          }
        });
  }

  private void failed(Pair pair, boolean wasUnknown, Throwable failure) {
    boolean isUnknown = wasUnknown || failure instanceof UnknownOutcomeException;
    boolean passing =
        failure instanceof UnavailableException || failure instanceof UnknownOutcomeException;
    if (System.nanoTime() - storedNanos > options.giveUpNanos && !stopping) {
      gaveUp = true;
      stopping = true;
    }
    if (passing && !stopping && (!isUnknown || options.retryUnknown)) {
      later.execute(() -> send(pair, isUnknown));
      return;
    }
    end(pair);
    if (isUnknown) {
      unknown.incrementAndGet();
      listener.unknown(pair, failure.getMessage());
    } else {
      failed.incrementAndGet();
      listener.failed(pair.lineNumber(), failure.getMessage());
    }
    room.release();
  }

  private void end(Pair pair) {
    keysInFlight.remove(ByteBuffer.wrap(pair.key()));
    linesInFlight.remove(pair.lineNumber());
    bytes.release(units(pair));
  }

  private static int units(Pair pair) {
    return Math.min(BYTES_UNITS_MAX, (pair.key().length + pair.value().length) / BYTES_UNIT + 1);
  }

  private static Throwable cause(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }
}

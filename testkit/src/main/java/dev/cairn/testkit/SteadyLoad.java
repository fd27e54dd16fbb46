// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.awaitility.Awaitility.await;

import dev.cairn.client.CairnClient;
import dev.cairn.client.UnknownOutcomeException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Stores pairs at a steady rate, in a thread of its own, whatever happens to the nodes, and
 * remembers each that was acknowledged. Goes through the pairs again and again, each round under
 * keys of its own, until it is told that enough has happened: so it lasts as long as the faults do.
 * Each key is written once and never again, so what is stored under it is beyond doubt.
 */
public final class SteadyLoad implements AutoCloseable {
  private static final Duration COMPARE_MAX = Duration.ofSeconds(90);

  private final CairnClient client;
  private final List<Map.Entry<String, String>> pairs;
  private final long intervalNanos;
  private final Map<String, String> acknowledged = new ConcurrentHashMap<>();
  private final AtomicLong unknown = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();
  private final Map<String, Long> reasons = new ConcurrentHashMap<>();
  private final AtomicLong lastAcknowledgedNanos = new AtomicLong();
  private final AtomicLong longestPauseNanos = new AtomicLong();
  private final Thread thread;
  private volatile boolean enough;

  private SteadyLoad(
      CairnClient client, List<Map.Entry<String, String>> pairs, int pairsPerSecond) {
    this.client = client;
    this.pairs = pairs;
    intervalNanos = TimeUnit.SECONDS.toNanos(1) / pairsPerSecond;
    thread = new Thread(this::run, "steady-load");
  }

  /** Starts. The client is closed with the load. */
  public static SteadyLoad start(
      CairnClient client, List<Map.Entry<String, String>> pairs, int pairsPerSecond) {
    SteadyLoad load = new SteadyLoad(client, pairs, pairsPerSecond);
    load.lastAcknowledgedNanos.set(System.nanoTime());
    load.thread.start();
    return load;
  }

  /** How many were acknowledged so far. */
  public long acknowledged() {
    return acknowledged.size();
  }

  /** How many may or may not have been stored. */
  public long unknown() {
    return unknown.get();
  }

  /** How many were certainly not stored. */
  public long failed() {
    return failed.get();
  }

  /** Why some were not acknowledged: messages without their numbers, and how often each came. */
  public Map<String, Long> reasons() {
    return Map.copyOf(reasons);
  }

  /** The longest time without an acknowledgement. */
  public Duration longestPause() {
    return Duration.ofNanos(longestPauseNanos.get());
  }

  /** Waits until so many more were acknowledged: the load goes on. */
  public void awaitProgress(long more) {
    long until = acknowledged() + more;
    await("the load to go on").atMost(Duration.ofSeconds(60)).until(() -> acknowledged() >= until);
  }

  /** Ends after the present round and waits for the last answers. */
  public void finish() {
    enough = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Compares every acknowledged pair with what a client reads, byte for byte.
   *
   * @return a line for each that differs, at most 20
   */
  public List<String> differences(CairnClient reader) {
    Map<String, String> rest = new ConcurrentHashMap<>(acknowledged);
    List<String> differences = new ArrayList<>();
    // A read that found no node in time says nothing about what is stored: it is asked again.
    await("an answer to every read")
        .atMost(COMPARE_MAX)
        .pollInterval(Duration.ofMillis(100))
        .until(
            () -> {
              differences.addAll(compare(reader, rest));
              return rest.isEmpty();
            });
    return differences.subList(0, Math.min(20, differences.size()));
  }

  private static List<String> compare(CairnClient reader, Map<String, String> rest) {
    Map<String, CompletableFuture<Optional<byte[]>>> reads = new ConcurrentHashMap<>();
    rest.keySet()
        .forEach(
            key -> reads.put(key, reader.getAsync(bytes(key)).thenApply(answer -> answer.value())));
    List<String> differences = new ArrayList<>();
    reads.forEach(
        (key, read) -> {
          Optional<byte[]> found;
          try {
            found = read.join();
          } catch (CompletionException askedAgain) {
            return;
          }
          String expected = rest.remove(key);
          if (found.isEmpty()) {
            differences.add(key + " is missing");
          } else if (!Arrays.equals(found.get(), bytes(expected))) {
            differences.add(key + " holds something else");
          }
        });
    return differences;
  }

  private void run() {
    long next = System.nanoTime();
    List<CompletableFuture<?>> inFlight = new ArrayList<>();
    for (int round = 0; !enough || round == 0; round++) {
      for (Map.Entry<String, String> pair : pairs) {
        LockSupport.parkNanos(Math.max(0, next - System.nanoTime()));
        next += intervalNanos;
        inFlight.add(store(round == 0 ? pair.getKey() : pair.getKey() + "#" + round, pair));
        if (enough && round > 0) {
          break;
        }
      }
    }
    CompletableFuture.allOf(inFlight.toArray(new CompletableFuture<?>[0])).join();
  }

  private CompletableFuture<Void> store(String key, Map.Entry<String, String> pair) {
    return client
        .putAsync(bytes(key), bytes(pair.getValue()))
        .handle(
            (answer, failure) -> {
              if (failure == null) {
                acknowledged.put(key, pair.getValue());
                long now = System.nanoTime();
                long pause = now - lastAcknowledgedNanos.getAndSet(now);
                longestPauseNanos.accumulateAndGet(pause, Math::max);
              } else {
                (failure instanceof UnknownOutcomeException ? unknown : failed).incrementAndGet();
                reasons.merge(failure.toString().replaceAll("\\d+", "N"), 1L, Long::sum);
              }
              return null;
            });
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    finish();
    client.close();
  }
}

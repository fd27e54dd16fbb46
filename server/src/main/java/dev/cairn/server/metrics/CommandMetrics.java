// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.metrics;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * Commands by name and result, and errors by code. A histogram is made when the first one of its
 * kind comes, so that commands that nobody sends cost no lines.
 *
 * <p>Threads: any.
 */
public final class CommandMetrics {
  /** The result of a command, as far as its effect goes. */
  public enum Outcome {
    OK("ok"),
    /** The request was wrong: the client's mistake. */
    INVALID("invalid"),
    /** Refused for a reason of the cluster's. */
    REFUSED("refused"),
    UNKNOWN("unknown"),
    /** Not even tried: unknown, a wrong number of words, not allowed now, another node's key. */
    REJECTED("rejected");

    private final String label;

    Outcome(String label) {
      this.label = label;
    }
  }

  /** What a command does to data. */
  public enum Kind {
    READ,
    WRITE,
    /** Neither: not counted in {@link Totals}. */
    OTHER
  }

  /**
   * Commands that were answered since the node started.
   *
   * @param failed of reads and writes, those that were refused for a reason of the cluster's, or
   *     whose outcome is not known
   * @param within of reads and writes that were done, how many took at most so long: each bucket
   *     counts those of the ones before too
   */
  public record Totals(long reads, long writes, long failed, List<Bucket> within) {
    /** None. */
    public static final Totals NONE = new Totals(0, 0, 0, List.of());

    public Totals {
      within = List.copyOf(within);
    }
  }

  /** How many took at most so long. */
  public record Bucket(long micros, long count) {}

  /**
   * What became of one command's calls.
   *
   * @param calls those that were tried
   * @param nanos how long they took together
   * @param failed of them, those that were answered with an error
   * @param rejected those that were not tried
   * @param within how many of the calls took at most so long, as {@link Totals#within}
   */
  public record Calls(long calls, long nanos, long failed, long rejected, List<Bucket> within) {
    static final Calls NONE = new Calls(0, 0, 0, 0, List.of());

    public Calls {
      within = List.copyOf(within);
    }

    /** What came on top of earlier figures of the same command. */
    Calls since(Calls earlier) {
      List<Bucket> more = new ArrayList<>(within.size());
      for (int i = 0; i < within.size(); i++) {
        long before = earlier.within.isEmpty() ? 0 : earlier.within.get(i).count();
        more.add(new Bucket(within.get(i).micros(), within.get(i).count() - before));
      }
      return new Calls(
          calls - earlier.calls,
          nanos - earlier.nanos,
          failed - earlier.failed,
          rejected - earlier.rejected,
          more);
    }

    /**
     * How long that share of the calls took at most, microseconds: estimated inside its bucket, as
     * Prometheus does. Past the last bound, that bound.
     *
     * @param share above 0, at most 1
     */
    public double percentileMicros(double share) {
      double wanted = calls * share;
      long fromMicros = 0;
      long countBefore = 0;
      for (Bucket bucket : within) {
        if (bucket.count() >= wanted && bucket.count() > countBefore) {
          if (bucket.micros() == Long.MAX_VALUE) {
            return fromMicros;
          }
          double part = (wanted - countBefore) / (bucket.count() - countBefore);
          return fromMicros + (bucket.micros() - fromMicros) * part;
        }
        fromMicros = bucket.micros();
        countBefore = bucket.count();
      }
      return 0;
    }
  }

  private final Metrics metrics;
  private final Map<String, Map<Outcome, Metrics.Latency>> durations = new ConcurrentHashMap<>();
  private final Map<String, Metrics.Count> refusals = new ConcurrentHashMap<>();

  CommandMetrics(Metrics metrics) {
    this.metrics = metrics;
  }

  /**
   * Records an answered command.
   *
   * @param command its name in the table of commands: a bounded set
   */
  public void answered(String command, Outcome outcome, long nanos) {
    // Looked for before it is made: computeIfAbsent takes a lock even where nothing is absent.
    Map<Outcome, Metrics.Latency> ofCommand = durations.get(command);
    if (ofCommand == null) {
      ofCommand = durations.computeIfAbsent(command, name -> new ConcurrentHashMap<>());
    }
    Metrics.Latency latency = ofCommand.get(outcome);
    if (latency == null) {
      latency =
          ofCommand.computeIfAbsent(
              outcome, o -> metrics.latency(Metric.COMMAND_DURATION, command, o.label));
    }
    latency.record(nanos);
  }

  /**
   * Adds up what was answered. Costs those who answer nothing; meant to be called now and then.
   *
   * @param kindOf of the names that {@link #answered} was told
   */
  public Totals totals(Function<String, Kind> kindOf) {
    long reads = 0;
    long writes = 0;
    long failed = 0;
    long done = 0;
    long[] within = new long[Metrics.BOUNDS_MICROS.length];
    for (Map.Entry<String, Map<Outcome, Metrics.Latency>> command : durations.entrySet()) {
      Kind kind = kindOf.apply(command.getKey());
      if (kind == Kind.OTHER) {
        continue;
      }
      for (Map.Entry<Outcome, Metrics.Latency> result : command.getValue().entrySet()) {
        if (result.getKey() == Outcome.REJECTED) {
          continue;
        }
        long count = result.getValue().count();
        reads += kind == Kind.READ ? count : 0;
        writes += kind == Kind.WRITE ? count : 0;
        if (result.getKey() == Outcome.REFUSED || result.getKey() == Outcome.UNKNOWN) {
          failed += count;
        }
        if (result.getKey() == Outcome.OK) {
          done += count;
          long[] more = result.getValue().within();
          Arrays.setAll(within, i -> within[i] + more[i]);
        }
      }
    }
    return new Totals(reads, writes, failed, buckets(within, done));
  }

  private static List<Bucket> buckets(long[] within, long all) {
    List<Bucket> buckets = new ArrayList<>(within.length + 1);
    for (int i = 0; i < within.length; i++) {
      buckets.add(new Bucket(Metrics.BOUNDS_MICROS[i], within[i]));
    }
    buckets.add(new Bucket(Long.MAX_VALUE, all));
    return buckets;
  }

  /**
   * What became of the calls of each command, by name in order, without requests over HTTP. Meant
   * to be asked now and then.
   */
  public SortedMap<String, Calls> calls() {
    SortedMap<String, Calls> all = new TreeMap<>();
    durations.forEach(
        (command, results) -> {
          if (!isHttp(command)) {
            all.put(command, calls(results));
          }
        });
    return all;
  }

  private static Calls calls(Map<Outcome, Metrics.Latency> results) {
    long calls = 0;
    long nanos = 0;
    long failed = 0;
    long rejected = 0;
    long[] within = new long[Metrics.BOUNDS_MICROS.length];
    for (Map.Entry<Outcome, Metrics.Latency> result : results.entrySet()) {
      long count = result.getValue().count();
      if (result.getKey() == Outcome.REJECTED) {
        rejected += count;
        continue;
      }
      calls += count;
      nanos += result.getValue().nanos();
      failed += result.getKey() == Outcome.OK ? 0 : count;
      long[] more = result.getValue().within();
      Arrays.setAll(within, i -> within[i] + more[i]);
    }
    return new Calls(calls, nanos, failed, rejected, buckets(within, calls));
  }

  /** Whether it is the name of a request over HTTP: {@code http.RESOURCE.METHOD}. */
  public static boolean isHttp(String command) {
    return command.startsWith("http.");
  }

  /** How many calls of all commands were tried, without requests over HTTP. */
  long answered() {
    long all = 0;
    for (Map.Entry<String, Map<Outcome, Metrics.Latency>> command : durations.entrySet()) {
      if (isHttp(command.getKey())) {
        continue;
      }
      for (Map.Entry<Outcome, Metrics.Latency> result : command.getValue().entrySet()) {
        all += result.getKey() == Outcome.REJECTED ? 0 : result.getValue().count();
      }
    }
    return all;
  }

  /** How often each code was answered, by code in order. */
  public SortedMap<String, Long> refusals() {
    SortedMap<String, Long> all = new TreeMap<>();
    refusals.forEach((code, count) -> all.put(code, count.sum()));
    return all;
  }

  /**
   * Counts an error that was answered.
   *
   * @param code one of the protocol's codes: a bounded set
   */
  public void refused(String code) {
    Metrics.Count count = refusals.get(code);
    if (count == null) {
      count = refusals.computeIfAbsent(code, c -> metrics.counter(Metric.REFUSALS, c));
    }
    count.increment();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.metrics;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
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
    UNKNOWN("unknown");

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
    List<Bucket> buckets = new ArrayList<>();
    for (int i = 0; i < within.length; i++) {
      buckets.add(new Bucket(Metrics.BOUNDS_MICROS[i], within[i]));
    }
    buckets.add(new Bucket(Long.MAX_VALUE, done));
    return new Totals(reads, writes, failed, buckets);
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

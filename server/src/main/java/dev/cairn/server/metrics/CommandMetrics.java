// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.metrics;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

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

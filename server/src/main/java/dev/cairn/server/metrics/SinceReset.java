// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.metrics;

import dev.cairn.server.metrics.CommandMetrics.Calls;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The node's counters as INFO tells them: since the start, or since CONFIG RESETSTAT was called
 * last. The counters themselves only grow, as Prometheus wants it, so a reset remembers what they
 * had reached.
 *
 * <p>Threads: any.
 */
public final class SinceReset {
  /** The counters of which INFO tells and that it sets to 0. */
  private static final List<Metric> RESET =
      List.of(
          Metric.CONNECTIONS_OPENED,
          Metric.CONNECTIONS_REFUSED,
          Metric.RECEIVED_BYTES,
          Metric.SENT_BYTES,
          Metric.SOCKET_READS,
          Metric.SOCKET_WRITES,
          Metric.KEY_LOOKUPS,
          Metric.EXPIRED_KEYS,
          Metric.FULL_SWEEPS,
          Metric.SNAPSHOTS_SENT);

  private final Metrics metrics;
  private volatile Reached reset = new Reached(Map.of(), new TreeMap<>(), new TreeMap<>());

  /** What the counters had reached at one moment. */
  private record Reached(
      Map<List<String>, Long> counters,
      SortedMap<String, Calls> calls,
      SortedMap<String, Long> refusals) {}

  SinceReset(Metrics metrics) {
    this.metrics = metrics;
  }

  /** CONFIG RESETSTAT: all that is told here begins at 0 again. */
  public void reset() {
    Map<List<String>, Long> counters = new HashMap<>();
    for (Metric metric : RESET) {
      for (List<String> labels : metrics.labelsOf(metric)) {
        counters.put(name(metric, labels), metrics.count(metric, labels.toArray(String[]::new)));
      }
    }
    reset = new Reached(counters, metrics.commands().calls(), metrics.commands().refusals());
    metrics.samples().restart();
  }

  /** What a counter has counted. */
  public long counted(Metric metric, String... labels) {
    long before = reset.counters().getOrDefault(name(metric, List.of(labels)), 0L);
    return metrics.count(metric, labels) - before;
  }

  /** The calls of each command of which there were any. */
  public SortedMap<String, Calls> calls() {
    SortedMap<String, Calls> before = reset.calls();
    SortedMap<String, Calls> since = new TreeMap<>();
    metrics
        .commands()
        .calls()
        .forEach(
            (command, now) -> {
              Calls more = now.since(before.getOrDefault(command, Calls.NONE));
              if (more.calls() > 0 || more.rejected() > 0) {
                since.put(command, more);
              }
            });
    return since;
  }

  /** How often each code was answered that was. */
  public SortedMap<String, Long> refusals() {
    SortedMap<String, Long> before = reset.refusals();
    SortedMap<String, Long> since = new TreeMap<>();
    metrics
        .commands()
        .refusals()
        .forEach(
            (code, now) -> {
              long more = now - before.getOrDefault(code, 0L);
              if (more > 0) {
                since.put(code, more);
              }
            });
    return since;
  }

  private static List<String> name(Metric metric, List<String> labels) {
    List<String> name = new ArrayList<>(labels);
    name.add(metric.metricName());
    return List.copyOf(name);
  }
}

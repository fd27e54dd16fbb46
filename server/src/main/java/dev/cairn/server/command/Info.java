// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.Topology;
import dev.cairn.server.metrics.CommandMetrics.Calls;
import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.metrics.Samples;
import dev.cairn.server.metrics.SinceReset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.function.ToLongFunction;

/**
 * INFO: Redis' sections and fields, those that have a meaning here. What has none is left out, so
 * that nobody takes a 0 for a measurement.
 *
 * <p>Its figures are those of the metrics. What has a label {@code port} there is this port's, all
 * else is the node's. Counters begin at 0 with CONFIG RESETSTAT.
 */
final class Info {
  /** The sections, in Redis' order. */
  private enum Section {
    SERVER("Server", true),
    CLIENTS("Clients", true),
    MEMORY("Memory", true),
    PERSISTENCE("Persistence", true),
    STATS("Stats", true),
    REPLICATION("Replication", true),
    CPU("CPU", true),
    /** Nothing stands in it: there are no modules. */
    MODULES("Modules", true),
    COMMANDSTATS("Commandstats", false),
    ERRORSTATS("Errorstats", true),
    LATENCYSTATS("Latencystats", false),
    CLUSTER("Cluster", true),
    KEYSPACE("Keyspace", true);

    private final String heading;
    private final boolean byDefault;

    Section(String heading, boolean byDefault) {
      this.heading = heading;
      this.byDefault = byDefault;
    }

    private boolean isNamedIn(Set<String> words) {
      return words.contains(heading.toLowerCase(Locale.ROOT))
          || words.contains("all")
          || words.contains("everything")
          || (byDefault && (words.isEmpty() || words.contains("default")))
          || (this == MODULES && words.contains("module_list"));
    }
  }

  private Info() {}

  /** Sections that are unknown are left out, as Redis does. */
  static void run(Call call) {
    Set<String> words = new LinkedHashSet<>();
    for (int i = 1; i < call.count(); i++) {
      words.add(call.text(i).toLowerCase(Locale.ROOT));
    }
    StringBuilder text = new StringBuilder();
    for (Section section : Section.values()) {
      if (section.isNamedIn(words)) {
        text.append(text.isEmpty() ? "# " : "\r\n# ").append(section.heading).append("\r\n");
        lines(call, section)
            .forEach((name, value) -> text.append(name).append(':').append(value).append("\r\n"));
      }
    }
    if (Section.KEYSPACE.isNamedIn(words)) {
      keyspace(call, text);
    } else {
      call.reply(Replies.verbatim(text));
    }
  }

  private static Map<String, Object> lines(Call call, Section section) {
    Metrics metrics = call.port().metrics();
    SinceReset counters = metrics.sinceReset();
    return switch (section) {
      case SERVER -> server(call);
      case CLIENTS -> clients(call, metrics);
      case MEMORY -> InfoOfProcess.memory(metrics);
      case PERSISTENCE -> persistence(call, metrics);
      case STATS -> stats(call.port().kind().port(), counters, metrics);
      case REPLICATION -> replication(metrics);
      case CPU -> InfoOfProcess.processor(call.port().facts().loops());
      case MODULES, KEYSPACE -> Map.of();
      case COMMANDSTATS -> commandStats(counters);
      case ERRORSTATS -> errorStats(counters);
      case LATENCYSTATS -> latencyStats(counters);
      // On the client port too: redis-py takes no seed that says otherwise, and nobody else asks.
      case CLUSTER -> Map.of("cluster_enabled", 1);
    };
  }

  private static Map<String, Object> server(Call call) {
    NodeFacts facts = call.port().facts();
    long nowMillis = facts.clock().millis();
    long uptimeSeconds = (nowMillis - facts.startedMillis()) / 1000;
    Map<String, Object> lines = new LinkedHashMap<>();
    lines.put("redis_version", NodeFacts.REDIS_VERSION);
    lines.put("cairn_version", facts.cairnVersion());
    lines.put("redis_mode", call.port().kind().mode());
    lines.put("os", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
    lines.put("arch_bits", 64);
    lines.put("java_version", System.getProperty("java.version"));
    lines.put("process_id", ProcessHandle.current().pid());
    lines.put("run_id", call.router().nodeId());
    lines.put("tcp_port", facts.listening().port());
    lines.put("server_time_usec", nowMillis * 1000);
    lines.put("uptime_in_seconds", uptimeSeconds);
    lines.put("uptime_in_days", uptimeSeconds / 86_400);
    ProcessHandle.current().info().command().ifPresent(path -> lines.put("executable", path));
    lines.put("io_threads_active", 1);
    return lines;
  }

  private static Map<String, Object> clients(Call call, Metrics metrics) {
    NodeFacts facts = call.port().facts();
    int blocked = call.port().clients().blocked();
    Map<String, Object> lines = new LinkedHashMap<>();
    lines.put("connected_clients", facts.listening().connections().getAsInt());
    lines.put("cluster_connections", (long) metrics.value(Metric.PEER_CONNECTIONS));
    lines.put("maxclients", facts.listening().connectionsMax());
    lines.put("client_recent_max_input_buffer", metrics.samples().input().value());
    lines.put("client_recent_max_output_buffer", metrics.samples().output().value());
    lines.put("blocked_clients", blocked);
    lines.put("clients_in_timeout_table", blocked); // none waits without an end
    return lines;
  }

  /** As ROLE: whoever is asked answers any key, so there is nobody to turn to instead. */
  private static Map<String, Object> replication(Metrics metrics) {
    Map<String, Object> lines = new LinkedHashMap<>();
    lines.put("role", "master");
    lines.put("connected_slaves", 0);
    lines.put("repl_backlog_active", 1); // the log, which brings replicas up to date
    lines.put("repl_backlog_size", (long) metrics.value(Metric.LOG_KEPT_MAX));
    lines.put("repl_backlog_histlen", (long) metrics.value(Metric.LOG_BYTES));
    return lines;
  }

  private static Map<String, Object> persistence(Call call, Metrics metrics) {
    boolean loading =
        call.router().topology().partitions().isEmpty()
            || metrics.value(Metric.REPLICAS_OPENING) > 0;
    Map<String, Object> lines = new LinkedHashMap<>();
    lines.put("loading", loading ? 1 : 0);
    lines.put("rdb_changes_since_last_save", (long) metrics.value(Metric.UNFLUSHED_ENTRIES));
    snapshots(call, metrics, lines);
    lines.put("aof_enabled", 1);
    lines.put("aof_last_write_status", metrics.value(Metric.LOG_DAMAGED) > 0 ? "err" : "ok");
    lines.put("aof_current_size", (long) metrics.value(Metric.LOG_BYTES));
    lines.put("aof_base_size", metrics.samples().memory().files());
    lines.put("aof_buffer_length", (long) metrics.value(Metric.QUEUE_BYTES, "proposal"));
    return lines;
  }

  /** What Redis says of BGSAVE is said of local snapshots. */
  private static void snapshots(Call call, Metrics metrics, Map<String, Object> lines) {
    boolean running = metrics.value(Metric.SNAPSHOTS_UNDER_WAY) > 0;
    long lastSeconds = (long) metrics.value(Metric.SNAPSHOT_LAST);
    boolean any = lastSeconds > 0;
    lines.put("rdb_bgsave_in_progress", running ? 1 : 0);
    lines.put("rdb_last_save_time", any ? lastSeconds : call.port().facts().startedMillis() / 1000);
    lines.put(
        "rdb_last_bgsave_status", metrics.value(Metric.SNAPSHOT_LAST_FAILED) > 0 ? "err" : "ok");
    lines.put(
        "rdb_last_bgsave_time_sec", any ? (long) metrics.value(Metric.SNAPSHOT_LAST_DURATION) : -1);
    lines.put(
        "rdb_current_bgsave_time_sec", running ? (long) metrics.value(Metric.SNAPSHOT_RUNS) : -1);
  }

  private static Map<String, Object> stats(String port, SinceReset counters, Metrics metrics) {
    Samples.Rates rates = metrics.samples().rates();
    SortedMap<String, Long> refusals = counters.refusals();
    long reads = counters.counted(Metric.SOCKET_READS, port);
    long writes = counters.counted(Metric.SOCKET_WRITES, port);
    Map<String, Object> lines = new LinkedHashMap<>();
    lines.put("total_connections_received", counters.counted(Metric.CONNECTIONS_OPENED, port));
    lines.put("total_commands_processed", sum(counters.calls().values(), Calls::calls));
    lines.put("instantaneous_ops_per_sec", Math.round(rates.commands()));
    lines.put("total_net_input_bytes", counters.counted(Metric.RECEIVED_BYTES, port));
    lines.put("total_net_output_bytes", counters.counted(Metric.SENT_BYTES, port));
    lines.put("instantaneous_input_kbps", hundredths(rates.receivedKilobytes()));
    lines.put("instantaneous_output_kbps", hundredths(rates.sentKilobytes()));
    lines.put("rejected_connections", counters.counted(Metric.CONNECTIONS_REFUSED, port));
    long copies = counters.counted(Metric.SNAPSHOTS_SENT);
    lines.put("sync_full", copies);
    lines.put("sync_partial_err", copies); // one is made only where the log does not reach back
    lines.put("expired_keys", counters.counted(Metric.EXPIRED_KEYS));
    lines.put("expired_time_cap_reached_count", counters.counted(Metric.FULL_SWEEPS));
    lines.put("keyspace_hits", counters.counted(Metric.KEY_LOOKUPS, "hit"));
    lines.put("keyspace_misses", counters.counted(Metric.KEY_LOOKUPS, "miss"));
    lines.put("unexpected_error_replies", refusals.getOrDefault(ErrorCode.UNKNOWN.name(), 0L));
    lines.put("total_error_replies", sum(refusals.values(), Long::longValue));
    lines.put("total_reads_processed", reads);
    lines.put("total_writes_processed", writes);
    lines.put("io_threaded_reads_processed", reads); // the loops are threads of their own, all
    lines.put("io_threaded_writes_processed", writes);
    return lines;
  }

  private static <T> long sum(Collection<T> all, ToLongFunction<T> value) {
    return all.stream().mapToLong(value).sum();
  }

  private static Map<String, Object> commandStats(SinceReset counters) {
    Map<String, Object> lines = new LinkedHashMap<>();
    counters
        .calls()
        .forEach(
            (command, calls) -> {
              if (CommandCounts.isKnown(command)) {
                long micros = calls.nanos() / 1000;
                lines.put(
                    "cmdstat_" + command,
                    "calls=%d,usec=%d,usec_per_call=%s,rejected_calls=%d,failed_calls=%d"
                        .formatted(
                            calls.calls(),
                            micros,
                            hundredths(calls.calls() == 0 ? 0 : (double) micros / calls.calls()),
                            calls.rejected(),
                            calls.failed()));
              }
            });
    return lines;
  }

  private static Map<String, Object> errorStats(SinceReset counters) {
    Map<String, Object> lines = new LinkedHashMap<>();
    counters.refusals().forEach((code, count) -> lines.put("errorstat_" + code, "count=" + count));
    return lines;
  }

  private static Map<String, Object> latencyStats(SinceReset counters) {
    Map<String, Object> lines = new LinkedHashMap<>();
    counters
        .calls()
        .forEach(
            (command, calls) -> {
              if (calls.calls() > 0) {
                lines.put(
                    "latency_percentiles_usec_" + command,
                    String.format(
                        Locale.ROOT,
                        "p50=%.3f,p99=%.3f,p99.9=%.3f",
                        calls.percentileMicros(0.5),
                        calls.percentileMicros(0.99),
                        calls.percentileMicros(0.999)));
              }
            });
    return lines;
  }

  private static String hundredths(double value) {
    return String.format(Locale.ROOT, "%.2f", value);
  }

  /** Counting needs every partition; when one has no leader, the line is left out at once. */
  private static void keyspace(Call call, StringBuilder text) {
    List<Integer> partitions = new ArrayList<>();
    for (Topology.Partition partition : call.router().topology().partitions()) {
      if (call.port().kind() == PortKind.CLUSTER) {
        if (call.router().leads(partition.index())) {
          partitions.add(partition.index());
        }
      } else if (partition.leaderId().isEmpty()) {
        call.reply(Replies.verbatim(text));
        return;
      } else {
        partitions.add(partition.index());
      }
    }
    Fanout.count(
        call.router(),
        partitions,
        call.readLevel(),
        count -> {
          if (count instanceof RespValue.Int number && number.value() > 0) {
            text.append("db0:keys=").append(number.value()).append(",expires=0,avg_ttl=0\r\n");
          }
          call.reply(Replies.verbatim(text));
        });
  }
}

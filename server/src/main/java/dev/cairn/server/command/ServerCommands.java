// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import static dev.cairn.server.command.Row.plain;

import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.Topology;
import dev.cairn.server.routing.Router;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Commands about the server: INFO, TIME, WAIT and others. */
final class ServerCommands {
  private static final List<String> SECTIONS =
      List.of("server", "clients", "memory", "stats", "replication", "cluster", "keyspace");
  private static final Set<String> EVERYTHING = Set.of("all", "default", "everything");

  private static final Set<String> SHUTDOWN_OPTIONS =
      Set.of("SAVE", "NOSAVE", "NOW", "FORCE", "ABORT");

  /** The longest WAIT, which Redis lets last for ever: half a minute. */
  private static final long WAIT_MILLIS_MAX = 30_000;

  static final List<Command> ROWS =
      Row.group(
          "server",
          Row.answered(
              "TIME",
              "2.6.0",
              "Returns the node's time: seconds since 1970 and microseconds.",
              ServerCommands::time),
          Row.report(
              "INFO [section ...]",
              "1.0.0",
              "Sections server, clients, memory, stats, replication, cluster, keyspace.",
              ServerCommands::info),
          plain(
                  "ROLE",
                  "2.8.12",
                  "Returns master: any node answers any key.",
                  call ->
                      call.reply(
                          RespValue.array(
                              RespValue.bulk("master"), new RespValue.Int(0), RespValue.array())))
              .with(Command.Trait.ADMIN),
          Row.report(
                  "SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]",
                  "1.0.0",
                  "Stops the node in order, as SIGTERM does; answers OK before. By default only from the"
                      + " node's own machine: `--enable-shutdown`.",
                  ServerCommands::shutdown)
              .with(Command.Trait.ADMIN)
              .slow("O(1)"),
          Row.whole(
                  "WAIT numreplicas timeout",
                  "3.0.0",
                  "Waits, at most half a minute, until the connection's last write is on disk on"
                      + " every live full replica; returns on how many others it is.",
                  Command.Access.READ,
                  ServerCommands::wait)
              .slow("O(1)"));

  private ServerCommands() {}

  private static Plan time(Call call) {
    Instant now = call.commands().facts().clock().instant();
    return new Plan.Answer(
        RespValue.array(
            RespValue.bulk(Long.toString(now.getEpochSecond())),
            RespValue.bulk(Long.toString(now.getNano() / 1000))));
  }

  /** Unknown sections are left out, as Redis does. */
  static void info(Call call) {
    Set<String> wanted = new LinkedHashSet<>();
    for (int i = 1; i < call.count(); i++) {
      wanted.add(call.text(i).toLowerCase(Locale.ROOT));
    }
    if (wanted.isEmpty() || wanted.stream().anyMatch(EVERYTHING::contains)) {
      wanted.addAll(SECTIONS);
    }
    StringBuilder text = new StringBuilder();
    for (String section : SECTIONS) {
      if (wanted.contains(section) && !section.equals("keyspace")) {
        heading(text, section);
        for (Map.Entry<String, Object> line : section(call, section).entrySet()) {
          text.append(line.getKey()).append(':').append(line.getValue()).append("\r\n");
        }
      }
    }
    if (!wanted.contains("keyspace")) {
      call.reply(verbatim(text));
      return;
    }
    heading(text, "keyspace");
    keyspace(call, text);
  }

  /** Counting needs every partition; when one has no leader, the line is left out at once. */
  private static void keyspace(Call call, StringBuilder text) {
    List<Integer> partitions = new ArrayList<>();
    for (Topology.Partition partition : call.router().topology().partitions()) {
      if (call.commands().face() == Face.CLUSTER) {
        if (call.router().leads(partition.index())) {
          partitions.add(partition.index());
        }
      } else if (partition.leaderId().isEmpty()) {
        call.reply(verbatim(text));
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
          call.reply(verbatim(text));
        });
  }

  private static void heading(StringBuilder text, String section) {
    text.append(text.isEmpty() ? "# " : "\r\n# ")
        .append(section.substring(0, 1).toUpperCase(Locale.ROOT))
        .append(section.substring(1))
        .append("\r\n");
  }

  private static Map<String, Object> section(Call call, String section) {
    NodeFacts facts = call.commands().facts();
    Map<String, Object> lines = new LinkedHashMap<>();
    switch (section) {
      case "server" -> {
        long uptimeSeconds = (facts.clock().millis() - facts.startedMillis()) / 1000;
        lines.put("redis_version", NodeFacts.REDIS_VERSION);
        lines.put("cairn_version", facts.cairnVersion());
        lines.put("redis_mode", ConnectionCommands.mode(call.commands().face()));
        lines.put("os", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        lines.put("arch_bits", 64);
        lines.put("java_version", System.getProperty("java.version"));
        lines.put("process_id", ProcessHandle.current().pid());
        lines.put("run_id", call.router().nodeId());
        lines.put("tcp_port", facts.port());
        lines.put("uptime_in_seconds", uptimeSeconds);
        lines.put("uptime_in_days", uptimeSeconds / 86_400);
      }
      case "clients" -> {
        lines.put("connected_clients", facts.connections().getAsInt());
        lines.put("maxclients", facts.connectionsMax());
        lines.put("blocked_clients", 0);
      }
      case "memory" -> {
        Runtime runtime = Runtime.getRuntime();
        lines.put("used_memory", runtime.totalMemory() - runtime.freeMemory());
        lines.put("total_system_memory", runtime.maxMemory());
        lines.put("maxmemory", 0);
        lines.put("maxmemory_policy", "noeviction");
      }
      case "stats" -> {
        lines.put("total_connections_received", call.commands().clients().received());
        lines.put("total_commands_processed", call.commands().clients().commandsRun());
      }
      case "replication" -> {
        lines.put("role", "master");
        lines.put("connected_slaves", 0);
      }
      // On the client port too: redis-py takes no seed that says otherwise, and nobody else asks.
      case "cluster" -> lines.put("cluster_enabled", 1);
      default -> throw new IllegalArgumentException(section);
    }
    return lines;
  }

  private static Plan wait(Call call) {
    call.integer(1);
    long timeoutMillis = call.integer(2, "timeout is not an integer or out of range");
    if (timeoutMillis < 0) {
      throw new Refusal("timeout is negative");
    }
    long bounded = timeoutMillis == 0 ? WAIT_MILLIS_MAX : Math.min(timeoutMillis, WAIT_MILLIS_MAX);
    return new Plan.Own(Effect.READS, started -> awaitReplicas(started, bounded));
  }

  /** How many other live replicas have this connection's last write on disk. */
  private static void awaitReplicas(Call call, long timeoutMillis) {
    ClientState.Write write = call.client().lastWrite();
    if (write == null) {
      call.reply(new RespValue.Int(0));
      return;
    }
    call.router()
        .awaitReplicas(
            write.partition(),
            write.done(),
            timeoutMillis,
            states -> {
              long others =
                  states.stream()
                      .filter(state -> !state.nodeId().equals(write.done().nodeId()))
                      .filter(Router.ReplicaState::durable)
                      .count();
              call.reply(new RespValue.Int(others));
            });
  }

  /** The error is Redis' of DEBUG, with our name of the setting. */
  private static void shutdown(Call call) {
    if (!call.commands().facts().shutdownBy().allows(call.client().address())) {
      throw new Refusal(
          "SHUTDOWN command not allowed. If the enable-shutdown option is set to \"local\", you can"
              + " run it from a local connection, otherwise you need to set this option in the"
              + " configuration file, and then restart the server.");
    }
    Set<String> said = new HashSet<>();
    for (int i = 1; i < call.count(); i++) {
      said.add(call.text(i).toUpperCase(Locale.ROOT));
    }
    if (!SHUTDOWN_OPTIONS.containsAll(said)
        || said.containsAll(Set.of("SAVE", "NOSAVE"))
        || (said.contains("ABORT") && said.size() > 1)) {
      throw Refusal.syntax();
    }
    if (said.contains("ABORT")) {
      throw new Refusal("No shutdown in progress.");
    }
    call.client().close();
    call.ok();
    call.commands().facts().shutdown().run();
  }

  static RespValue verbatim(CharSequence text) {
    return new RespValue.Verbatim("txt", text.toString().getBytes(StandardCharsets.UTF_8));
  }
}

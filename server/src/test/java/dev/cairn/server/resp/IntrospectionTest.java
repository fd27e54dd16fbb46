// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.RespValue.Array;
import dev.cairn.protocol.RespValue.Bulk;
import dev.cairn.protocol.RespValue.Int;
import dev.cairn.server.TestLoops;
import dev.cairn.server.command.Command;
import dev.cairn.server.command.CommandTable;
import dev.cairn.server.command.PortKind;
import dev.cairn.server.metrics.Metrics;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The form of what tools ask a node about itself, where its content is the machine's. */
final class IntrospectionTest {
  private static final String NUMBER = "\\d+";
  private static final String FRACTION = "\\d+\\.\\d\\d";

  private final FakeRouter router = new FakeRouter(6, Runnable::run);
  private RespServer server;
  private Transcript.Connection client;

  @BeforeEach
  void start() throws IOException {
    server = Transcript.serve(router, PortKind.CLIENT);
    client = new Transcript.Connection(server);
  }

  @AfterEach
  void stop() throws IOException {
    client.close();
    server.close();
  }

  @Test
  void infoHasEverySectionAndEveryLineItsForm() throws IOException {
    client.say("SET a b");
    Map<String, Map<String, String>> sections = sections(text(client.say("INFO")));
    assertThat(sections.keySet())
        .containsExactly(
            "Server",
            "Clients",
            "Memory",
            "Persistence",
            "Stats",
            "Replication",
            "CPU",
            "Modules",
            "Errorstats",
            "Cluster",
            "Keyspace");
    assertForms(
        sections.get("Server"),
        "redis_version",
        "7\\.4\\.0",
        "cairn_version",
        "0\\.1\\.0",
        "redis_mode",
        "standalone",
        "os",
        Pattern.quote(System.getProperty("os.name")) + " \\S+",
        "arch_bits",
        "64",
        "java_version",
        Pattern.quote(System.getProperty("java.version")),
        "process_id",
        Long.toString(ProcessHandle.current().pid()),
        "run_id",
        "[0-9a-f]{40}",
        "tcp_port",
        Integer.toString(server.port()),
        "server_time_usec",
        NUMBER,
        "uptime_in_seconds",
        "0",
        "uptime_in_days",
        "0",
        "executable",
        ".*java",
        "io_threads_active",
        "1");
    assertForms(
        sections.get("Clients"),
        "connected_clients",
        "1",
        "cluster_connections",
        "0",
        "maxclients",
        NUMBER,
        "client_recent_max_input_buffer",
        NUMBER,
        "client_recent_max_output_buffer",
        NUMBER,
        "blocked_clients",
        "0",
        "clients_in_timeout_table",
        "0");
    assertMemoryForms(sections.get("Memory"));
    assertForms(
        sections.get("Persistence"),
        "loading",
        "0",
        "rdb_changes_since_last_save",
        "0",
        "rdb_bgsave_in_progress",
        "0",
        "rdb_last_save_time",
        NUMBER,
        "rdb_last_bgsave_status",
        "ok",
        "rdb_last_bgsave_time_sec",
        "-1",
        "rdb_current_bgsave_time_sec",
        "-1",
        "aof_enabled",
        "1",
        "aof_last_write_status",
        "ok",
        "aof_current_size",
        "0",
        "aof_base_size",
        "0",
        "aof_buffer_length",
        "0");
    assertForms(
        sections.get("Stats"),
        "total_connections_received",
        "1",
        "total_commands_processed",
        "1",
        "instantaneous_ops_per_sec",
        NUMBER,
        "total_net_input_bytes",
        Integer.toString("SET a b\nINFO\n".length()),
        "total_net_output_bytes",
        Integer.toString("+OK\r\n".length()),
        "instantaneous_input_kbps",
        FRACTION,
        "instantaneous_output_kbps",
        FRACTION,
        "rejected_connections",
        "0",
        "sync_full",
        "0",
        "sync_partial_err",
        "0",
        "expired_keys",
        "0",
        "expired_time_cap_reached_count",
        "0",
        "keyspace_hits",
        "0",
        "keyspace_misses",
        "0",
        "unexpected_error_replies",
        "0",
        "total_error_replies",
        "0",
        "total_reads_processed",
        "2",
        "total_writes_processed",
        "1",
        "io_threaded_reads_processed",
        "2",
        "io_threaded_writes_processed",
        "1");
    assertForms(
        sections.get("Replication"),
        "role",
        "master",
        "connected_slaves",
        "0",
        "repl_backlog_active",
        "1",
        "repl_backlog_size",
        "0",
        "repl_backlog_histlen",
        "0");
    assertThat(sections.get("CPU").keySet())
        .contains("used_cpu_sys_main_thread", "used_cpu_user_main_thread");
    assertThat(sections.get("Modules")).isEmpty();
    assertThat(sections.get("Errorstats")).isEmpty();
    assertForms(sections.get("Cluster"), "cluster_enabled", "1");
    assertForms(sections.get("Keyspace"), "db0", "keys=1,expires=0,avg_ttl=0");
  }

  /** What stands there beside these is what the machine tells. */
  private static void assertMemoryForms(Map<String, String> memory) {
    assertThat(memory.keySet())
        .contains("used_memory_peak", "allocator_allocated", "used_memory_dataset", "mem_allocator")
        .doesNotContain("used_memory_lua", "mem_not_counted_for_evict");
    assertThat(memory).containsEntry("maxmemory", "0").containsEntry("maxmemory_human", "0B");
    assertThat(memory).containsEntry("maxmemory_policy", "noeviction");
    assertThat(Long.parseLong(memory.get("total_system_memory")))
        .isGreaterThan(Runtime.getRuntime().maxMemory());
    assertThat(Long.parseLong(memory.get("used_memory_peak")))
        .isGreaterThanOrEqualTo(Long.parseLong(memory.get("used_memory")));
    assertThat(memory.get("used_memory_human")).matches("\\d+\\.\\d\\d[KMG]");
  }

  /** As redis-server 7.0.15 has them. */
  @ParameterizedTest
  @CsvSource({
    "'', Server Clients Memory Persistence Stats Replication CPU Modules Errorstats Cluster Keyspace",
    "default, Server Clients Memory Persistence Stats Replication CPU Modules Errorstats Cluster Keyspace",
    "all, Server Clients Memory Persistence Stats Replication CPU Modules Commandstats Errorstats Latencystats Cluster Keyspace",
    "everything, Server Clients Memory Persistence Stats Replication CPU Modules Commandstats Errorstats Latencystats Cluster Keyspace",
    "SERVER cLuster, Server Cluster",
    "cluster server cluster, Server Cluster",
    "nosuch, ''",
    "nosuch cluster, Cluster",
    "module_list, Modules",
    "default commandstats, Server Clients Memory Persistence Stats Replication CPU Modules Commandstats Errorstats Cluster Keyspace",
    "latencystats, Latencystats",
    "errorstats keyspace, Errorstats Keyspace",
  })
  void sectionsAreThoseThatWereAskedFor(String asked, String headings) throws IOException {
    assertThat(String.join(" ", sections(text(client.say(("INFO " + asked).strip()))).keySet()))
        .isEqualTo(headings);
  }

  @Test
  void oneConnectionTooManyIsCountedAsRejectedAndNotAsReceived() throws IOException {
    FrontConfig all = FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED);
    FrontConfig one = all.with(all.bounds().withConnections(1));
    try (RespServer full = RespServer.start(one, router, PortKind.CLIENT, new Metrics(), () -> {});
        Transcript.Connection first = new Transcript.Connection(full)) {
      first.say("PING");
      try (Transcript.Connection second = new Transcript.Connection(full)) {
        assertThat(second.say("PING").toString()).contains("max number of clients");
      }
      Map<String, String> stats = sections(text(first.say("INFO stats"))).get("Stats");
      assertThat(stats)
          .containsEntry("rejected_connections", "1")
          .containsEntry("total_connections_received", "1");
      first.say("CONFIG RESETSTAT");
      assertThat(sections(text(first.say("INFO stats"))).get("Stats"))
          .containsEntry("rejected_connections", "0")
          .containsEntry("total_connections_received", "0")
          .containsEntry("total_commands_processed", "1"); // itself, answered after the reset
    }
  }

  @Test
  void commandTellsOfEveryRowAndCommandInfoTheSame() throws IOException {
    List<RespValue> rows = ((Array) client.say("COMMAND")).elements();
    List<String> names = new ArrayList<>();
    for (RespValue row : rows) {
      assertRow(((Array) row).elements(), "");
      names.add(text(((Array) row).elements().get(0)));
    }
    List<String> expected = new ArrayList<>();
    for (Command command : CommandTable.rows()) {
      expected.add(command.name());
      expected.addAll(command.aliases());
    }
    assertThat(names).containsExactlyInAnyOrderElementsOf(expected).isSorted();
    assertThat(client.say("COMMAND COUNT")).isEqualTo(new Int(names.size()));
    assertThat(client.say("COMMAND INFO")).isEqualTo(new Array(rows));
    assertThat(client.say("COMMAND INFO " + String.join(" ", names))).isEqualTo(new Array(rows));
  }

  /** Redis: name, arity, flags, first and last key, step, categories, tips, keys, subcommands. */
  private static void assertRow(List<RespValue> row, String container) {
    assertThat(row).hasSize(10);
    String name = text(row.get(0));
    assertThat(name).matches(Pattern.quote(container) + "[a-z_-]+");
    assertThat(((Int) row.get(1)).value()).as(name).isNotZero();
    assertThat(words(row.get(2))).as(name).isNotEmpty();
    long first = ((Int) row.get(3)).value();
    long last = ((Int) row.get(4)).value();
    long step = ((Int) row.get(5)).value();
    if (first == 0) {
      assertThat(List.of(last, step)).as(name).containsOnly(0L);
    } else {
      assertThat(last < 0 || last >= first).as(name).isTrue();
      assertThat(step).as(name).isPositive();
    }
    assertThat(words(row.get(6))).as(name).allMatch(word -> word.startsWith("@"));
    assertThat(row.get(7)).as(name).isEqualTo(RespValue.array());
    assertThat(((Array) row.get(8)).elements()).as(name).hasSize(first == 0 ? 0 : 1);
    for (RespValue subcommand : ((Array) row.get(9)).elements()) {
      assertRow(((Array) subcommand).elements(), name + "|");
    }
  }

  @Test
  void commandDocsTellsOfEveryRow() throws IOException {
    List<RespValue> all = ((Array) client.say("COMMAND DOCS")).elements();
    List<String> names = new ArrayList<>();
    for (int i = 0; i < all.size(); i += 2) {
      names.add(text(all.get(i)));
      List<String> facts = new ArrayList<>();
      List<RespValue> flat = ((Array) all.get(i + 1)).elements();
      for (int fact = 0; fact < flat.size(); fact += 2) {
        facts.add(text(flat.get(fact)));
      }
      assertThat(facts).startsWith("summary", "since", "group", "complexity");
    }
    List<RespValue> listed = ((Array) client.say("COMMAND LIST")).elements();
    assertThat(names)
        .isEqualTo(
            listed.stream()
                .map(IntrospectionTest::text)
                .filter(name -> !name.contains("|"))
                .toList());
  }

  @Test
  void slowCommandsAreListedTheLatestFirst() throws IOException {
    client.say("CLIENT SETNAME me");
    client.say("CONFIG SET slowlog-log-slower-than 0");
    client.say("SET a 'b c'");
    client.say("GET a");
    client.say("CONFIG SET slowlog-log-slower-than -1");
    List<RespValue> entries = ((Array) client.say("SLOWLOG GET 3")).elements();
    assertThat(entries).hasSize(3);
    List<List<String>> commands = new ArrayList<>();
    for (int i = 0; i < entries.size(); i++) {
      List<RespValue> entry = ((Array) entries.get(i)).elements();
      assertThat(entry).hasSize(6);
      assertThat(entry.get(0)).as("id").isEqualTo(new Int(2 - i));
      assertThat(entry.get(1)).as("when").isEqualTo(new Int(1_767_323_045));
      assertThat(((Int) entry.get(2)).value()).as("microseconds").isNotNegative();
      commands.add(
          ((Array) entry.get(3)).elements().stream().map(IntrospectionTest::text).toList());
      assertThat(text(entry.get(4))).isEqualTo("127.0.0.1:" + client.port());
      assertThat(text(entry.get(5))).isEqualTo("me");
    }
    assertThat(commands)
        .containsExactly(
            List.of("GET", "a"),
            List.of("SET", "a", "(3 bytes)"),
            List.of("CONFIG", "SET", "(23 bytes)", "(1 byte)"));
    assertThat(client.say("SLOWLOG GET 1")).isEqualTo(new Array(entries.subList(0, 1)));
    assertThat(client.say("SLOWLOG GET -1")).isEqualTo(new Array(entries));
  }

  @Test
  void everyConnectionIsListedWithAllThatRedisTells() throws IOException {
    try (Transcript.Connection other = new Transcript.Connection(server)) {
      long id = ((Int) other.say("CLIENT ID")).value();
      other.say("CLIENT SETINFO LIB-NAME lib");
      other.say("HELLO 3 SETNAME other");
      other.say("MULTI");
      other.say("GET a");
      List<String> lines = text(client.say("CLIENT LIST")).lines().toList();
      assertThat(lines).hasSize(2);
      assertThat(lines)
          .contains(
              "id=%d addr=127.0.0.1:%d laddr=127.0.0.1:%d fd=0 name=other age=0 idle=0 flags=x db=0 sub=0 psub=0 ssub=0 multi=1 qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=196 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=196 events=r cmd=get user=default redir=-1 resp=3 lib-name=lib lib-ver="
                  .formatted(id, other.port(), server.port()));
    }
  }

  @Test
  void memoryStatsTellsOfTheHeapAndOfWhatClientsHold() throws IOException {
    client.say("MULTI");
    client.say("SET a b");
    List<RespValue> pairs;
    try (Transcript.Connection other = new Transcript.Connection(server)) {
      pairs = ((Array) other.say("MEMORY STATS")).elements();
    }
    Map<String, RespValue> stats = new LinkedHashMap<>();
    for (int i = 0; i < pairs.size(); i += 2) {
      stats.put(text(pairs.get(i)), pairs.get(i + 1));
    }
    assertThat(stats.keySet())
        .containsExactly(
            "peak.allocated",
            "total.allocated",
            "clients.normal",
            "peak.percentage",
            "allocator.allocated",
            "allocator.active");
    long total = ((Int) stats.get("total.allocated")).value();
    assertThat(total).isPositive();
    assertThat(((Int) stats.get("peak.allocated")).value()).isGreaterThanOrEqualTo(total);
    assertThat(((Int) stats.get("allocator.active")).value()).isGreaterThanOrEqualTo(total);
    assertThat(stats.get("clients.normal")).isEqualTo(new Int(4 * 64 + 3 + 1 + 1));
    assertThat(Double.parseDouble(text(stats.get("peak.percentage")))).isBetween(0.0, 100.0);
  }

  private static Map<String, Map<String, String>> sections(String info) {
    Map<String, Map<String, String>> sections = new LinkedHashMap<>();
    Map<String, String> lines = Map.of();
    for (String line : info.split("\r\n")) {
      if (line.startsWith("# ")) {
        lines = new LinkedHashMap<>();
        sections.put(line.substring(2), lines);
      } else if (!line.isEmpty()) {
        String[] parts = line.split(":", 2);
        assertThat(lines.put(parts[0], parts[1])).as(line).isNull();
      }
    }
    return sections;
  }

  /** Names and patterns in turn: these lines and no others, in this order. */
  private static void assertForms(Map<String, String> lines, String... forms) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < forms.length; i += 2) {
      names.add(forms[i]);
      assertThat(lines.get(forms[i])).as(forms[i]).matches(forms[i + 1]);
    }
    assertThat(lines.keySet()).containsExactlyElementsOf(names);
  }

  private static List<String> words(RespValue value) {
    return ((Array) value)
        .elements().stream().map(word -> ((RespValue.SimpleString) word).text()).toList();
  }

  private static String text(RespValue value) {
    return new String(((Bulk) value).bytes(), UTF_8);
  }
}

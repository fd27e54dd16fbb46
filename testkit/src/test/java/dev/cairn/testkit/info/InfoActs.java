// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.info;

import static org.awaitility.Awaitility.await;

import dev.cairn.protocol.RespWriter;
import dev.cairn.testkit.RespConnection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The file of acts and what each moves in INFO, and a server on which they are done again. What the
 * looking itself moves is taken off.
 */
final class InfoActs {
  private static final Path FILE = Path.of("src/test/resources/info-acts.txt");
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String CONNECT = "(connect)";
  private static final String EXPIRE = "(expire)";
  private static final String[] LOOK = {"INFO", "all"};

  /** The names of counters in the file, and INFO's. */
  private static final Map<String, String> COUNTERS = new LinkedHashMap<>();

  static {
    COUNTERS.put("commands", "total_commands_processed");
    COUNTERS.put("hits", "keyspace_hits");
    COUNTERS.put("misses", "keyspace_misses");
    COUNTERS.put("expired", "expired_keys");
    COUNTERS.put("errors", "total_error_replies");
    COUNTERS.put("connections", "total_connections_received");
    COUNTERS.put("rejected", "rejected_connections");
    COUNTERS.put("in", "total_net_input_bytes");
    COUNTERS.put("out", "total_net_output_bytes");
    COUNTERS.put("reads", "total_reads_processed");
    COUNTERS.put("writes", "total_writes_processed");
  }

  /** Connects to the server. */
  @FunctionalInterface
  interface Server {
    RespConnection connect() throws IOException;
  }

  /** One look at INFO: counters by their names in the file, and how long the reply was. */
  private record Look(Map<String, List<Long>> counters, long replyBytes) {}

  private final Server server;
  private final RespConnection connection;

  InfoActs(Server server) throws IOException {
    this.server = server;
    this.connection = server.connect();
  }

  /** The file as it is. */
  static String expected() throws IOException {
    return Files.readString(FILE);
  }

  static void rewrite(String played) throws IOException {
    Files.writeString(FILE, played);
  }

  /** Does all acts, and returns the file with what they moved here. */
  String play() throws IOException {
    StringBuilder played = new StringBuilder();
    List<String> acts = new ArrayList<>();
    for (String line : (expected() + "\n").split("\n", -1)) {
      if (line.startsWith("> ")) {
        acts.add(line.substring(2));
        played.append(line).append('\n');
      } else if (line.isEmpty() && !acts.isEmpty()) {
        played.append(moved(acts)).append("\n\n");
        acts.clear();
      } else if (line.isEmpty() || line.startsWith("#")) {
        played.append(line).append('\n');
      }
    }
    return played.toString().strip() + "\n";
  }

  private String moved(List<String> acts) throws IOException {
    connection.call("FLUSHALL");
    connection.call("SET", "{t}k", "v");
    connection.call("SET", "{t}n", "5");
    List<Look> looks = new ArrayList<>(List.of(look()));
    // Open until all is looked at: redis-server counts the end of a connection as a read.
    try (RespConnection other = acts.contains(CONNECT) ? server.connect() : null) {
      for (String act : acts) {
        switch (act) {
          case CONNECT -> other.call("PING");
          case EXPIRE -> awaitExpired(acts, looks);
          default -> connection.call(act.split(" "));
        }
      }
      Map<String, List<Long>> before = looks.get(0).counters();
      Map<String, List<Long>> after = look().counters();
      return difference(before, after, overhead(looks));
    }
  }

  private void awaitExpired(List<String> acts, List<Look> looks) {
    long expiring = acts.stream().filter(act -> act.contains(" PX ")).count();
    long wanted = looks.get(0).counters().get("expired").get(0) + expiring;
    await()
        .atMost(PATIENCE)
        .until(
            () -> {
              Look now = look();
              looks.add(now);
              return now.counters().get("expired").get(0) >= wanted;
            });
  }

  /** What the looks themselves moved: all but the last were answered before it. */
  private static Map<String, List<Long>> overhead(List<Look> looks) {
    long count = looks.size();
    long asked = RespWriter.command(LOOK).length * count;
    long answered = looks.stream().mapToLong(Look::replyBytes).sum();
    return Map.of(
        "commands", List.of(count),
        "in", List.of(asked),
        "out", List.of(answered),
        "reads", List.of(count),
        "writes", List.of(count),
        "info", List.of(count, 0L, 0L));
  }

  private static String difference(
      Map<String, List<Long>> before,
      Map<String, List<Long>> after,
      Map<String, List<Long>> overhead) {
    List<String> names = new ArrayList<>(COUNTERS.keySet());
    TreeSet<String> others = new TreeSet<>(after.keySet());
    others.removeAll(COUNTERS.keySet());
    names.addAll(others);
    List<String> moved = new ArrayList<>();
    for (String name : names) {
      List<Long> now = after.getOrDefault(name, List.of());
      List<Long> difference = new ArrayList<>();
      for (int i = 0; i < now.size(); i++) {
        difference.add(now.get(i) - at(before, name, i) - at(overhead, name, i));
      }
      if (difference.stream().anyMatch(number -> number != 0)) {
        moved.add(
            name + "=" + difference.stream().map(String::valueOf).collect(Collectors.joining(",")));
      }
    }
    return String.join(" ", moved);
  }

  private static long at(Map<String, List<Long>> numbers, String name, int index) {
    return numbers.containsKey(name) ? numbers.get(name).get(index) : 0;
  }

  private Look look() {
    try {
      String text = RespConnection.text(connection.call(LOOK));
      int length = text.getBytes(StandardCharsets.UTF_8).length;
      Map<String, List<Long>> counters = new LinkedHashMap<>();
      Map<String, String> fields = fields(text);
      COUNTERS.forEach(
          (name, field) -> counters.put(name, List.of(Long.parseLong(fields.get(field)))));
      fields.forEach(
          (field, value) -> {
            if (field.startsWith("cmdstat_")) {
              counters.put(field.substring("cmdstat_".length()), calls(value));
            } else if (field.startsWith("errorstat_")) {
              String count = value.substring("count=".length());
              counters.put(
                  "-" + field.substring("errorstat_".length()), List.of(Long.parseLong(count)));
            }
          });
      return new Look(counters, ("$" + length + "\r\n").length() + length + 2L);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** {@code calls=1,usec=2,usec_per_call=2.00,rejected_calls=0,failed_calls=0}. */
  private static List<Long> calls(String value) {
    Map<String, String> parts =
        Arrays.stream(value.split(","))
            .map(part -> part.split("="))
            .collect(Collectors.toMap(part -> part[0], part -> part[1]));
    return List.of(
        Long.parseLong(parts.get("calls")),
        Long.parseLong(parts.get("rejected_calls")),
        Long.parseLong(parts.get("failed_calls")));
  }

  /** The fields of INFO, by name. */
  static Map<String, String> fields(String info) {
    Map<String, String> fields = new LinkedHashMap<>();
    for (String line : info.split("\r\n")) {
      int colon = line.indexOf(':');
      if (colon > 0 && !line.startsWith("#")) {
        fields.put(line.substring(0, colon), line.substring(colon + 1));
      }
    }
    return fields;
  }
}

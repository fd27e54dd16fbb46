// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cairn.server.cluster.Ring;
import dev.cairn.server.routing.NodeDocuments;
import dev.cairn.server.routing.Router;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;

/**
 * The cluster as a whole, whichever node is asked: what the cluster's status says ({@code CAIRN
 * STATUS}), joined with what the nodes that are up tell of themselves.
 */
final class ClusterResource {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Set<String> NONE = Set.of();
  private static final int SLOW_LOG_DEFAULT = 100;
  private static final int SLOW_LOG_MAX = 10_000;

  private final Router router;
  private final NodeAnswers stats;
  private final NodeAnswers slowLogs;
  private final StatsDocument figures = new StatsDocument(System::nanoTime);

  ClusterResource(Router router) {
    this.router = router;
    this.stats = new NodeAnswers(router, NodeDocuments.Topic.STATS, System::nanoTime);
    this.slowLogs = new NodeAnswers(router, NodeDocuments.Topic.SLOW_LOG, System::nanoTime);
  }

  /** The document of {@code CAIRN STATUS}. */
  void cluster(HttpCall call) {
    call.target().allowOnly(NONE);
    router.status(json -> call.answer(HttpAnswer.json(200, json)));
  }

  /** Each node: where it is, how it is, what it holds. */
  void nodes(HttpCall call) {
    call.target().allowOnly(NONE);
    joined(
        call,
        stats,
        (status, told) -> {
          ObjectNode document = begun(status);
          ArrayNode nodes = document.putArray("nodes");
          for (JsonNode node : status.path("nodes")) {
            node(nodes.addObject(), node, told.get(node.path("id").asText()));
          }
          call.answer(HttpAnswer.json(200, document));
        });
  }

  private static void node(ObjectNode to, JsonNode node, JsonNode own) {
    to.put("id", node.path("id").asText())
        .put("name", node.path("name").asText())
        .put("host", node.path("host").asText())
        .put("clientPort", node.path("clientPort").asInt())
        .put("clusterPort", node.path("clusterPort").asInt())
        .put("state", state(node))
        .put("version", node.path("version").asText())
        .put("leaders", node.path("leads").asInt())
        .put("replicas", node.path("replicas").asInt())
        .put("witnesses", node.path("witnesses").asInt());
    for (String name :
        List.of(
            "heardMillisAgo",
            "upMillis",
            "diskBytes",
            "diskFreeBytes",
            "diskLow",
            "heapUsedBytes",
            "heapMaxBytes",
            "residentBytes")) {
      to.set(name, node.get(name));
    }
    to.set("connections", own == null ? null : own.get("connections"));
    to.set("queues", own == null ? null : own.get("queues"));
  }

  /** Up, or for a node: heard and not reached, reached and not heard, neither. */
  static String state(JsonNode node) {
    if (node.path("up").asBoolean()) {
      return "up";
    }
    return node.path("heard").asBoolean()
        ? "unreached"
        : node.path("reached").asBoolean() ? "unheard" : "down";
  }

  /** Each partition: its slots, who leads, who lags, how much it holds. */
  void partitions(HttpCall call) {
    call.target().allowOnly(NONE);
    joined(
        call,
        stats,
        (status, told) -> {
          ObjectNode document = begun(status);
          ArrayNode partitions = document.putArray("partitions");
          for (JsonNode partition : status.path("partitionList")) {
            partition(partitions.addObject(), partition, status, told);
          }
          call.answer(HttpAnswer.json(200, document));
        });
  }

  private static void partition(
      ObjectNode to, JsonNode partition, JsonNode status, Map<String, JsonNode> told) {
    int index = partition.path("index").asInt();
    for (String name : List.of("index", "firstSlot", "lastSlot", "leader", "term", "canLose")) {
      to.set(name, partition.get(name));
    }
    JsonNode keys = null;
    JsonNode dataBytes = null;
    ArrayNode replicas = to.putArray("replicas");
    for (JsonNode replica : partition.path("replicas")) {
      String node = replica.path("node").asText();
      Optional<JsonNode> own = held(told.get(idOf(status, node)), index);
      ObjectNode row =
          replicas
              .addObject()
              .put("node", node)
              .put("state", state(replica))
              .put("counts", replica.path("counts").asBoolean())
              .put("lag", replica.path("lag").asLong());
      for (String name : List.of("keys", "dataBytes", "diskBytes", "logBytes")) {
        row.set(name, own.map(held -> held.get(name)).orElse(null));
      }
      boolean counts = own.isPresent() && (keys == null || node.equals(text(to.get("leader"))));
      keys = counts ? own.get().get("keys") : keys;
      dataBytes = counts ? own.get().get("dataBytes") : dataBytes;
    }
    to.set("keys", keys);
    to.set("dataBytes", dataBytes);
    JsonNode witness = partition.path("witness");
    if (witness.isObject()) {
      String node = witness.path("node").asText();
      Optional<JsonNode> own = held(told.get(idOf(status, node)), index);
      to.putObject("witness")
          .put("node", node)
          .put("state", state(witness))
          .put("counts", witness.path("counts").asBoolean())
          .set("logBytes", own.map(held -> held.get("logBytes")).orElse(null));
    } else {
      to.putNull("witness");
    }
  }

  private static String text(JsonNode node) {
    return node == null ? "" : node.asText();
  }

  private static String idOf(JsonNode status, String name) {
    for (JsonNode node : status.path("nodes")) {
      if (node.path("name").asText().equals(name)) {
        return node.path("id").asText();
      }
    }
    return "";
  }

  private static Optional<JsonNode> held(JsonNode own, int index) {
    if (own != null) {
      for (JsonNode partition : own.path("partitions")) {
        if (partition.path("index").asInt() == index) {
          return Optional.of(partition);
        }
      }
    }
    return Optional.empty();
  }

  /** The circle: where nodes and partitions stand on it, from 0 to 1, and who holds what. */
  void ring(HttpCall call) {
    call.target().allowOnly(NONE);
    router.status(
        json -> {
          JsonNode status = read(json);
          ObjectNode document = begun(status);
          ArrayNode nodes = document.putArray("nodes");
          for (JsonNode node : status.path("nodes")) {
            String name = node.path("name").asText();
            ArrayNode points =
                nodes.addObject().put("name", name).put("state", state(node)).putArray("points");
            Ring.places(name).forEach(points::add);
          }
          ArrayNode partitions = document.putArray("partitions");
          for (JsonNode partition : status.path("partitionList")) {
            ObjectNode to = partitions.addObject();
            to.set("index", partition.get("index"));
            to.put("point", Ring.place(partition.path("index").asInt()));
            to.set("leader", partition.get("leader"));
            ArrayNode replicas = to.putArray("replicas");
            partition.path("replicas").forEach(replica -> replicas.add(replica.get("node")));
            to.set("witness", partition.path("witness").get("node"));
          }
          call.answer(HttpAnswer.json(200, document));
        });
  }

  /** What the nodes measure, and of all together. */
  void stats(HttpCall call) {
    call.target().allowOnly(NONE);
    router.status(
        json -> {
          JsonNode status = read(json);
          ObjectNode document = begun(status);
          figures.write(document, status);
          call.answer(HttpAnswer.json(200, document));
        });
  }

  /** The commands of all nodes that took long, the latest first. */
  void slowLog(HttpCall call) {
    call.target().allowOnly(Set.of("count"));
    int count = count(call);
    joined(
        call,
        slowLogs,
        (status, told) -> {
          List<ObjectNode> entries = new ArrayList<>();
          for (JsonNode node : status.path("nodes")) {
            JsonNode log = told.get(node.path("id").asText());
            if (log != null) {
              for (JsonNode entry : log) {
                entries.add(slow(node.path("name").asText(), entry));
              }
            }
          }
          entries.sort(
              Comparator.comparingLong((ObjectNode row) -> row.path("atMillis").asLong())
                  .reversed());
          ObjectNode document = begun(status);
          ArrayNode list = document.putArray("entries");
          entries.stream().limit(count).forEach(list::add);
          call.answer(HttpAnswer.json(200, document));
        });
  }

  private static ObjectNode slow(String node, JsonNode entry) {
    ObjectNode row = HttpAnswer.object().put("node", node);
    for (String name : List.of("id", "atMillis", "micros", "client", "clientName")) {
      row.set(name, entry.get(name));
    }
    ArrayNode command = row.putArray("command");
    for (JsonNode word : entry.path("words")) {
      command.add(printable(Base64.getDecoder().decode(word.asText())));
    }
    return row;
  }

  /** A word for people: what is not printable ASCII as {@code \\x0a}, and a backslash too. */
  private static String printable(byte[] word) {
    StringBuilder text = new StringBuilder(word.length);
    for (byte octet : word) {
      if (octet >= ' ' && octet < 127 && octet != '\\') {
        text.append((char) octet);
      } else {
        text.append("\\x%02x".formatted(octet & 0xff));
      }
    }
    return text.toString();
  }

  private static int count(HttpCall call) {
    String text = call.target().text("count").orElse(Integer.toString(SLOW_LOG_DEFAULT));
    if (!text.matches("[0-9]{1,5}") || Integer.parseInt(text) > SLOW_LOG_MAX) {
      throw new BadRequest("count is a number from 0 to " + SLOW_LOG_MAX);
    }
    return Integer.parseInt(text);
  }

  private static ObjectNode begun(JsonNode status) {
    return HttpAnswer.object()
        .put("answeredBy", status.path("answeredBy").asText())
        .put("epoch", status.path("epoch").asLong());
  }

  private void joined(
      HttpCall call, NodeAnswers answers, BiConsumer<JsonNode, Map<String, JsonNode>> join) {
    boolean taken =
        answers.get(
            told ->
                router.status(
                    json -> {
                      try {
                        join.accept(read(json), told);
                      } catch (RuntimeException bug) {
                        call.answer(HttpAnswer.internalError(bug));
                      }
                    }));
    if (!taken) {
      call.answer(HttpAnswer.tooMuch());
    }
  }

  private static JsonNode read(String json) {
    try {
      return JSON.readTree(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("the status is no JSON", e);
    }
  }
}

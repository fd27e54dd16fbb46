// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cairn.server.command.SlowLog;
import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.partition.PartitionFigures;
import dev.cairn.server.routing.ClusterRouter;
import java.util.List;

/**
 * What this node tells of itself when it is asked, as JSON, beside what its report tells everybody
 * twice a second: what it holds of each partition, its queues and connections, its slow log. {@code
 * docs/reference/formats.md} has the grammar. Any thread.
 */
final class NodeStats {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Metrics metrics;
  private final SlowLog slowLog;

  NodeStats(Metrics metrics, SlowLog slowLog) {
    this.metrics = metrics;
    this.slowLog = slowLog;
  }

  /** What the node measures. */
  Metrics metrics() {
    return metrics;
  }

  /** The slow log, the latest first. */
  byte[] slowLog() {
    ArrayNode list = JSON.createArrayNode();
    for (SlowLog.Entry entry : slowLog.entries()) {
      ObjectNode row =
          list.addObject()
              .put("id", entry.id())
              .put("atMillis", entry.atSeconds() * 1000)
              .put("micros", entry.micros())
              .put("client", entry.address())
              .put("clientName", entry.name());
      ArrayNode words = row.putArray("words");
      entry.words().forEach(words::add); // as base64
    }
    return bytes(list);
  }

  /** What is measured. */
  byte[] document(List<PartitionFigures> figures, ClusterRouter router) {
    ObjectNode document = JSON.createObjectNode();
    document
        .putObject("connections")
        .put("client", (long) metrics.value(Metric.CONNECTIONS, "client"))
        .put("cluster", (long) metrics.value(Metric.CONNECTIONS, "cluster"));
    document
        .putObject("queues")
        .put("writes", router.queued(true).requests())
        .put("reads", router.queued(false).requests())
        .put("proposals", figures.stream().mapToLong(PartitionFigures::queuedRequests).sum());
    ArrayNode partitions = document.putArray("partitions");
    for (PartitionFigures of : figures) {
      partitions
          .addObject()
          .put("index", of.index())
          .put("keys", of.keys())
          .put("dataBytes", of.dataBytes())
          .put("diskBytes", of.diskBytes())
          .put("logBytes", of.logBytes());
    }
    return bytes(document);
  }

  private static byte[] bytes(Object document) {
    try {
      return JSON.writeValueAsBytes(document);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e); // a tree of numbers and texts is always written
    }
  }
}

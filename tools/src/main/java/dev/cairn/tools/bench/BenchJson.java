// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.HdrHistogram.HistogramIterationValue;

/**
 * A result as one JSON object: {@code format} (1), {@code settings}, {@code operations} (each kind
 * and {@code all}, with the whole distribution as pairs of percentile and milliseconds), {@code
 * errors}, {@code cpu}.
 */
public final class BenchJson {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Steps of a distribution for each halving of the distance to 100 %. */
  static final int STEPS = 5;

  private BenchJson() {}

  /** The document. */
  public static String document(BenchResult result) {
    ObjectNode root = JSON.createObjectNode();
    root.put("format", 1);
    settings(root.putObject("settings"), result);
    root.put("seconds", result.seconds());
    root.put("interrupted", result.interrupted());
    ArrayNode operations = root.putArray("operations");
    result.kinds().forEach(kind -> operation(operations.addObject(), kind));
    operation(operations.addObject(), result.all());
    ArrayNode errors = root.putArray("errors");
    for (BenchResult.Errors error : result.errors()) {
      errors
          .addObject()
          .put("code", error.code())
          .put("count", error.count())
          .put("first", error.firstLine());
    }
    root.put("not_found", result.notFound());
    root.put("moved", result.moved());
    root.put("connections_lost", result.connectionsLost());
    root.put("never_started", result.neverStarted());
    root.put("longest_wait_seconds", result.longestWaitSeconds());
    ObjectNode cpu = root.putObject("cpu");
    result.cpu().serverSeconds().ifPresent(seconds -> cpu.put("server_seconds", seconds));
    result
        .serverMicrosPerOperation()
        .ifPresent(micros -> cpu.put("server_us_per_operation", micros));
    result.cpu().problem().ifPresent(problem -> cpu.put("problem", problem));
    cpu.put("generator_seconds", result.cpu().ownSeconds());
    cpu.put("generator_share_of_a_core", result.cpu().ownShare());
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root);
    } catch (JsonProcessingException impossible) {
      throw new AssertionError(impossible);
    }
  }

  private static void settings(ObjectNode node, BenchResult result) {
    BenchSettings settings = result.settings();
    ArrayNode nodes = node.putArray("nodes");
    settings.nodes().forEach(address -> nodes.add(address.toString()));
    node.put("cluster", settings.cluster());
    node.put("servers", result.servers());
    node.put("clients", settings.clients());
    node.put("pipeline", settings.pipeline());
    node.put("rate", settings.ratePerSecond());
    node.put("workload", settings.workload());
    ObjectNode mix = node.putObject("mix");
    settings.shares().forEach((kind, share) -> mix.put(kind.text(), share));
    node.put("distribution", Text.of(settings.distribution()));
    node.put("keys", settings.keys());
    node.put("key_prefix", settings.keyPrefix());
    node.put("value_bytes", settings.valueBytes());
    node.put("wait", settings.waitReplicas());
    node.put("load", settings.load());
    node.put("warm_up_seconds", settings.warmUpSeconds());
    node.put("seconds", settings.seconds());
    node.put("timeout_seconds", settings.timeoutSeconds());
    node.put("seed", settings.seed());
    ArrayNode pids = node.putArray("pids");
    settings.pids().forEach(pids::add);
  }

  private static void operation(ObjectNode node, BenchResult.OfKind kind) {
    node.put("operation", kind.name());
    node.put("count", kind.count());
    node.put("ops_per_second", kind.perSecond());
    node.put("mean_ms", kind.meanMillis());
    for (double percentile : BenchResult.PERCENTILES) {
      node.put("p" + Text.percentile(percentile) + "_ms", kind.millis(percentile));
    }
    node.put("max_ms", kind.maxMillis());
    ArrayNode distribution = node.putArray("distribution");
    for (HistogramIterationValue step : kind.latencies().percentiles(STEPS)) {
      distribution
          .addArray()
          .add(step.getPercentileLevelIteratedTo())
          .add(step.getValueIteratedTo() / 1e6);
    }
  }
}

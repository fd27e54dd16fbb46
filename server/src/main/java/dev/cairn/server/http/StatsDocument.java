// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.function.LongSupplier;

/**
 * The figures of {@code /v1/stats}: reads and writes of each node and of all together, counted
 * since each started, and as rates and percentiles of the last ten seconds.
 *
 * <p>What the last seconds brought is told by comparing with an earlier answer, of which one a
 * second is kept: so nothing runs while nobody asks, and the first answer has no rates. Any thread.
 */
final class StatsDocument {
  private static final long WINDOW_NANOS = 10_000_000_000L;
  private static final long KEPT_EVERY_NANOS = 1_000_000_000L;
  private static final String[] COUNTS = {"reads", "writes", "failed"};

  private final LongSupplier nanoTime;
  private final ArrayDeque<Earlier> kept = new ArrayDeque<>(); // guarded by this; oldest first

  /** The nodes of an earlier status. */
  private record Earlier(long nanos, JsonNode nodes) {}

  StatsDocument(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /** Adds the figures of a status to a document. */
  void write(ObjectNode document, JsonNode status) {
    long now = nanoTime.getAsLong();
    Earlier before = earlier(now, status.path("nodes"));
    double seconds = (now - before.nanos) / 1e9;
    document.put("windowSeconds", seconds);
    Sum all = new Sum();
    ArrayNode nodes = document.putArray("nodes");
    for (JsonNode node : status.path("nodes")) {
      ObjectNode row = nodes.addObject().put("node", node.path("name").asText());
      row.put("state", ClusterResource.state(node));
      if (!node.has("within")) {
        continue; // it was never heard of
      }
      Sum one = new Sum();
      JsonNode then = of(before.nodes, node);
      one.add(node, then);
      all.add(node, then);
      one.write(row, seconds);
    }
    all.write(document.putObject("cluster"), seconds);
  }

  /** The same node earlier; itself where it is new or has been started anew since. */
  private static JsonNode of(JsonNode nodes, JsonNode wanted) {
    for (JsonNode node : nodes) {
      boolean same = node.path("id").equals(wanted.path("id")) && node.has("within");
      if (same && node.path("upMillis").asLong() <= wanted.path("upMillis").asLong()) {
        return node;
      }
    }
    return wanted;
  }

  /** The latest status that is ten seconds old, else the oldest; keeps this one, once a second. */
  private synchronized Earlier earlier(long now, JsonNode nodes) {
    while (kept.size() > 1 && now - second().nanos >= WINDOW_NANOS) {
      kept.removeFirst();
    }
    if (kept.isEmpty() || now - kept.getLast().nanos >= KEPT_EVERY_NANOS) {
      kept.addLast(new Earlier(now, nodes));
    }
    return kept.getFirst();
  }

  private Earlier second() {
    Iterator<Earlier> all = kept.iterator();
    all.next();
    return all.next();
  }

  /** Counts of one node or of several: since they started, and since an earlier status. */
  private static final class Sum {
    private final long[] counts = new long[COUNTS.length];
    private final long[] more = new long[COUNTS.length];
    private double[] bounds = {}; // milliseconds; the last bucket has none
    private long[] within = {};
    private long[] withinMore = {};

    void add(JsonNode node, JsonNode then) {
      for (int i = 0; i < COUNTS.length; i++) {
        counts[i] += node.path(COUNTS[i]).asLong();
        more[i] += node.path(COUNTS[i]).asLong() - then.path(COUNTS[i]).asLong();
      }
      JsonNode buckets = node.path("within");
      if (within.length == 0) {
        bounds = new double[Math.max(0, buckets.size() - 1)];
        within = new long[buckets.size()];
        withinMore = new long[buckets.size()];
      }
      for (int i = 0; i < within.length; i++) {
        long count = buckets.path(i).path("count").asLong();
        if (i < bounds.length) {
          bounds[i] = buckets.path(i).path("micros").asLong() / 1000.0;
        }
        within[i] += count;
        withinMore[i] += count - then.path("within").path(i).path("count").asLong();
      }
    }

    void write(ObjectNode to, double seconds) {
      for (int i = 0; i < COUNTS.length; i++) {
        to.putObject(COUNTS[i])
            .put("count", counts[i])
            .put("perSecond", seconds > 0 ? more[i] / seconds : 0);
      }
      ObjectNode latency = to.putObject("latency");
      percentile(latency, "p50Millis", 0.5);
      percentile(latency, "p90Millis", 0.9);
      percentile(latency, "p99Millis", 0.99);
      percentile(latency, "p999Millis", 0.999);
      ArrayNode buckets = to.putArray("buckets");
      for (int i = 0; i < within.length; i++) {
        ObjectNode bucket = buckets.addObject();
        if (i < bounds.length) {
          bucket.put("millis", bounds[i]);
        } else {
          bucket.putNull("millis");
        }
        bucket.put("count", within[i]);
      }
    }

    private void percentile(ObjectNode to, String name, double share) {
      if (withinMore.length == 0 || withinMore[withinMore.length - 1] == 0) {
        to.putNull(name); // nothing was asked
      } else {
        to.put(name, millis(bounds, withinMore, share));
      }
    }
  }

  /** Where in its bucket a share lies is taken as if the bucket were evenly filled. */
  static double millis(double[] bounds, long[] within, double share) {
    double wanted = share * within[within.length - 1];
    double bound = 0;
    long below = 0;
    for (int i = 0; i < bounds.length; i++) {
      if (within[i] >= wanted) {
        long inside = within[i] - below;
        return inside == 0 ? bounds[i] : bound + (bounds[i] - bound) * (wanted - below) / inside;
      }
      bound = bounds[i];
      below = within[i];
    }
    return bound; // past the last bound: at least so long
  }
}

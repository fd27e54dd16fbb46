// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.cairn.server.routing.NodeDocuments;
import dev.cairn.server.routing.Router;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * What the nodes tell of themselves, asked for at most twice a second however many ask here:
 * several consoles cost the nodes no more than one. Any thread.
 */
final class NodeAnswers {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long FRESH_NANOS = 500_000_000;
  private static final int WAITING_MAX = 1_000;

  private final Router router;
  private final NodeDocuments.Topic topic;
  private final LongSupplier nanoTime;
  private final List<Consumer<Map<String, JsonNode>>> waiting =
      new ArrayList<>(); // guarded by this
  private Map<String, JsonNode> known = Map.of(); // guarded by this
  private long knownNanos; // guarded by this
  private boolean isKnown; // guarded by this

  NodeAnswers(Router router, NodeDocuments.Topic topic, LongSupplier nanoTime) {
    this.router = router;
    this.topic = topic;
    this.nanoTime = nanoTime;
  }

  /** Takes what each node told, by its id; false if too many wait. */
  boolean get(Consumer<Map<String, JsonNode>> done) {
    boolean asks;
    synchronized (this) {
      boolean fresh = isKnown && nanoTime.getAsLong() - knownNanos < FRESH_NANOS;
      if (!fresh) {
        if (waiting.size() == WAITING_MAX) {
          return false;
        }
        waiting.add(done);
      }
      asks = !fresh && waiting.size() == 1;
      if (!fresh && !asks) {
        return true;
      }
    }
    if (asks) {
      try {
        router.ask(topic, this::told);
      } catch (RuntimeException closing) {
        told(Map.of()); // or whoever waits would wait for ever
        throw closing;
      }
    } else {
      done.accept(knownNow());
    }
    return true;
  }

  private synchronized Map<String, JsonNode> knownNow() {
    return known;
  }

  private void told(Map<String, byte[]> documents) {
    Map<String, JsonNode> read = new HashMap<>();
    documents.forEach(
        (nodeId, document) -> {
          try {
            read.put(nodeId, JSON.readTree(document));
          } catch (IOException notJson) {
            read.remove(nodeId); // as if it had not answered
          }
        });
    List<Consumer<Map<String, JsonNode>>> all;
    synchronized (this) {
      known = read;
      knownNanos = nanoTime.getAsLong();
      isKnown = true;
      all = List.copyOf(waiting);
      waiting.clear();
    }
    all.forEach(done -> done.accept(read));
  }
}

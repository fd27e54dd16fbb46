// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.clients;

import dev.cairn.testkit.NodeProcess;
import dev.cairn.testkit.ProcessCluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** How many requests of clients did not reach their leader at once, as the nodes count them. */
final class Directness {
  private final ProcessCluster cluster;
  private final HttpClient http = HttpClient.newHttpClient();

  Directness(ProcessCluster cluster) {
    this.cluster = cluster;
  }

  /** Requests that were passed on, or answered MOVED, since the nodes that run were started. */
  long indirect() {
    return cluster.indexes().stream()
        .map(cluster::node)
        .filter(NodeProcess::running)
        .mapToLong(this::indirectAt)
        .sum();
  }

  private long indirectAt(NodeProcess node) {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://" + node.name() + "/metrics")).build();
    try {
      String metrics = http.send(request, HttpResponse.BodyHandlers.ofString()).body();
      return (long)
          metrics
              .lines()
              .filter(
                  line ->
                      line.startsWith("cairn_forwarded_requests_total{")
                          || line.startsWith("cairn_refusals_total{code=\"MOVED\"}"))
              .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
              .sum();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}

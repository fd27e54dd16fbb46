// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.http.Contract;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What real nodes answer over HTTP, each answer held against {@code openapi.yaml}. */
final class HttpContract {
  private static final HttpClient CLIENT =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private static final List<String> DOCUMENTS =
      List.of(
          "/v1/cluster",
          "/v1/nodes",
          "/v1/partitions",
          "/v1/ring",
          "/v1/stats",
          "/v1/history",
          "/v1/slowlog",
          "/healthz",
          "/metrics",
          "/openapi.yaml",
          "/problems/no-room",
          "/",
          "/console/app.js",
          "/console/style.css");

  private final Contract contract = new Contract();

  /** Asks, and holds what comes against the contract. */
  HttpResponse<byte[]> ask(NodeProcess node, String methodAndTarget, String body, String... headers)
      throws IOException, InterruptedException {
    String[] parts = methodAndTarget.split(" ", 2);
    HttpRequest.Builder request =
        HttpRequest.newBuilder(
                URI.create("http://%s:%d%s".formatted(node.listenHost(), node.port(), parts[1])))
            .timeout(Duration.ofSeconds(30))
            .method(
                parts[0], body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
    if (headers.length > 0) {
      request.headers(headers);
    }
    HttpResponse<byte[]> response = CLIENT.send(request.build(), BodyHandlers.ofByteArray());
    Map<String, String> first =
        response.headers().map().entrySet().stream()
            .collect(Collectors.toMap(Map.Entry::getKey, header -> header.getValue().get(0)));
    contract.hold(methodAndTarget, response.statusCode(), first, response.body());
    return response;
  }

  private HttpResponse<byte[]> ask(
      int status, NodeProcess node, String methodAndTarget, String body, String... headers)
      throws IOException, InterruptedException {
    HttpResponse<byte[]> response = ask(node, methodAndTarget, body, headers);
    assertThat(response.statusCode())
        .as("%s: %s", methodAndTarget, new String(response.body(), StandardCharsets.UTF_8))
        .isEqualTo(status);
    return response;
  }

  /** All documents of a node that answers, in whatever state its cluster is. */
  void holdDocuments(NodeProcess node) throws IOException, InterruptedException {
    for (String path : DOCUMENTS) {
      ask(200, node, "GET " + path, "");
      ask(200, node, "HEAD " + path, "");
    }
    ask(400, node, "GET /v1/slowlog?count=x", "");
    ask(404, node, "GET /problems/none", "");
    ask(404, node, "GET /console/none", "");
  }

  /** Documents and keys, through each node of a healthy cluster. */
  void holdAll(ProcessCluster cluster) throws IOException, InterruptedException {
    for (int i : cluster.indexes()) {
      NodeProcess node = cluster.node(i);
      holdDocuments(node);
      ask(200, node, "GET /readyz", "");
      holdKeys(node, " /v1/kv/contract/" + i);
    }
  }

  private void holdKeys(NodeProcess node, String key) throws IOException, InterruptedException {
    ask(404, node, "GET" + key, "");
    ask(404, node, "HEAD" + key, "");
    ask(404, node, "DELETE" + key, "");
    String old = tag(ask(201, node, "PUT" + key, "0123"));
    ask(204, node, "PUT" + key + "?ttl=1d&consistency=all", "01234");
    String now = tag(ask(200, node, "GET" + key, ""));
    ask(200, node, "GET" + key + "?consistency=all", "", "Accept", "application/json");
    ask(200, node, "HEAD" + key, "");
    ask(206, node, "GET" + key, "", "Range", "bytes=1-2");
    ask(416, node, "GET" + key, "", "Range", "bytes=9-");
    ask(304, node, "GET" + key, "", "If-None-Match", now);
    ask(412, node, "GET" + key, "", "If-Match", old);
    ask(412, node, "PUT" + key, "late", "If-Match", old);
    ask(412, node, "DELETE" + key, "", "If-Match", old);
    ask(403, node, "PUT" + key, "x", "Origin", "http://elsewhere.example");
    ask(200, node, "GET /v1/kv?prefix=contract/&limit=1", "");
    ask(400, node, "GET /v1/kv?limit=0", "");
    String put = "{\"op\":\"put\",\"key\":\"%s\",\"value\":\"v\",\"ifVersion\":0}";
    String batch = "{\"operations\":[" + put.formatted("{c}" + key.trim()) + "]}";
    ask(200, node, "POST /v1/batch", batch);
    ask(207, node, "POST /v1/batch", batch);
    ask(400, node, "POST /v1/batch", "{}");
    ask(204, node, "DELETE" + key, "");
  }

  private static String tag(HttpResponse<byte[]> response) {
    return response.headers().firstValue("ETag").orElseThrow();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.failover;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Three etcd processes on this machine with etcd's own defaults, asked through their gateway. */
final class EtcdCluster implements AutoCloseable {
  private static final int NODES = 3;
  private static final Duration ANSWER_MAX = Duration.ofMillis(500);
  private static final Duration READY_MAX = Duration.ofSeconds(60);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path folder;
  private final int firstPort;
  private final HttpClient http = HttpClient.newBuilder().connectTimeout(ANSWER_MAX).build();
  private final List<Process> processes = new ArrayList<>();

  /**
   * Starts them, and waits until they take writes.
   *
   * @param folder for their data and logs
   * @param firstPort of six in a row: one for clients and one for peers each
   */
  EtcdCluster(Path folder, int firstPort) {
    this.folder = folder;
    this.firstPort = firstPort;
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(() -> processes.forEach(Process::destroyForcibly), "etcd-children"));
    IntStream.range(0, NODES).forEach(node -> processes.add(launch(node)));
    awaitReady();
  }

  private Process launch(int node) {
    String peers =
        IntStream.range(0, NODES)
            .mapToObj(i -> "n" + i + "=http://127.0.0.1:" + peerPort(i))
            .collect(Collectors.joining(","));
    List<String> command =
        List.of(
            "etcd",
            "--name",
            "n" + node,
            "--data-dir",
            folder.resolve("etcd-" + node).toString(),
            "--listen-client-urls",
            url(node),
            "--advertise-client-urls",
            url(node),
            "--listen-peer-urls",
            "http://127.0.0.1:" + peerPort(node),
            "--initial-advertise-peer-urls",
            "http://127.0.0.1:" + peerPort(node),
            "--initial-cluster",
            peers);
    try {
      Path log = folder.resolve("etcd-" + node + ".log");
      Files.createDirectories(folder);
      return new ProcessBuilder(command)
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
          .start();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot start etcd: is etcd-server installed?", e);
    }
  }

  private int peerPort(int node) {
    return firstPort + NODES + node;
  }

  private String url(int node) {
    return "http://127.0.0.1:" + (firstPort + node);
  }

  /** Stores a pair through a node; whether that was acknowledged. */
  boolean put(int node, String key, String value) {
    return post(
            node,
            "/v3/kv/put",
            "{\"key\":\"" + base64(key) + "\",\"value\":\"" + base64(value) + "\"}")
        != null;
  }

  /** The node that leads; -1 while there is none. */
  int leader() {
    for (int node = 0; node < NODES; node++) {
      String answer = post(node, "/v3/maintenance/status", "{}");
      if (answer != null) {
        try {
          JsonNode status = JSON.readTree(answer);
          if (status.path("leader").equals(status.path("header").path("member_id"))) {
            return node;
          }
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
    return -1;
  }

  /** The body of the answer; null when it is an error or none came. */
  private String post(int node, String path, String body) {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url(node) + path))
            .timeout(ANSWER_MAX)
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
    try {
      HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
      return answer.statusCode() == 200 ? answer.body() : null;
    } catch (IOException noAnswer) {
      return null;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    }
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  /** SIGKILL. */
  void kill(int node) {
    Process process = processes.get(node).destroyForcibly();
    await("etcd to end").atMost(READY_MAX).until(() -> !process.isAlive());
  }

  void start(int node) {
    processes.set(node, launch(node));
    awaitReady();
  }

  private void awaitReady() {
    for (int node = 0; node < NODES; node++) {
      int asked = node;
      await("etcd to take writes")
          .atMost(READY_MAX)
          .pollInterval(Duration.ofMillis(50))
          .until(() -> put(asked, "ready", "yes"));
    }
  }

  @Override
  public void close() {
    processes.forEach(Process::destroyForcibly);
  }
}

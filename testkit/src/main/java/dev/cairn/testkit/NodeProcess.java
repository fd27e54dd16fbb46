// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import dev.cairn.client.Security;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A node as its machine sees it: a process that comes and goes, a folder and ports that stay. Not
 * thread-safe, except that {@link #running} and {@link #port} may be asked by anyone.
 */
public final class NodeProcess {
  private final int index;
  private final String host;
  private final int port;
  private final int peerPort;
  private final int clusterPort;
  private final Path data;
  private final Path log;
  private final List<String> arguments;
  private final List<String> javaOptions;
  private final List<Surroundings> surroundings;
  private volatile Process process;
  private boolean paused;

  /**
   * @param host the address under which others are told to find it
   */
  NodeProcess(
      int index,
      String host,
      int port,
      int peerPort,
      int clusterPort,
      Path folder,
      List<String> options,
      List<String> javaOptions,
      List<Surroundings> surroundings) {
    this.index = index;
    this.host = host;
    this.port = port;
    this.peerPort = peerPort;
    this.clusterPort = clusterPort;
    this.javaOptions = javaOptions;
    this.surroundings = surroundings;
    data = folder.resolve("disk-" + port).resolve("data");
    log = folder.resolve("node-" + port + ".log");
    arguments = new ArrayList<>(List.of("node", Integer.toString(port), "--data", data.toString()));
    arguments.addAll(options);
  }

  private NodeProcess(NodeProcess of, int port, int peerPort, int clusterPort, List<String> all) {
    index = of.index;
    host = of.host;
    this.port = port;
    this.peerPort = peerPort;
    this.clusterPort = clusterPort;
    javaOptions = of.javaOptions;
    surroundings = of.surroundings;
    data = Path.of(all.get(all.indexOf("--data") + 1));
    log = data.equals(of.data) ? of.log : data.resolveSibling(data.getFileName() + ".log");
    arguments = all;
  }

  /** The same node at other ports, not running: its folder and its log stay. */
  NodeProcess at(int newPort, int newPeerPort, int newClusterPort) {
    List<String> all = new ArrayList<>(arguments);
    all.set(1, Integer.toString(newPort));
    all.set(all.indexOf("--peer-port") + 1, Integer.toString(newPeerPort));
    all.set(all.indexOf("--cluster-port") + 1, Integer.toString(newClusterPort));
    return new NodeProcess(this, newPort, newPeerPort, newClusterPort, all);
  }

  /** The same node with another value of an option that it has, not running. */
  NodeProcess with(String option, Object value) {
    List<String> all = new ArrayList<>(arguments);
    all.set(all.indexOf(option) + 1, value.toString());
    return new NodeProcess(this, port, peerPort, clusterPort, all);
  }

  void requireStopped() {
    if (running()) {
      throw new IllegalStateException("node " + index + " runs: kill or stop it first");
    }
  }

  /** The address under which others find it. */
  public String host() {
    return host;
  }

  /** The address at which it listens. */
  public String listenHost() {
    return surroundings.stream().anyMatch(Surroundings::givesHosts) ? host : "127.0.0.1";
  }

  /** How whoever tests connects to it. */
  Security security() {
    return surroundings.stream()
        .map(Surroundings::security)
        .filter(security -> security != Security.NONE)
        .findFirst()
        .orElse(Security.NONE);
  }

  /** A connection to its client port, over which whoever tests has logged in if need be. */
  RespConnection connect(Duration timeout) throws IOException {
    return RespConnection.to(listenHost(), port, timeout, security());
  }

  /** Its client port. */
  public int port() {
    return port;
  }

  /** Its port for other nodes. */
  public int peerPort() {
    return peerPort;
  }

  /** Its port for cluster-aware clients. */
  public int clusterPort() {
    return clusterPort;
  }

  /** {@code host:port}, as status shows it. */
  public String name() {
    return host + ":" + port;
  }

  /** Its data folder. */
  public Path data() {
    return data;
  }

  /** The process id of its latest run. */
  public long pid() {
    return process.pid();
  }

  /** As {@link #pid}; -1 before its first. */
  long pidOrNone() {
    Process latest = process;
    return latest == null ? -1 : latest.pid();
  }

  /** Whether its process is there, even if it is frozen. */
  public boolean running() {
    Process latest = process;
    return latest != null && latest.isAlive();
  }

  /** All that its runs have logged. */
  public String log() {
    try {
      return Files.exists(log) ? Files.readString(log, StandardCharsets.UTF_8) : "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Starts it, with options that hold for this run only. */
  void start(String... more) {
    if (running()) {
      throw new IllegalStateException("node " + index + " runs already");
    }
    List<String> all = new ArrayList<>(arguments);
    all.addAll(List.of(more));
    ProcessBuilder builder = Children.node(javaOptions, all.toArray(new String[0]));
    surroundings.forEach(around -> around.prepare(index, data, builder));
    builder.redirectErrorStream(true);
    builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    paused = false;
    process = Children.start(builder);
  }

  /** SIGKILL: what was not on disk is lost with the process. */
  void kill() {
    process.destroyForcibly();
    awaitEnd(Duration.ofSeconds(30));
  }

  /** SIGTERM; the exit status. */
  int stop() {
    resume();
    process.destroy();
    return awaitEnd(Duration.ofSeconds(40));
  }

  /** SIGSTOP: it does nothing, and its connections stay open. */
  void pause() {
    signal("STOP");
    paused = true;
  }

  /** SIGCONT. */
  void resume() {
    if (paused) {
      signal("CONT");
      paused = false;
    }
  }

  /** Its disk is new. */
  void wipe() {
    requireStopped();
    try {
      Folders.delete(data);
      surroundings.forEach(around -> around.wiped(index));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits for its process to end by itself or by a signal; the exit status. */
  public int awaitEnd(Duration longest) {
    try {
      if (!process.waitFor(longest.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new IllegalStateException(
            "node " + index + " has not ended after " + longest.toSeconds() + " s");
      }
      return process.exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** Kilobytes of memory that it holds, VmRSS. */
  public long residentKilobytes() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc", Long.toString(pid()), "status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new IOException("no VmRSS of process " + pid());
  }

  private void signal(String name) {
    try {
      int status = new ProcessBuilder("kill", "-" + name, Long.toString(pid())).start().waitFor();
      if (status != 0) {
        throw new IllegalStateException("kill -" + name + " of node " + index + " failed");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.client.Address;
import dev.cairn.client.Security;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Nodes as processes of this machine, their data and logs in one temporary folder.
 *
 * <p>Invariant: once {@link #close} has returned no process that this started is running, and the
 * folder is gone unless it is to be kept. A shutdown hook sees to that on Ctrl-C. Thread-safe.
 *
 * <p>The processes ignore SIGINT: Ctrl-C at the demo's terminal goes to them too, and in the shell
 * it is meant for a command.
 */
final class DemoCluster implements AutoCloseable {
  private static final String HOST = "127.0.0.1";
  private static final int PEER_PORT_OFFSET = 10_000;
  private static final int CLUSTER_PORT_OFFSET = 20_000;
  private static final int CONNECT_MILLIS = 300;
  private static final long STOP_SECONDS = 10;

  private final List<String> program;
  private final List<Integer> ports;
  private final Path folder;
  private final Map<Integer, Process> processes = new LinkedHashMap<>(); // guarded by this
  private final Thread onExit = new Thread(this::kill, "cairn-demo-exit");
  private List<String> options = List.of(); // of each node; set before the first starts
  private Security security = Security.NONE; // of clients; as options
  private boolean keepFolder; // guarded by this
  private boolean closed; // guarded by this

  /**
   * A cluster with no process yet.
   *
   * @param program what starts a node when {@code node}, its port and options are appended
   */
  DemoCluster(List<String> program, List<Integer> ports) throws IOException {
    this.program = List.copyOf(program);
    this.ports = List.copyOf(ports);
    folder = Files.createTempDirectory("cairn-demo-");
    Runtime.getRuntime().addShutdownHook(onExit);
  }

  /**
   * The first port that somebody has already, of those that nodes on the given ports would take.
   */
  static Optional<Integer> portInUse(List<Integer> ports) {
    return Stream.of(0, PEER_PORT_OFFSET, CLUSTER_PORT_OFFSET)
        .flatMap(offset -> ports.stream().map(port -> port + offset))
        .filter(DemoCluster::inUse)
        .findFirst();
  }

  private static boolean inUse(int port) {
    InetSocketAddress address = new InetSocketAddress(HOST, port);
    // Where a wildcard listener does not stop us from binding, it answers.
    try (Socket socket = new Socket()) {
      socket.connect(address, CONNECT_MILLIS);
      if (!socket.getLocalSocketAddress().equals(socket.getRemoteSocketAddress())) {
        return true;
      }
    } catch (IOException nobodyAnswers) {
      // Look whether it can be bound.
    }
    try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getByName(HOST))) {
      return !socket.isBound();
    } catch (IOException taken) {
      return true;
    }
  }

  /**
   * Has nodes and clients speak TLS, by certificates that are made for it. Before the first start.
   */
  void secure() throws IOException, InterruptedException {
    Path certificates = folder.resolve("certs");
    certify("ca", "--dir", certificates.toString());
    certify("node", "--dir", certificates.toString(), HOST);
    String authority = certificates.resolve("ca.crt").toString();
    options =
        List.of(
            "--tls-cert=" + certificates.resolve("node.crt"),
            "--tls-key=" + certificates.resolve("node.key"),
            "--tls-ca=" + authority,
            "--tls-clients=none",
            "--peer-name=cairn-node");
    security =
        Security.NONE.tls(
            Security.context(Optional.of(Path.of(authority)), Optional.empty(), Optional.empty()));
  }

  private void certify(String... what) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(program);
    words.add("cert");
    words.addAll(List.of(what));
    Process writer = new ProcessBuilder(words).redirectErrorStream(true).start();
    String said = new String(writer.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (writer.waitFor() != 0) {
      throw new IOException("the certificates could not be written: " + said.strip());
    }
  }

  /** How clients speak to the nodes. */
  Security security() {
    return security;
  }

  Path folder() {
    return folder;
  }

  List<Address> nodes() {
    return ports.stream().map(port -> new Address(HOST, port)).toList();
  }

  /** Starts the node of a port on its data. */
  synchronized void start(int port) throws IOException {
    if (closed) {
      throw new IOException("the demo is ending");
    }
    List<String> words = new ArrayList<>();
    words.addAll(List.of("/bin/sh", "-c", "trap '' INT QUIT HUP; exec \"$0\" \"$@\""));
    words.addAll(program);
    words.addAll(List.of("node", "" + port, "--data", folder.resolve("" + port).toString()));
    words.addAll(options);
    words.addAll(
        List.of(
            "--cluster", nodes().stream().map(Address::toString).collect(Collectors.joining(","))));
    ProcessBuilder builder = new ProcessBuilder(words);
    // What configures the user's own nodes must not configure these.
    builder.environment().keySet().removeIf(DemoCluster::configuresNodes);
    builder.redirectErrorStream(true);
    builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log(port).toFile()));
    builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
    processes.put(port, builder.start());
  }

  private static boolean configuresNodes(String variable) {
    return variable.startsWith("CAIRN_")
        && !variable.equals("CAIRN_HOME")
        && !variable.equals("CAIRN_JAVA_OPTS");
  }

  /** Ends a node with SIGKILL: it gets no chance to tidy up. */
  void kill(int port) throws InterruptedException {
    Process process;
    synchronized (this) {
      process = processes.remove(port);
      process.destroyForcibly();
    }
    process.waitFor();
  }

  /** A node whose process has ended although nobody ended it. */
  synchronized Optional<Integer> dead() {
    return processes.entrySet().stream()
        .filter(entry -> !entry.getValue().isAlive())
        .map(Map.Entry::getKey)
        .findFirst();
  }

  /** The last lines of a node's log. */
  List<String> logTail(int port, int linesMax) {
    try {
      List<String> lines = Files.readAllLines(log(port), StandardCharsets.ISO_8859_1);
      return lines.subList(Math.max(0, lines.size() - linesMax), lines.size());
    } catch (IOException unreadable) {
      return List.of("(no log: " + unreadable.getMessage() + ")");
    }
  }

  Path log(int port) {
    return folder.resolve(port + ".log");
  }

  synchronized void keepFolder() {
    keepFolder = true;
  }

  /** Lets the nodes stop in order, then makes sure. */
  @Override
  public void close() {
    List<Process> running;
    synchronized (this) {
      closed = true;
      running = List.copyOf(processes.values());
    }
    running.forEach(Process::destroy);
    long deadlineNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(STOP_SECONDS);
    try {
      for (Process process : running) {
        process.waitFor(deadlineNanos - System.nanoTime(), TimeUnit.NANOSECONDS);
      }
    } catch (InterruptedException hurried) {
      Thread.currentThread().interrupt();
    }
    kill();
    try {
      Runtime.getRuntime().removeShutdownHook(onExit);
    } catch (IllegalStateException exiting) {
      // It runs, or has run.
    }
  }

  private synchronized void kill() {
    closed = true;
    for (Process process : processes.values()) {
      process.destroyForcibly();
      process.onExit().join();
    }
    processes.clear();
    if (!keepFolder) {
      removeFolder();
    }
  }

  private void removeFolder() {
    try (Stream<Path> paths = Files.walk(folder)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (IOException | UncheckedIOException partly) {
      // Removed already, or the system's own cleaning of temporary folders has to do it.
    }
  }
}

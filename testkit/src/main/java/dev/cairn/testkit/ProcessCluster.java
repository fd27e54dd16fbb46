// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.awaitility.Awaitility.await;

import dev.cairn.client.CairnClient;
import dev.cairn.protocol.Slots;
import dev.cairn.testkit.network.PeerNetwork;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;

/**
 * A cluster of child processes on this machine, each a JVM with the options of {@code ./cairn}, its
 * own ports and its own data folder under a temporary one. Nodes are named by index, from 0.
 *
 * <pre>{@code
 * try (ProcessCluster cluster = ProcessCluster.of(3).start()) {
 *   cluster.awaitHealthy();
 *   cluster.kill(cluster.leaderOf("mykey"));
 *   ...
 * }
 * }</pre>
 *
 * <p>Closing it kills what still runs and removes the folders; so does the end of this process. A
 * node may be killed, frozen and started from one thread while others ask where it is.
 */
public final class ProcessCluster implements AutoCloseable {
  private static final Duration HEALTHY_MAX = Duration.ofSeconds(60);
  private static final int PORT_TRIES_MAX = 5;
  private static final int LOG_LINES_SHOWN = 60;
  private static final String LISTEN_HOST = "127.0.0.1";
  private static final int NETWORK_HOST_FIRST = 11;
  private static final List<Integer> DEFAULT_PORTS = List.of(5000, 5001, 5002);

  private final Path folder;
  private final List<NodeProcess> nodes;
  private final Optional<PeerNetwork> network;
  private final List<Surroundings> surroundings;

  private ProcessCluster(
      Path folder, List<NodeProcess> nodes, boolean withNetwork, List<Surroundings> surroundings) {
    this.folder = folder;
    this.surroundings = surroundings;
    this.nodes = new CopyOnWriteArrayList<>(nodes);
    network = withNetwork ? Optional.of(openNetwork()) : Optional.empty();
  }

  private PeerNetwork openNetwork() {
    List<PeerNetwork.Door> doors = new ArrayList<>();
    for (int i = 0; i < nodes.size(); i++) {
      NodeProcess node = nodes.get(i);
      for (int port : List.of(node.port(), node.clusterPort(), node.peerPort())) {
        doors.add(
            new PeerNetwork.Door(
                i,
                new InetSocketAddress(node.host(), port),
                new InetSocketAddress(LISTEN_HOST, port),
                port == node.peerPort()));
      }
    }
    return new PeerNetwork(
        nodes.size(), doors, () -> this.nodes.stream().map(NodeProcess::pidOrNone).toList());
  }

  /** Describes a cluster of that many nodes on free ports. */
  public static Builder of(int nodes) {
    return new Builder(nodes, false);
  }

  /**
   * Describes the quick start: three nodes on ports 5000, 5001 and 5002, told nothing but their
   * ports (and where this test keeps their data).
   */
  public static Builder quickStart() {
    return new Builder(DEFAULT_PORTS.size(), true);
  }

  // ---- what is done to nodes ----

  /**
   * Starts a node that does not run.
   *
   * @param more options that hold for this run only
   */
  public void start(int node, String... more) {
    nodes.get(node).start(more);
  }

  /** SIGKILL, and waits for the process to be gone. */
  public void kill(int node) {
    nodes.get(node).kill();
  }

  /** SIGKILL to all before any is waited for. */
  public void killAll() {
    kill(indexes());
  }

  /** SIGKILL to several before any is waited for. */
  public void kill(Collection<Integer> several) {
    several.forEach(
        node -> ProcessHandle.of(node(node).pid()).ifPresent(ProcessHandle::destroyForcibly));
    several.forEach(node -> node(node).awaitEnd(Duration.ofSeconds(30)));
  }

  /** SIGTERM, and waits; the exit status. */
  public int stop(int node) {
    return nodes.get(node).stop();
  }

  /** SIGSTOP. */
  public void pause(int node) {
    nodes.get(node).pause();
  }

  /** SIGCONT, if it was paused. */
  public void resume(int node) {
    nodes.get(node).resume();
  }

  /** Removes the data folder of a node that does not run. */
  public void wipe(int node) {
    nodes.get(node).wipe();
  }

  /**
   * A node that does not run gets other ports, as one that moves to another host gets other
   * addresses. Its folder and its list of nodes stay.
   */
  public void move(int node) {
    nodes.get(node).requireStopped();
    List<Integer> ports = FreePorts.take(3);
    nodes.set(node, nodes.get(node).at(ports.get(0), ports.get(1), ports.get(2)));
  }

  /** As {@link #move}, two at once: each gets the ports of the other. */
  public void swap(int node, int other) {
    NodeProcess one = nodes.get(node);
    NodeProcess two = nodes.get(other);
    nodes.set(node, one.at(two.port(), two.peerPort(), two.clusterPort()));
    nodes.set(other, two.at(one.port(), one.peerPort(), one.clusterPort()));
  }

  /** Tells all nodes, when they start next, where all of them are now. */
  public void listAnew() {
    String list =
        nodes.stream()
            .map(node -> node.name() + "/" + node.peerPort())
            .collect(Collectors.joining(","));
    nodes.replaceAll(node -> node.with("--cluster", list));
  }

  /**
   * A node that is none of these, with ports of its own and a copy of the folder of one that does
   * not run, or is frozen. It does not run; the caller starts and ends it.
   */
  public NodeProcess copyOf(int node) throws IOException {
    List<Integer> ports = FreePorts.take(3);
    Path copied = folder.resolve("copy-" + ports.get(0));
    Folders.copy(nodes.get(node).data(), copied);
    return nodes.get(node).at(ports.get(0), ports.get(1), ports.get(2)).with("--data", copied);
  }

  /** What stands between the nodes; only of a cluster that was described with one. */
  public PeerNetwork network() {
    return network.orElseThrow(
        () -> new IllegalStateException("this cluster was not started withNetwork()"));
  }

  // ---- what is asked of it ----

  /** How many nodes there are, running or not. */
  public int size() {
    return nodes.size();
  }

  /** A node's ports, folder, process and log. */
  public NodeProcess node(int node) {
    return nodes.get(node);
  }

  /** Indexes of all nodes. */
  public List<Integer> indexes() {
    return IntStream.range(0, nodes.size()).boxed().toList();
  }

  /** A plain connection to a node's client port. */
  public RespConnection connect(int node) throws IOException {
    return nodes.get(node).connect(Duration.ofSeconds(10));
  }

  /** A client that was told of all nodes. */
  public CairnClient.Builder client() {
    return CairnClient.builder().nodes(addresses()).security(nodes.get(0).security());
  }

  /** A client that knows one node only and has it pass everything on. */
  public CairnClient.Builder clientThrough(int node) {
    return CairnClient.builder()
        .nodes(nodes.get(node).name())
        .followTopology(false)
        .security(nodes.get(node).security());
  }

  /** {@code host:port,...} of all nodes, for {@code --nodes}. */
  public String addresses() {
    return nodes.stream().map(NodeProcess::name).collect(Collectors.joining(","));
  }

  /** The port on which a node speaks the cluster protocol of Redis. */
  public int clusterPort(int node) {
    return nodes.get(node).clusterPort();
  }

  /** The status as the node sees it. */
  public Status status(int node) throws IOException {
    return Status.at(nodes.get(node));
  }

  /** The status as the first running node sees it that answers and serves. */
  public Status status() {
    IOException last = null;
    for (NodeProcess node : nodes) {
      if (node.running()) {
        try {
          Status status = Status.at(node);
          if (!status.has("node-closed")) {
            return status;
          }
          last = new IOException(status.problems().get(0).text());
        } catch (IOException next) {
          last = next;
        }
      }
    }
    throw new UncheckedIOException(
        "no node answers", last == null ? new IOException("none runs") : last);
  }

  /** The node that leads a key's partition; waits for there to be one. */
  public int leaderOf(String key) {
    int slot = Slots.of(key.getBytes(StandardCharsets.UTF_8));
    return await("a leader of key " + key)
        .atMost(HEALTHY_MAX)
        .pollInterval(Duration.ofMillis(50))
        .ignoreExceptions()
        .until(() -> indexOf(status().partitionOfSlot(slot).leader()), leader -> leader >= 0);
  }

  /** The nodes that hold a full copy of a key, in ring order. */
  public List<Integer> replicasOf(String key) {
    int slot = Slots.of(key.getBytes(StandardCharsets.UTF_8));
    return status().partitionOfSlot(slot).replicas().stream()
        .map(replica -> indexOf(replica.node()))
        .toList();
  }

  /** The leader of each partition, by the partition's index; -1 where there is none. */
  public List<Integer> leaders() {
    return status().partitionList().stream().map(partition -> indexOf(partition.leader())).toList();
  }

  /**
   * Waits until every running node finds nothing wrong. A problem that has ended is told for five
   * seconds more, and the cluster not called healthy for as long: that is not waited for.
   */
  public void awaitHealthy() {
    awaitStatus(
        "nothing is wrong", status -> status.isWell() && status.nodes().size() == nodes.size());
  }

  /** Waits until every partition has a leader among the running nodes, as each of them sees it. */
  public void awaitLeaders() {
    awaitStatus(
        "a running leader of every partition",
        status ->
            !status.partitionList().isEmpty()
                && status.partitionList().stream()
                    .map(partition -> indexOf(partition.leader()))
                    .allMatch(leader -> leader >= 0 && nodes.get(leader).running()));
  }

  /** Waits until the status is so at every running node. */
  public void awaitStatus(String what, Predicate<Status> condition) {
    Status[] last = new Status[1];
    try {
      await(what)
          .atMost(HEALTHY_MAX)
          .pollInterval(Duration.ofMillis(50))
          .ignoreExceptions()
          .until(
              () -> {
                for (NodeProcess node : nodes) {
                  if (node.running()) {
                    last[0] = Status.at(node);
                    if (!condition.test(last[0])) {
                      return false;
                    }
                  }
                }
                return last[0] != null;
              });
    } catch (ConditionTimeoutException e) {
      throw new IllegalStateException(
          "not within "
              + HEALTHY_MAX.toSeconds()
              + " s: "
              + what
              + ". Running: "
              + indexes().stream().filter(node -> nodes.get(node).running()).toList()
              + ". Last status: "
              + last[0]
              + "\n"
              + logTails(),
          e);
    }
  }

  /** The last lines of each node's log, to be shown when a test fails. */
  public String logTails() {
    StringBuilder text = new StringBuilder();
    for (NodeProcess node : nodes) {
      List<String> lines = node.log().lines().toList();
      text.append("--- node ")
          .append(node.name())
          .append(node.running() ? "" : " (not running)")
          .append(", last lines of its log\n");
      lines
          .subList(Math.max(0, lines.size() - LOG_LINES_SHOWN), lines.size())
          .forEach(line -> text.append(line).append('\n'));
    }
    return text.toString();
  }

  /** The folder under which all that the nodes write lies. */
  Path folder() {
    return folder;
  }

  @Override
  public void close() {
    network.ifPresent(PeerNetwork::close);
    for (NodeProcess node : nodes) {
      if (node.running()) {
        ProcessHandle.of(node.pid()).ifPresent(ProcessHandle::destroyForcibly);
      }
    }
    nodes.stream()
        .filter(NodeProcess::running)
        .forEach(node -> node.awaitEnd(Duration.ofSeconds(30)));
    surroundings.forEach(Surroundings::close);
    try {
      Folders.delete(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private int indexOf(String name) {
    for (int i = 0; i < nodes.size(); i++) {
      if (nodes.get(i).name().equals(name)) {
        return i;
      }
    }
    return -1;
  }

  /** Describes a cluster. */
  public static final class Builder {
    private final int count;
    private final boolean quickStart;
    private boolean withNetwork;
    private Consumer<PeerNetwork> beforeStart = network -> {};
    private final List<String> options = new ArrayList<>();
    private final List<String> javaOptions = new ArrayList<>();
    private final List<Surroundings> surroundings = new ArrayList<>();

    private Builder(int count, boolean quickStart) {
      this.count = count;
      this.quickStart = quickStart;
    }

    /** Options that every node gets: {@code options("--replication-factor", "3")}. */
    public Builder options(String... more) {
      options.addAll(Arrays.asList(more));
      return this;
    }

    /** Options that every node's JVM gets. */
    public Builder javaOptions(String... more) {
      javaOptions.addAll(Arrays.asList(more));
      return this;
    }

    /**
     * As {@link #withNetwork()}.
     *
     * @param links sets what does not pass when the first node starts
     */
    public Builder withNetwork(Consumer<PeerNetwork> links) {
      beforeStart = links;
      return withNetwork();
    }

    /** Puts a {@link PeerNetwork} between the nodes. Needs Linux. */
    public Builder withNetwork() {
      if (quickStart) {
        throw new IllegalStateException("the quick start's nodes know each other by 127.0.0.1");
      }
      withNetwork = true;
      return this;
    }

    /** Puts every node's process there; closed with the cluster. */
    public Builder in(Surroundings around) {
      surroundings.add(around);
      return this;
    }

    /** Starts all nodes and returns when their client ports are open. */
    public ProcessCluster start() {
      for (int tries = 1; ; tries++) {
        ProcessCluster cluster = build();
        try {
          cluster.network.ifPresent(beforeStart);
          cluster.indexes().forEach(node -> cluster.start(node));
          cluster.awaitPorts();
          return cluster;
        } catch (PortTakenException e) {
          cluster.close();
          if (quickStart || tries == PORT_TRIES_MAX) {
            throw e;
          }
        } catch (RuntimeException e) {
          cluster.close();
          throw e;
        }
      }
    }

    private ProcessCluster build() {
      List<Integer> ports = quickStart ? DEFAULT_PORTS : FreePorts.take(3 * count);
      if (quickStart) {
        Stream.of(0, 10_000, 20_000)
            .flatMap(offset -> DEFAULT_PORTS.stream().map(port -> port + offset))
            .filter(port -> !FreePorts.isFree(port))
            .findFirst()
            .ifPresent(
                port -> {
                  throw new IllegalStateException(
                      "port "
                          + port
                          + " is in use on this machine, and the quick start is about the ports"
                          + " 5000 to 5002, 15000 to 15002 and 25000 to 25002: stop what listens"
                          + " there and run the test again");
                });
      }
      Path folder = temporaryFolder();
      List<NodeProcess> nodes = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        nodes.add(quickStart ? quickStartNode(i, folder) : node(i, ports, folder));
      }
      return new ProcessCluster(folder, nodes, withNetwork, List.copyOf(surroundings));
    }

    private NodeProcess quickStartNode(int index, Path folder) {
      int port = DEFAULT_PORTS.get(index);
      return new NodeProcess(
          index,
          LISTEN_HOST,
          port,
          port + 10_000,
          port + 20_000,
          folder,
          options,
          javaOptions,
          surroundings);
    }

    private NodeProcess node(int index, List<Integer> ports, Path folder) {
      List<String> all =
          new ArrayList<>(
              List.of(
                  "--peer-port",
                  Integer.toString(ports.get(count + index)),
                  "--cluster-port",
                  Integer.toString(ports.get(2 * count + index)),
                  "--cluster",
                  IntStream.range(0, count)
                      .mapToObj(i -> host(i) + ":" + ports.get(i) + "/" + ports.get(count + i))
                      .collect(Collectors.joining(","))));
      if (withNetwork) {
        all.addAll(List.of("--host", LISTEN_HOST, "--announce-host", host(index)));
      } else if (!host(index).equals(LISTEN_HOST)) {
        all.addAll(List.of("--host", host(index), "--insecure"));
      }
      all.addAll(options);
      return new NodeProcess(
          index,
          host(index),
          ports.get(index),
          ports.get(count + index),
          ports.get(2 * count + index),
          folder,
          all,
          javaOptions,
          surroundings);
    }

    /** With a network between them each has an address of its own, where the network listens. */
    private String host(int index) {
      return withNetwork
          ? "127.0.0." + (NETWORK_HOST_FIRST + index)
          : surroundings.stream()
              .filter(Surroundings::givesHosts)
              .map(around -> around.host(index))
              .findFirst()
              .orElse(LISTEN_HOST);
    }

    private static Path temporaryFolder() {
      try {
        return Files.createTempDirectory("cairn-cluster-");
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private void awaitPorts() {
    for (NodeProcess node : nodes) {
      try {
        await("client port of node " + node.name())
            .atMost(HEALTHY_MAX)
            .pollInterval(Duration.ofMillis(20))
            .until(() -> !node.running() || answers(node));
      } catch (ConditionTimeoutException e) {
        throw new IllegalStateException("a client port does not open\n" + logTails(), e);
      }
      if (!node.running()) {
        if (node.log().contains("cannot listen") || node.log().contains("port is in use")) {
          throw new PortTakenException(node.log());
        }
        throw new IllegalStateException("a node ended at its start\n" + logTails());
      }
    }
  }

  private static boolean answers(NodeProcess node) {
    try (RespConnection connection = node.connect(Duration.ofSeconds(5))) {
      return RespConnection.text(connection.call("PING")).equals("PONG");
    } catch (IOException notYet) {
      return false;
    }
  }

  /** Somebody took a port between our look and the node's. */
  private static final class PortTakenException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    PortTakenException(String message) {
      super(message);
    }
  }
}

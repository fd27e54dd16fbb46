// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.client.Address;
import dev.cairn.client.CairnClient;
import dev.cairn.client.CairnException;
import dev.cairn.protocol.Topology;
import dev.cairn.tools.Pairs.Pair;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * The demo's story: start, PUT/GET/DELETE, a real file, a node killed while writing, its return,
 * and the check that nothing acknowledged is lost. Every step that must hold is counted.
 */
final class DemoTour {
  private static final Duration DEADLINE = Duration.ofSeconds(10);
  private static final long BEFORE_KILL_MILLIS = 1500;
  private static final long AFTER_FAILOVER_MILLIS = 1000;
  private static final long POLL_MILLIS = 100;
  private static final Duration POLL_DEADLINE = Duration.ofSeconds(1);
  private static final long TELL_NANOS_MIN = TimeUnit.SECONDS.toNanos(1);

  /** The cluster did not become healthy in time, or a node ended by itself. */
  static final class NotStartedException extends Exception {
    private static final long serialVersionUID = 1L;

    NotStartedException(String message) {
      super(message);
    }
  }

  private final DemoCluster cluster;
  private final PrintStream out;
  private final boolean plantLostWrite;
  private final long startNanosMax;
  private final DemoRecord record = new DemoRecord();
  private int brokenPromises;
  private int titles;
  private double failoverSeconds;

  /**
   * A tour.
   *
   * @param plantLostWrite counts one write as acknowledged that was never sent: the check must
   *     notice
   * @param startTimeout how long the cluster may take to become healthy
   */
  DemoTour(DemoCluster cluster, PrintStream out, boolean plantLostWrite, Duration startTimeout) {
    this.cluster = cluster;
    this.out = out;
    this.plantLostWrite = plantLostWrite;
    startNanosMax = startTimeout.toNanos();
  }

  /** Goes through all steps; whether every check held. */
  boolean run() throws IOException, InterruptedException, NotStartedException {
    try (CairnClient client = client().deadline(DEADLINE).build()) {
      form();
      converse();
      load(client);
      if (plantLostWrite) {
        record.acknowledged(bytes("never sent"), bytes("never sent"));
      }
      int victim = failOver(client);
      comeBack(victim);
      check();
    }
    summary();
    return brokenPromises == 0;
  }

  private void form() throws IOException, InterruptedException, NotStartedException {
    title("Three nodes become one cluster");
    long startNanos = System.nanoTime();
    for (Address node : cluster.nodes()) {
      cluster.start(node.port());
      out.println("Starting " + Printed.node(node) + ", log in " + cluster.log(node.port()));
    }
    StatusDocument status = awaitHealthy();
    out.printf(
        Locale.ROOT,
        "Healthy after %.1f s: %d partitions, %d copies of each.%n",
        seconds(startNanos),
        status.partitions(),
        status.replicationFactor());
    status.nodes().forEach(node -> out.println(role(node)));
  }

  private static String role(StatusDocument.Node node) {
    return String.format(
        Locale.ROOT,
        "%s leads %d partitions, holds %d copies, is witness of %d",
        Printed.node(node.name()),
        node.leads(),
        node.replicas(),
        node.witnesses());
  }

  private void converse() {
    title("PUT, GET, DELETE, as the shell prints them");
    try (Session session = session()) {
      say("PUT mykey myvalue");
      promise(session.put(bytes("mykey"), bytes("myvalue")) == ExitStatus.DONE, "PUT answers OK");
      say("GET mykey");
      promise(session.get(bytes("mykey")) == ExitStatus.DONE, "GET finds the value");
      say("DELETE mykey");
      promise(session.delete(bytes("mykey")) == ExitStatus.DONE, "DELETE answers OK");
      say("GET mykey");
      promise(session.get(bytes("mykey")) == ExitStatus.NOT_FOUND, "GET finds nothing any more");
    }
  }

  private void load(CairnClient client) throws IOException, InterruptedException {
    title("A real file: names and descriptions of Debian packages");
    Loader loader =
        new Loader(
            client,
            new Loader.Options(256, 0, true, TimeUnit.SECONDS.toNanos(30)),
            Clock.systemUTC(),
            new Loader.Listener() {
              @Override
              public void stored(Pair pair) {
                record.acknowledged(pair.key(), pair.value());
              }

              @Override
              public void failed(long lineNumber, String why) {
                out.println("line " + lineNumber + ": " + why);
              }

              @Override
              public void unknown(Pair pair, String why) {
                record.unknown(pair.key(), pair.value());
              }
            });
    long startNanos = System.nanoTime();
    try (InputStream file = DemoTour.class.getResourceAsStream("packages.tsv.gz");
        PairReader reader = new PairReader(file, PairReader.Format.TSV)) {
      loader.run(reader, 0);
    }
    double seconds = seconds(startNanos);
    out.printf(
        Locale.ROOT,
        "Stored %,d, failed %,d, unknown %,d in %.1f s (%,.0f/s), each on the disks of a majority.%n",
        loader.stored(),
        loader.failed(),
        loader.unknown(),
        seconds,
        loader.stored() / seconds);
    promise(
        loader.failed() + loader.unknown() + loader.malformed() == 0, "every pair of it is stored");
  }

  /** Kills the node that leads the most while writing; its port. */
  private int failOver(CairnClient client) throws InterruptedException {
    Topology topology = client.topology();
    String victimId = busiest(topology);
    Topology.Node victim = topology.node(victimId).orElseThrow();
    List<Topology.Partition> led =
        topology.partitions().stream()
            .filter(partition -> partition.leaderId().equals(Optional.of(victimId)))
            .toList();
    title("A node dies while we write");
    DemoWriters writers = new DemoWriters(client, topology, record);
    writers.start();
    try {
      Thread.sleep(BEFORE_KILL_MILLIS);
      out.printf(
          Locale.ROOT,
          "Writing to all %d partitions. SIGKILL to %s, which leads %d of them.%n",
          topology.partitions().size(),
          Printed.node(victim.name()),
          led.size());
      writers.mark();
      cluster.kill(victim.clientPort());
      long startNanos = System.nanoTime();
      while (!writers.allSucceededSinceMark()
          && System.nanoTime() - startNanos < TimeUnit.SECONDS.toNanos(30)) {
        Thread.sleep(POLL_MILLIS);
      }
      boolean recovered = writers.allSucceededSinceMark();
      Thread.sleep(AFTER_FAILOVER_MILLIS);
      pauses(writers, topology, led);
      promise(recovered, "with two of three nodes every partition takes writes");
    } finally {
      writers.stop();
    }
    out.printf(Locale.ROOT, "Acknowledged so far: %,d writes.%n", record.acknowledged());
    return victim.clientPort();
  }

  private void pauses(DemoWriters writers, Topology topology, List<Topology.Partition> led) {
    long longest = 0;
    for (Topology.Partition partition : led) {
      long pause = writers.longestPauseNanos(partition.index());
      longest = Math.max(longest, pause);
      out.printf(
          Locale.ROOT,
          "Partition %d, which it led: no write succeeded for %.2f s.%n",
          partition.index(),
          pause / 1e9);
    }
    long others =
        topology.partitions().stream()
            .filter(partition -> !led.contains(partition))
            .mapToLong(partition -> writers.longestPauseNanos(partition.index()))
            .max()
            .orElse(0);
    out.printf(
        Locale.ROOT,
        "The other partitions went on, their longest pause was %.2f s."
            + " %,d writes were acknowledged since the kill.%n",
        others / 1e9,
        writers.successesSinceMark());
    failoverSeconds = longest / 1e9;
  }

  private void comeBack(int victim) throws IOException, InterruptedException {
    title("It comes back");
    long startNanos = System.nanoTime();
    cluster.start(victim);
    boolean healthy = true;
    try {
      awaitHealthy();
      out.printf(
          Locale.ROOT,
          "%s was started again on its own data; the cluster is healthy after %.1f s.%n",
          Printed.node(new Address("127.0.0.1", victim)),
          seconds(startNanos));
    } catch (NotStartedException late) {
      out.println(late.getMessage());
      healthy = false;
    }
    promise(healthy, "a node that was killed comes back by itself");
  }

  private void check() {
    title("Every acknowledged write, byte for byte, through each node");
    for (Address node : cluster.nodes()) {
      DemoCheck.Outcome outcome = DemoCheck.through(node, cluster.security(), record);
      out.printf(
          Locale.ROOT,
          "%s has %,d of %,d as acknowledged%n",
          Printed.node(node),
          outcome.held(),
          record.acknowledged());
      outcome.complaints().forEach(complaint -> out.println("  " + complaint));
      promise(outcome.wrong() == 0, Printed.node(node) + " answers with what was acknowledged");
    }
    if (record.unknown() > 0) {
      out.printf(
          Locale.ROOT,
          "%,d writes were in flight when the node died and were reported as unknown: each is there"
              + " whole or not at all.%n",
          record.unknown());
    }
  }

  private void summary() {
    out.println();
    if (brokenPromises == 0) {
      out.printf(
          Locale.ROOT,
          "All checks held: %,d acknowledged writes, a node killed, none lost;"
              + " writes paused for %.2f s.%n",
          record.acknowledged(),
          failoverSeconds);
    } else {
      out.println("FAILED: " + brokenPromises + " of the checks above did not hold.");
    }
  }

  private StatusDocument awaitHealthy() throws InterruptedException, NotStartedException {
    try (CairnClient client = client().deadline(POLL_DEADLINE).build()) {
      return awaitHealthy(client);
    }
  }

  private StatusDocument awaitHealthy(CairnClient client)
      throws InterruptedException, NotStartedException {
    long startNanos = System.nanoTime();
    long toldNanos = startNanos;
    String told = "";
    String last = "";
    while (System.nanoTime() - startNanos < startNanosMax) {
      Optional<Integer> dead = cluster.dead();
      if (dead.isPresent()) {
        throw new NotStartedException("The node on port " + dead.get() + " ended by itself.");
      }
      try {
        StatusDocument status = StatusDocument.parse(client.status());
        if (status.healthy()) {
          return status;
        }
        last = status.problems().isEmpty() ? "not healthy yet" : status.problems().get(0).text();
      } catch (CairnException notYet) {
        last = "waiting for the nodes to answer";
      }
      if (!last.equals(told) && System.nanoTime() - toldNanos > TELL_NANOS_MIN) {
        out.printf(Locale.ROOT, "  %.0f s: %s%n", seconds(startNanos), last);
        told = last;
        toldNanos = System.nanoTime();
      }
      Thread.sleep(POLL_MILLIS);
    }
    throw new NotStartedException(
        String.format(
            Locale.ROOT, "The cluster is not healthy after %.0f s: %s", seconds(startNanos), last));
  }

  private static String busiest(Topology topology) {
    Map<String, Integer> leads = new TreeMap<>();
    for (Topology.Partition partition : topology.partitions()) {
      partition.leaderId().ifPresent(leader -> leads.merge(leader, 1, Integer::sum));
    }
    return leads.entrySet().stream()
        .max(Comparator.comparing(Map.Entry::getValue))
        .orElseThrow()
        .getKey();
  }

  private CairnClient.Builder client() {
    return CairnClient.builder().nodes(cluster.nodes()).security(cluster.security());
  }

  private Session session() {
    return new Session(
        client().deadline(DEADLINE),
        cluster.nodes(),
        DEADLINE,
        cluster.security(),
        out::println,
        out::println);
  }

  private void title(String text) {
    out.println();
    out.println(++titles + ". " + text);
  }

  private void say(String line) {
    out.println("> " + line);
  }

  private void promise(boolean holds, String what) {
    if (!holds) {
      brokenPromises++;
      out.println("CHECK FAILED: " + what);
    }
  }

  private static double seconds(long startNanos) {
    return (System.nanoTime() - startNanos) / 1e9;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.failover;

import dev.cairn.client.CairnClient;
import dev.cairn.client.CairnException;
import dev.cairn.protocol.Slots;
import dev.cairn.testkit.Availability;
import dev.cairn.testkit.ProcessCluster;
import dev.cairn.testkit.Status;
import dev.cairn.testkit.network.PeerNetwork.Link;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Measures the longest time without a successful write in any partition when a node is lost. All
 * partitions are written to all the while, through clients as anybody has them; etcd stands beside
 * it, fails in turn with it, and is written to at the same pace.
 */
@Command(
    name = "failover",
    mixinStandardHelpOptions = true,
    description = "Time without a successful write when a node is lost; etcd beside it.",
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {"0:measured", "1:leaders changed without a cause"})
public final class FailoverCommand implements Callable<Integer> {
  /** With both compilers, unlike nodes in tests. */
  private static final String AS_SHIPPED = "-XX:TieredStopAtLevel=4";

  private static final int WRITERS_A_PARTITION = 2;
  private static final int FULL_LOAD_WRITERS = 64;
  private static final long SETTLE_MILLIS = 1_000;
  private static final long ON_ITS_WAY_MILLIS = 300;
  private static final long BEHIND_MILLIS = 500;
  private static final long FROZEN_MILLIS = 4_000;

  @Option(
      names = "--tries",
      paramLabel = "N",
      defaultValue = "20",
      description =
          "Of each kind; a quarter as many through the witness come besides (default: 20).")
  private int tries;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Of which node dies.")
  private long seed;

  @Option(
      names = "--only",
      paramLabel = "KIND",
      description =
          "Only this kind of loss, --tries of it: killed, witness, frozen or isolated; nothing of etcd.")
  private Kind only;

  @Option(names = "--no-etcd", description = "Measure Cairn alone.")
  private boolean noEtcd;

  @Option(
      names = "--etcd-port",
      paramLabel = "PORT",
      defaultValue = "6310",
      description = "First of six ports in a row for etcd (default: 6310).")
  private int etcdPort;

  @Option(
      names = "--load-minutes",
      paramLabel = "N",
      defaultValue = "0",
      description = "Then full load for so long, counting elections (default: 0, none).")
  private double loadMinutes;

  private final Row killed = new Row("Cairn: SIGKILL of any node");
  private final Row throughWitness = new Row("Cairn: SIGKILL, only the witness can win");
  private final Row frozen = new Row("Cairn: SIGSTOP of a leader");
  private final Row isolated = new Row("Cairn: full partition of a leader");
  private final Row etcdKilled = new Row("etcd: SIGKILL of any node");
  private final Row etcdLeaderKilled = new Row("etcd: of these, the leader");

  /** What {@code --only} knows. */
  enum Kind {
    killed,
    witness,
    frozen,
    isolated
  }

  /** One kind of loss. */
  private record Row(String what, List<Long> nanos) {
    Row(String what) {
      this(what, new ArrayList<>());
    }

    @Override
    public String toString() {
      if (nanos.isEmpty()) {
        return "| %s | 0 | | |".formatted(what);
      }
      List<Long> sorted = nanos.stream().sorted().toList();
      return String.format(
          "| %s | %d | %.2f s | %.2f s |",
          what,
          sorted.size(),
          sorted.get(sorted.size() / 2) / 1e9,
          sorted.get(sorted.size() - 1) / 1e9);
    }
  }

  /** Runs it. */
  public static void main(String[] arguments) {
    System.exit(new CommandLine(new FailoverCommand()).execute(arguments));
  }

  @Override
  public Integer call() throws IOException {
    Random random = new Random(seed);
    int status = 0;
    try (ProcessCluster cluster =
        ProcessCluster.of(3).withNetwork().javaOptions(AS_SHIPPED).start()) {
      cluster.awaitHealthy();
      measureCairn(cluster, random);
      if (!noEtcd && only == null) {
        measureEtcd(random);
      }
      if (loadMinutes > 0) {
        status = countElections(cluster);
      }
    }
    System.out.println("\n| lost | tries | without a write, median | worst |\n|---|---|---|---|");
    List.of(killed, throughWitness, frozen, isolated, etcdKilled, etcdLeaderKilled)
        .forEach(System.out::println);
    return status;
  }

  // ---- Cairn ----

  private void measureCairn(ProcessCluster cluster, Random random) {
    List<Status.Partition> partitions = cluster.status().partitionList();
    List<String> keys = partitions.stream().map(FailoverCommand::keyOf).toList();
    Availability availability = new Availability(partitions.size(), System::nanoTime);
    List<CairnClient> clients = new ArrayList<>();
    try (Writers writers = new Writers()) {
      for (int i = 0; i < WRITERS_A_PARTITION * keys.size(); i++) {
        int partition = i % keys.size();
        CairnClient client = cluster.client().build();
        clients.add(client);
        writers.add(() -> put(client, keys.get(partition), partition, availability), true);
      }
      for (int i = 0; i < tries; i++) {
        if (is(Kind.killed, true)) {
          kill(cluster, availability, random.nextInt(cluster.size()));
        }
        if (is(Kind.witness, i % 4 == 0)) {
          killWhileBehind(cluster, availability, keys.get(random.nextInt(keys.size())));
        }
        if (is(Kind.frozen, i % 2 == 0)) {
          freeze(cluster, availability, cluster.leaderOf(keys.get(random.nextInt(keys.size()))));
        }
        if (is(Kind.isolated, i % 2 == 0)) {
          isolate(cluster, availability, cluster.leaderOf(keys.get(random.nextInt(keys.size()))));
        }
      }
    } finally {
      clients.forEach(CairnClient::close);
    }
  }

  private boolean is(Kind kind, boolean itsTurn) {
    return only == null ? itsTurn : only == kind;
  }

  private static String keyOf(Status.Partition partition) {
    for (int i = 0; ; i++) {
      int slot = Slots.of(("key" + i).getBytes(StandardCharsets.UTF_8));
      if (partition.firstSlot() <= slot && slot <= partition.lastSlot()) {
        return "key" + i;
      }
    }
  }

  private static boolean put(
      CairnClient client, String key, int partition, Availability availability) {
    try {
      client.put(key, "value");
      availability.acknowledged(partition);
      return true;
    } catch (CairnException notThisTime) {
      return false;
    }
  }

  private void kill(ProcessCluster cluster, Availability availability, int node) {
    availability.begin();
    cluster.kill(node);
    awaitWrites(availability);
    record(killed, availability, "node " + node);
    cluster.start(node);
    settle(cluster);
  }

  /**
   * The other replica of a key hears nothing of its leader for a moment; then the leader dies. Only
   * the witness has what was acknowledged meanwhile.
   */
  private void killWhileBehind(ProcessCluster cluster, Availability availability, String key) {
    int leader = cluster.leaderOf(key);
    int other =
        cluster.replicasOf(key).stream()
            .filter(replica -> replica != leader)
            .findFirst()
            .orElseThrow();
    int witness = cluster.size() - leader - other;
    long before = handOvers(cluster, witness);
    cluster.network().setBoth(leader, other, Link.CUT);
    pause(BEHIND_MILLIS);
    availability.begin();
    cluster.kill(leader);
    cluster.network().heal();
    awaitWrites(availability);
    boolean forced = handOvers(cluster, witness) > before;
    if (forced) {
      record(throughWitness, availability, "node " + leader);
    } else {
      System.out.println("the witness did not have to lead");
    }
    cluster.start(leader);
    settle(cluster);
  }

  private static long handOvers(ProcessCluster cluster, int node) {
    return cluster
        .node(node)
        .log()
        .lines()
        .filter(line -> line.contains("the witness leads"))
        .count();
  }

  private void freeze(ProcessCluster cluster, Availability availability, int node) {
    availability.begin();
    cluster.pause(node);
    try {
      awaitWrites(availability);
      record(frozen, availability, "node " + node);
      pause(FROZEN_MILLIS);
    } finally {
      cluster.resume(node);
    }
    settle(cluster);
  }

  private void isolate(ProcessCluster cluster, Availability availability, int node) {
    availability.begin();
    cluster.indexes().stream()
        .filter(other -> other != node)
        .forEach(other -> cluster.network().setBoth(node, other, Link.HOLD));
    awaitWrites(availability);
    record(isolated, availability, "node " + node);
    cluster.network().heal();
    settle(cluster);
  }

  /** What was on its way to a client when the node was lost must not pass for the recovery. */
  private static void awaitWrites(Availability availability) {
    pause(ON_ITS_WAY_MILLIS);
    availability.awaitWriteToEach();
  }

  private static void record(Row row, Availability availability, String what) {
    long nanos = availability.worstNanos();
    row.nanos().add(nanos);
    System.out.printf("%s, %s: %.2f s%n", row.what(), what, nanos / 1e9);
  }

  /** Healthy, and leaders where they belong: else the next try would measure this one. */
  private static void settle(ProcessCluster cluster) {
    pause(SETTLE_MILLIS);
    cluster.awaitHealthy();
    pause(SETTLE_MILLIS);
  }

  // ---- etcd ----

  private void measureEtcd(Random random) throws IOException {
    Path folder = Files.createTempDirectory("cairn-etcd-");
    Availability availability = new Availability(1, System::nanoTime);
    try (EtcdCluster etcd = new EtcdCluster(folder, etcdPort);
        Writers writers = new Writers()) {
      for (int i = 0; i < 12; i++) {
        int first = i;
        int[] next = {first};
        writers.add(
            () -> {
              boolean done = etcd.put(next[0] % 3, "key" + first, "value");
              if (done) {
                availability.acknowledged(0);
              } else {
                next[0]++; // as etcd's own clients do
              }
              return done;
            },
            true);
      }
      for (int i = 0; i < tries; i++) {
        int node = random.nextInt(3);
        boolean leads = etcd.leader() == node;
        pause(SETTLE_MILLIS);
        availability.begin();
        etcd.kill(node);
        availability.awaitWriteToEach();
        // A follower's death shows nothing at once, a leader's after the election.
        pause(SETTLE_MILLIS);
        record(etcdKilled, availability, "node " + node + (leads ? " (leader)" : ""));
        if (leads) {
          etcdLeaderKilled.nanos().add(availability.worstNanos());
        }
        etcd.start(node);
      }
    } finally {
      System.out.println("etcd's data and logs: " + folder);
    }
  }

  // ---- elections without a cause ----

  private int countElections(ProcessCluster cluster) {
    settle(cluster);
    long before = terms(cluster);
    long acknowledged;
    List<CairnClient> clients = new ArrayList<>();
    try (Writers writers = new Writers()) {
      for (int i = 0; i < FULL_LOAD_WRITERS; i++) {
        CairnClient client = cluster.client().build();
        clients.add(client);
        int[] count = {i};
        writers.add(
            () -> {
              try {
                client.put("load" + (count[0] += 7) % 100_000, "value");
                return true;
              } catch (CairnException notThisTime) {
                return false;
              }
            },
            false);
      }
      pause(Duration.ofMillis((long) (loadMinutes * 60_000)).toMillis());
      acknowledged = writers.acknowledged();
    } finally {
      clients.forEach(CairnClient::close);
    }
    long elections = terms(cluster) - before;
    System.out.printf(
        "%.1f minutes of full load, %,d writes: %d elections%n",
        loadMinutes, acknowledged, elections);
    return elections == 0 ? 0 : 1;
  }

  private static long terms(ProcessCluster cluster) {
    return cluster.status().partitionList().stream().mapToLong(Status.Partition::term).sum();
  }

  private static void pause(long millis) {
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
  }
}

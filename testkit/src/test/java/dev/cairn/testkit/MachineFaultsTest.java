// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.testkit.Observation.Outcome;
import dev.cairn.testkit.fault.Fault;
import dev.cairn.testkit.fault.MachineFaults;
import dev.cairn.testkit.fault.Namespaces;
import dev.cairn.testkit.fault.WallClocks;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Networks of iptables and clocks of libfaketime; what clients saw is linearizable. */
@Tag("faults")
@Timeout(240)
class MachineFaultsTest {
  private static final List<String> KEYS = List.of("mykey", "b", "c");
  private static final long FAULT_NANOS = TimeUnit.SECONDS.toNanos(3);

  @RegisterExtension final Clusters clusters = Clusters.ofEachTest();

  @Test
  void partitionsAndLostPacketsConfuseNobody() {
    Namespaces network = Namespaces.of(3);
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3).in(network));
    undergo(
        cluster,
        List.of(
            MachineFaults.isolated(network),
            MachineFaults.unheard(network),
            MachineFaults.bridge(network),
            MachineFaults.packetLoss(network)));
  }

  @Test
  void wallClocksThatJumpByHoursConfuseNobody() {
    WallClocks clocks = WallClocks.right();
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3).in(clocks));
    Random random = new Random(1);
    List<Fault> jumps = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      jumps.add(MachineFaults.clockJump(clocks, random));
    }
    undergo(cluster, jumps);
    // The clock was wrong indeed: the node's log is stamped with it.
    clocks.set(0, Duration.ofHours(5));
    cluster.stop(0);
    cluster.start(0);
    cluster.awaitHealthy();
    String hour = Instant.now().plus(Duration.ofHours(5)).toString().substring(0, 13);
    String next = Instant.now().plus(Duration.ofHours(6)).toString().substring(0, 13);
    assertThat(cluster.node(0).log().lines())
        .anyMatch(line -> line.startsWith(hour) || line.startsWith(next));
  }

  private static void undergo(ProcessCluster cluster, List<Fault> faults) {
    History history = new History();
    List<RegisterClient> clients = new ArrayList<>();
    for (int node : cluster.indexes()) {
      clients.add(RegisterClient.of(cluster.client().build()));
      clients.add(RegisterClient.of(cluster.clientThrough(node).build()));
    }
    long seed = System.nanoTime();
    Contention.during(
        history,
        clients,
        KEYS,
        seed,
        () -> {
          for (Fault fault : faults) {
            int leader = cluster.leaderOf(KEYS.get(0));
            fault.begin(cluster, leader);
            LockSupport.parkNanos(FAULT_NANOS);
            goOn(history);
            fault.heal(cluster, leader);
            cluster.awaitHealthy();
          }
        });
    System.out.printf(
        "machine faults: %d ok, %d failed, %d unknown, seed %d%n",
        history.count(Outcome.OK),
        history.count(Outcome.FAILED),
        history.count(Outcome.UNKNOWN),
        seed);
    assertThat(Linearizability.check(history.operations())).isEmpty();
  }

  private static void goOn(History history) {
    long until = history.count(Outcome.OK) + 100;
    await("the clients to go on")
        .atMost(Duration.ofSeconds(60))
        .until(() -> history.count(Outcome.OK) >= until);
  }
}

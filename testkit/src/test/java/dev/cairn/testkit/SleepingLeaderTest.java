// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.testkit.Observation.Outcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Whoever changes voters sleeps in the middle of it: the leader of a partition, and on one of the
 * two nodes the controller. It wakes up with what it had in mind before.
 */
@Tag("long")
class SleepingLeaderTest {
  private static final List<String> KEYS = List.of("mykey", "b", "c");
  private static final long ASLEEP_NANOS = TimeUnit.SECONDS.toNanos(3);

  @RegisterExtension final Clusters clusters = Clusters.ofEachTest();

  @Test
  @Timeout(300)
  void historiesAreLinearizableWhenTheLeaderSleepsWhileItsVotersChange() {
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3));
    History history = new History();
    List<RegisterClient> clients = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      int node = i;
      clients.add(RegisterClient.of(cluster.client().build()));
      clients.add(RegisterClient.plain(() -> cluster.node(node)));
    }
    Contention.during(
        history,
        clients,
        KEYS,
        System.nanoTime(),
        () -> {
          for (int replaced : List.of(1, 2)) {
            changeVotersWhileOthersSleep(cluster, replaced);
          }
        });
    assertThat(Linearizability.check(history.operations())).isEmpty();
    assertThat(history.count(Outcome.OK)).isGreaterThan(50);
  }

  /** The others take in the node's empty disk; each of them falls asleep over it. */
  private static void changeVotersWhileOthersSleep(ProcessCluster cluster, int replaced) {
    cluster.kill(replaced);
    cluster.wipe(replaced);
    cluster.start(replaced);
    for (int other : cluster.indexes()) {
      if (other != replaced) {
        long changesBefore = changes(cluster, other);
        await("a change of voters on node " + other + ", or all of them to be over")
            .atMost(Duration.ofSeconds(60))
            .until(() -> changes(cluster, other) > changesBefore || healthy(cluster));
        cluster.pause(other);
        try {
          LockSupport.parkNanos(ASLEEP_NANOS);
        } finally {
          cluster.resume(other);
        }
      }
    }
    cluster.awaitHealthy();
  }

  private static long changes(ProcessCluster cluster, int node) {
    return cluster
        .node(node)
        .log()
        .lines()
        .filter(line -> line.contains("voters change from"))
        .count();
  }

  private static boolean healthy(ProcessCluster cluster) {
    try {
      return cluster.status().healthy();
    } catch (RuntimeException notNow) {
      return false;
    }
  }
}

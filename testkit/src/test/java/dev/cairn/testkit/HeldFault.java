// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.client.CairnClient;
import dev.cairn.client.CairnException;
import dev.cairn.protocol.Slots;
import dev.cairn.testkit.fault.Fault;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A fault of one node that lasts, under load, and then the loss of another node: no outage, unless
 * each of the others had said before that they cannot lose one.
 */
final class HeldFault {
  private static final int FAULTY = 2;
  private static final int VICTIM = 1;
  private static final int WITNESS = 0; // who is left, and tells
  private static final int PAIRS_PER_SECOND = 200;
  private static final Duration OUTAGE = Duration.ofSeconds(10);

  private final ProcessCluster cluster;
  private final Fault fault;

  HeldFault(ProcessCluster cluster, Fault fault) {
    this.cluster = cluster;
    this.fault = fault;
  }

  /** What was said of the cluster before the kill, and whether it was an outage. */
  record Outcome(boolean warned, boolean outage, List<Status> said) {}

  /** Holds the fault, kills, heals, and compares all that was acknowledged with what is there. */
  Outcome run(Duration hold) {
    Map<Integer, String> keys = keyOfEachPartition();
    CairnClient client = cluster.client().deadline(Duration.ofSeconds(5)).build();
    try (SteadyLoad load = SteadyLoad.start(client, Pairs.packages(), PAIRS_PER_SECOND)) {
      load.awaitProgress(PAIRS_PER_SECOND);
      fault.begin(cluster, FAULTY);
      List<Status> said = hold(hold);
      cluster.kill(VICTIM);
      boolean outage = !allAreWritten(keys);
      fault.heal(cluster, FAULTY);
      cluster.start(VICTIM);
      cluster.awaitHealthy();
      load.finish();
      try (CairnClient reader = cluster.client().deadline(Duration.ofSeconds(20)).build()) {
        assertThat(load.differences(reader)).isEmpty();
      }
      boolean warned = said.stream().allMatch(one -> !one.healthy() && one.canLose() == 0);
      return new Outcome(warned, outage, said);
    }
  }

  /** Looks at status all the while; returns what the two good nodes said last. */
  private List<Status> hold(Duration hold) {
    List<Status> last = new ArrayList<>();
    long began = System.nanoTime();
    await("the time of the fault")
        .atMost(hold.plusSeconds(30))
        .pollInterval(Duration.ofMillis(200))
        .until(
            () -> {
              last.clear();
              last.add(cluster.status(WITNESS));
              last.add(cluster.status(VICTIM));
              return System.nanoTime() - began >= hold.toNanos();
            });
    return List.copyOf(last);
  }

  /** Whether each partition takes a write before it is called an outage. */
  private boolean allAreWritten(Map<Integer, String> keys) {
    try (CairnClient client = cluster.client().deadline(OUTAGE).build()) {
      for (String key : keys.values()) {
        client.put(key, "after the kill");
      }
      return true;
    } catch (CairnException notWritten) {
      return false;
    }
  }

  private Map<Integer, String> keyOfEachPartition() {
    Status status = cluster.status();
    Map<Integer, String> keys = new TreeMap<>();
    for (int i = 0; keys.size() < status.partitionList().size(); i++) {
      String key = "held-" + i;
      int slot = Slots.of(key.getBytes(StandardCharsets.UTF_8));
      keys.putIfAbsent(status.partitionOfSlot(slot).index(), key);
    }
    return keys;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.consensus.simulation.OtherProcess;
import dev.cairn.consensus.simulation.Simulation;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Runs clusters under faults in simulated time; each seed is one run. One again: {@code
 * -Dcairn.simulation.first=SEED -Dcairn.simulation.seeds=1}. Many: {@code Seeds}.
 */
class SimulationTest {
  private static final int SEEDS = Integer.getInteger("cairn.simulation.seeds", 200);
  private static final int STEPS = Integer.getInteger("cairn.simulation.steps", 20_000);
  private static final long FIRST = Long.getLong("cairn.simulation.first", 1);

  @Test
  @Timeout(value = 10, unit = TimeUnit.MINUTES) // a loaded machine is no failure
  void nothingHappensThatMayNot() {
    Map<String, Long> seen = new TreeMap<>();
    for (long seed = FIRST; seed < FIRST + SEEDS; seed++) {
      Simulation.run(seed, STEPS).counters().forEach((what, n) -> seen.merge(what, n, Long::sum));
    }
    if (SEEDS >= 200) {
      // A simulator that never comes to these finds nothing there.
      assertThat(seen)
          .containsKeys(
              "appends of several groups",
              "changes of members",
              "changes refused: BEHIND",
              "changes stopped by the fence",
              "configurations truncated",
              "cuts",
              "disks lost",
              "entries acknowledged",
              "entries loaded",
              "joint configurations inherited",
              "kills",
              "leaders frozen while they asked",
              "leaders asked that were replaced",
              "learners that began to vote",
              "members that came back to a node",
              "moves done",
              "nodes lost while groups slept",
              "reads answered",
              "replicas that led",
              "rounds with groups that sleep",
              "snapshots installed",
              "sources of snapshots killed",
              "transfers",
              "voters killed after a vote",
              "witness dropped entries",
              "witness logs cut",
              "witness logs cut past what a replica has",
              "witnesses that led");
    }
  }

  @Test
  void oneSeedIsOneRunInAnotherProcessToo() throws Exception {
    for (long seed : new long[] {7, 11, 300}) {
      assertThat(OtherProcess.hash(PrintHash.class, seed))
          .isEqualTo(Simulation.run(seed, 5000).hash());
    }
    assertThat(Simulation.run(7, 5000).hash()).isNotEqualTo(Simulation.run(8, 5000).hash());
  }

  /** Prints the hash of a seed's run. */
  static final class PrintHash {
    private PrintHash() {}

    public static void main(String[] arguments) {
      System.out.println(Simulation.run(Long.parseLong(arguments[0]), 5000).hash());
    }
  }
}

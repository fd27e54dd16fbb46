// SPDX-License-Identifier: Apache-2.0
package dev.cairn.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.consensus.simulation.OtherProcess;
import dev.cairn.consensus.simulation.Simulation;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongFunction;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Clusters under faults, in simulated time, with the state that ships on the twin of its database,
 * beside plain maps; each seed is one run. One again: {@code -Dcairn.simulation.first=SEED
 * -Dcairn.simulation.seeds=1}. Many: {@link ShippedStates#main}.
 */
class ShippedStatesTest {
  private static final int SEEDS = Integer.getInteger("cairn.simulation.seeds", 150);
  private static final int STEPS = Integer.getInteger("cairn.simulation.steps", 2_000);
  private static final long FIRST = Long.getLong("cairn.simulation.first", 1);
  private static final int LONG_SEEDS = 60;
  private static final int LONG_STEPS = 20_000;
  private static final int SEEDS_WITH_LOGS = 30;
  private static final int STEPS_WITH_LOGS = 5_000;

  @Test
  @Timeout(value = 10, unit = TimeUnit.MINUTES) // a loaded machine is no failure
  void everyAnswerIsThePlainMaps() {
    Map<String, Long> seen = run(SEEDS, seed -> ShippedStates.run(seed, STEPS));
    if (SEEDS >= 100) {
      assertThat(seen).containsKeys("crashes in a flush", "flushes", "installs", "reads answered");
    }
  }

  @Test
  @Tag("nightly")
  @Timeout(value = 14, unit = TimeUnit.MINUTES)
  void soItIsInLongRuns() {
    assertThat(run(LONG_SEEDS, seed -> ShippedStates.run(seed, LONG_STEPS)))
        .containsKeys("crashes in a flush", "moves done", "snapshots installed");
  }

  @Test
  @Tag("nightly")
  @Timeout(value = 14, unit = TimeUnit.MINUTES)
  void soItIsWithTheLogThatShips() {
    assertThat(run(SEEDS_WITH_LOGS, seed -> ShippedStates.runWithLogs(seed, STEPS_WITH_LOGS)))
        .containsKeys("crashes in a flush", "segments copied", "snapshots installed");
  }

  private static Map<String, Long> run(int seeds, LongFunction<Simulation.Outcome> running) {
    Map<String, Long> seen = new TreeMap<>();
    for (long seed = FIRST; seed < FIRST + seeds; seed++) {
      running.apply(seed).counters().forEach((what, n) -> seen.merge(what, n, Long::sum));
    }
    return seen;
  }

  @Test
  void oneSeedIsOneRunInAnotherProcessToo() throws Exception {
    assertThat(OtherProcess.hash(PrintHash.class, 7)).isEqualTo(ShippedStates.run(7, 2000).hash());
    assertThat(ShippedStates.run(7, 2000).hash()).isNotEqualTo(ShippedStates.run(8, 2000).hash());
  }

  /** Prints the hash of a seed's run. */
  static final class PrintHash {
    private PrintHash() {}

    public static void main(String[] arguments) {
      System.out.println(ShippedStates.run(Long.parseLong(arguments[0]), 2000).hash());
    }
  }
}

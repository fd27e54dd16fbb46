// SPDX-License-Identifier: Apache-2.0
package dev.cairn.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.consensus.simulation.OtherProcess;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Clusters under faults, in simulated time, with the log that ships on a simulated disk; each seed
 * is one run. One again: {@code -Dcairn.simulation.first=SEED -Dcairn.simulation.seeds=1}. Many:
 * {@link ShippedLogs#main}.
 */
class ShippedLogsTest {
  private static final int SEEDS = Integer.getInteger("cairn.simulation.seeds", 200);
  private static final int STEPS = Integer.getInteger("cairn.simulation.steps", 1_000);
  private static final int LONG_SEEDS = 100;
  private static final int LONG_STEPS = 20_000;
  private static final long FIRST = Long.getLong("cairn.simulation.first", 1);

  @Test
  @Timeout(value = 10, unit = TimeUnit.MINUTES) // a loaded machine is no failure
  void nothingHappensThatMayNot() {
    Map<String, Long> seen = run(SEEDS, STEPS);
    if (SEEDS >= 200) {
      assertThat(seen)
          .containsKeys(
              "appends held back",
              "appends of several groups",
              "crashes in a start",
              "crashes while the disk worked",
              "damage that touched nothing",
              "damage told",
              "disks full",
              "entries loaded",
              "joint configurations inherited",
              "logs lost",
              "logs that failed",
              "logs that used segments again",
              "segments copied",
              "snapshots installed",
              "witness dropped entries");
    }
  }

  @Test
  @Tag("nightly")
  @Timeout(value = 14, unit = TimeUnit.MINUTES)
  void norInLongRuns() {
    assertThat(run(LONG_SEEDS, LONG_STEPS))
        .containsKeys("configurations truncated", "members that came back to a node", "moves done");
  }

  private static Map<String, Long> run(int seeds, int steps) {
    Map<String, Long> seen = new TreeMap<>();
    for (long seed = FIRST; seed < FIRST + seeds; seed++) {
      ShippedLogs.run(seed, steps).counters().forEach((what, n) -> seen.merge(what, n, Long::sum));
    }
    return seen;
  }

  @Test
  void oneSeedIsOneRunInAnotherProcessToo() throws Exception {
    for (long seed : new long[] {7, 11, 300}) {
      assertThat(OtherProcess.hash(PrintHash.class, seed))
          .isEqualTo(ShippedLogs.run(seed, 2000).hash());
    }
    assertThat(ShippedLogs.run(7, 2000).hash()).isNotEqualTo(ShippedLogs.run(8, 2000).hash());
  }

  /** Prints the hash of a seed's run. */
  static final class PrintHash {
    private PrintHash() {}

    public static void main(String[] arguments) {
      System.out.println(ShippedLogs.run(Long.parseLong(arguments[0]), 2000).hash());
    }
  }
}

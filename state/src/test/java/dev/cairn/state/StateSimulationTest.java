// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Random operations, flushes, crashes between any two steps, and copies, beside plain maps, on the
 * twin of the database. More: {@code -Dcairn.state.seeds=100000}. One again: {@code
 * -Dcairn.state.first=SEED -Dcairn.state.seeds=1}.
 */
class StateSimulationTest {
  private static final int SEEDS = Integer.getInteger("cairn.state.seeds", 300);
  private static final long FIRST = Long.getLong("cairn.state.first", 1);
  private static final int STEPS = 600;
  private static final int MANY = 40;

  @Test
  void theTwinIsAsThePlainMapSays() {
    Map<String, Long> seen = new TreeMap<>();
    for (long seed = FIRST; seed < FIRST + SEEDS; seed++) {
      Simulation.run(seed, STEPS, TwinDatabase::new, seen);
    }
    if (SEEDS >= MANY) {
      assertThat(seen)
          .containsKeys(
              "crashes",
              "entries left out by a replay",
              "fetches",
              "fetches that a flush made void",
              "flushes",
              "flushes that an install overtook",
              "installs",
              "views of states that went on");
    }
  }
}

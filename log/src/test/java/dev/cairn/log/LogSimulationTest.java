// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Random programs with crashes at any step, beside a plain model; each seed is one run. More of
 * them: {@code -Dcairn.log.seeds=100000}; one again: {@code -Dcairn.log.first=SEED
 * -Dcairn.log.seeds=1}.
 */
class LogSimulationTest {
  private static final int SEEDS = Integer.getInteger("cairn.log.seeds", 150);
  private static final long FIRST = Long.getLong("cairn.log.first", 1);
  private static final int STEPS = 400;

  @Test
  void whatWasDurableIsThereAfterAnyCrash() throws Exception {
    Map<String, Long> seen = new TreeMap<>();
    for (long seed = FIRST; seed < FIRST + SEEDS; seed++) {
      try {
        Simulation.run(seed, STEPS).forEach((what, n) -> seen.merge(what, n, Long::sum));
      } catch (Exception | AssertionError e) {
        throw new AssertionError("seed " + seed, e);
      }
    }
    if (SEEDS >= 150) {
      // A simulation that never comes to these finds nothing there.
      assertThat(seen)
          .containsKeys("clean ends", "copies", "crashes", "crashes in a start", "files made");
    }
  }
}

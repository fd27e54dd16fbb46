// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.longrun;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.testkit.ProcessCluster;
import dev.cairn.testkit.fault.Faults;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The long run, short: each fault that needs no rights once, and what the nodes log of it. The seed
 * is in the output.
 */
@Tag("long")
@Tag("loaded")
class FaultSuiteTest {
  @Test
  @Timeout(600)
  void clientsSeeOneCopyOfTheDataWhateverHappens() {
    try (ProcessCluster cluster = ProcessCluster.of(3).withNetwork().start()) {
      LongRun.Plan plan =
          LongRun.Plan.of(System.nanoTime(), Faults.withoutRights())
              .rounds(1)
              .atMost(Duration.ofMinutes(8));
      Report report = LongRun.run(cluster, plan, System.out);
      System.out.println(report.markdown());
      assertThat(report.violations()).as(cluster.logTails()).isEmpty();
      assertThat(report.checked()).isGreaterThan(1_000);
      for (Report.Row row : report.faults()) {
        assertThat(row.count()).as(row.fault()).isPositive();
        assertThat(row.tooLoud()).as(row.fault()).isEmpty();
      }
    }
  }
}

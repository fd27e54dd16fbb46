// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.testkit.fault.Fault;
import dev.cairn.testkit.fault.NetworkFaults;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each fault of the network for a minute under load, then the loss of another node: no outage that
 * status had not foretold, nothing acknowledged lost. {@link OneWayTest} has the same for seconds.
 */
@Tag("faults")
class OneWayMinuteTest {
  @RegisterExtension final Clusters clusters = Clusters.ofEachTest();

  static Stream<Fault> faults() {
    return NetworkFaults.all().stream();
  }

  @ParameterizedTest
  @MethodSource("faults")
  @Timeout(400)
  void anOutageWasForetold(Fault fault) {
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3).withNetwork());
    HeldFault.Outcome outcome = new HeldFault(cluster, fault).run(Duration.ofSeconds(60));
    System.out.printf(
        "%s for 60 s: foretold %b, outage %b%n", fault.name(), outcome.warned(), outcome.outage());
    assertThat(outcome.warned() || !outcome.outage()).as("%s", outcome).isTrue();
  }
}

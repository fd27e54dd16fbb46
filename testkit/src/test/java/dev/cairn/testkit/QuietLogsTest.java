// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.testkit.fault.Fault;
import dev.cairn.testkit.fault.Faults;
import dev.cairn.testkit.fault.ProcessFaults;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Under each fault, and each order to stop, the logs stay short. The faults of the suite are
 * watched by {@link dev.cairn.testkit.longrun.FaultSuiteTest} too; here they are held for as long
 * as {@code -Dcairn.logs.seconds} says, and left out unless it says so.
 */
@Tag("nightly")
@Tag("loaded")
@Timeout(240)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class QuietLogsTest {
  @RegisterExtension static final Clusters CLUSTERS = Clusters.ofClass();

  private ProcessCluster cluster;
  private QuietLog log;

  static Stream<Named<Fault>> faults() {
    Stream<Fault> suite = QuietLog.isAskedFor() ? Faults.withoutRights().stream() : Stream.of();
    return Stream.concat(suite, ProcessFaults.ofSeveralNodesAndOrders().stream())
        .map(fault -> Named.of(fault.name(), fault));
  }

  @BeforeAll
  void start() {
    cluster = CLUSTERS.startHealthy(ProcessCluster.of(3).withNetwork());
    log = QuietLog.of(cluster);
  }

  @AfterAll
  void end() {
    log.close();
  }

  @ParameterizedTest
  @MethodSource("faults")
  void aFaultIsToldInAFewLines(Fault fault) {
    log.assertQuietUnder(fault);
  }

  /** A start of the same version, and the stop of each node, are no reason to warn. */
  @Test
  void startsAndStopsInPeaceWarnOfNothing() {
    ProcessCluster calm = CLUSTERS.startHealthy(ProcessCluster.of(3));
    for (int round = 0; round < 2; round++) {
      calm.indexes().forEach(node -> assertThat(calm.stop(node)).isZero());
      calm.indexes().forEach(calm::start);
      calm.awaitHealthy();
    }
    for (int node : calm.indexes()) {
      assertThat(calm.node(node).log().lines())
          .as("node %d", node)
          .allMatch(line -> line.matches("\\S+Z (INFO |WARN ) .*"))
          .noneMatch(line -> line.contains("upgrade"))
          // A node that stops hands over and says so; the others notice that it is gone.
          .noneMatch(line -> line.contains(" WARN ") && !line.contains(" Membership: peer "));
    }
  }
}

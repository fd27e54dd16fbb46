// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import dev.cairn.testkit.fault.Fault;
import dev.cairn.testkit.fault.MachineFaults;
import dev.cairn.testkit.fault.Namespaces;
import dev.cairn.testkit.fault.ShimmedDisk;
import dev.cairn.testkit.fault.SmallDisks;
import dev.cairn.testkit.fault.WallClocks;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** As {@link QuietLogsTest}, under the faults of disks, networks and clocks that need root. */
@Tag("faults")
@Timeout(240)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class QuietLogsOfMachinesTest {
  private static final int NODES = 3;
  private static final int DISK_MEBIBYTES = 512;

  @RegisterExtension static final Clusters CLUSTERS = Clusters.ofClass();

  private final SmallDisks disks = SmallDisks.of(DISK_MEBIBYTES);
  private final ShimmedDisk shim = ShimmedDisk.build();
  private final WallClocks clocks = WallClocks.right();
  private final Namespaces network = Namespaces.of(NODES);
  private QuietLog log;

  Stream<Named<Fault>> faults() {
    return List.of(
            MachineFaults.isolated(network),
            MachineFaults.unheard(network),
            MachineFaults.bridge(network),
            MachineFaults.packetLoss(network),
            MachineFaults.clockJump(clocks, new Random(1)),
            MachineFaults.slowSync(shim),
            MachineFaults.failedSync(shim),
            MachineFaults.fullDisk(disks),
            MachineFaults.powerLoss(shim, new Random(1)),
            MachineFaults.powerLossOfAll(shim, new Random(1)))
        .stream()
        .map(fault -> Named.of(fault.name(), fault));
  }

  @BeforeAll
  void start() {
    log =
        QuietLog.of(
            CLUSTERS.startHealthy(
                ProcessCluster.of(NODES).in(disks).in(shim).in(clocks).in(network)));
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
}

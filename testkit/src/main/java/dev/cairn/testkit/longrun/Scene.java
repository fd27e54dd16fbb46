// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.longrun;

import dev.cairn.testkit.ProcessCluster;
import dev.cairn.testkit.fault.DiskFaults;
import dev.cairn.testkit.fault.Fault;
import dev.cairn.testkit.fault.Faults;
import dev.cairn.testkit.fault.MachineFaults;
import dev.cairn.testkit.fault.Namespaces;
import dev.cairn.testkit.fault.ProcessFaults;
import dev.cairn.testkit.fault.ShimmedDisk;
import dev.cairn.testkit.fault.SmallDisks;
import dev.cairn.testkit.fault.WallClocks;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Three nodes, and what can happen to them where they are.
 *
 * @param cluster to be started
 * @param faults one after the other
 * @param beside those that leave all nodes running and connected, at the same time as others
 */
record Scene(ProcessCluster.Builder cluster, List<Fault> faults, List<Fault> beside) {
  private static final int NODES = 3;

  /** Small enough to be filled in a moment, and enough for an hour's log and data. */
  /**
   * A node takes a third of it at most. The rest is for what it removed and the shim keeps: without
   * an fsync of the folder a power loss brings files back, each of a segment's 64 MiB.
   */
  private static final int DISK_MEBIBYTES = 3_072;

  /** Nodes of this user behind a network of this process. */
  static Scene withoutRights() {
    return new Scene(ProcessCluster.of(NODES).withNetwork(), Faults.withoutRights(), List.of());
  }

  /** Each node in a network namespace, on a small disk behind a shim, with a clock of its own. */
  static Scene withAllFaults(long seed) {
    SmallDisks disks = SmallDisks.of(DISK_MEBIBYTES);
    ShimmedDisk shim = ShimmedDisk.build();
    WallClocks clocks = WallClocks.right();
    Namespaces network = Namespaces.of(NODES);
    Random random = new Random(seed);
    List<Fault> faults = new ArrayList<>(ProcessFaults.all());
    faults.addAll(DiskFaults.all());
    faults.add(MachineFaults.isolated(network));
    faults.add(MachineFaults.unheard(network));
    faults.add(MachineFaults.bridge(network));
    faults.add(MachineFaults.powerLoss(shim, random));
    faults.add(MachineFaults.powerLossOfAll(shim, random));
    faults.add(MachineFaults.failedSync(shim));
    faults.add(MachineFaults.fullDisk(disks));
    List<Fault> beside =
        List.of(
            MachineFaults.clockJump(clocks, new Random(seed + 1)),
            MachineFaults.packetLoss(network));
    faults.add(MachineFaults.slowSync(shim));
    return new Scene(
        ProcessCluster.of(NODES).in(disks).in(shim).in(clocks).in(network),
        List.copyOf(faults),
        beside);
  }
}

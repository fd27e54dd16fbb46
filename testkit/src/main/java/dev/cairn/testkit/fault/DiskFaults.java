// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.fault;

import dev.cairn.testkit.ProcessCluster;
import java.util.List;

/** Faults of disks that need no more than files of ours: what was on one is not there any more. */
public final class DiskFaults {
  private DiskFaults() {}

  /** All of them. */
  public static List<Fault> all() {
    return List.of(emptied());
  }

  /**
   * SIGKILL, and the node comes back with an empty disk: it votes nowhere until the cluster has
   * taken it in again.
   */
  public static Fault emptied() {
    return new Fault() {
      @Override
      public String name() {
        return "emptied disk";
      }

      @Override
      public void begin(ProcessCluster cluster, int node) {
        cluster.kill(node);
        cluster.wipe(node);
      }

      @Override
      public void heal(ProcessCluster cluster, int node) {
        cluster.start(node);
      }
    };
  }
}

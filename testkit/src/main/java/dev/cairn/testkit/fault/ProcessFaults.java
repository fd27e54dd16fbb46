// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.fault;

import dev.cairn.testkit.ProcessCluster;
import java.util.List;

/** Faults of processes: they die, and they stand still. */
public final class ProcessFaults {
  private ProcessFaults() {}

  /** All of them. */
  public static List<Fault> all() {
    return List.of(killOne(), killAll(), killInTurn(), freeze());
  }

  /** SIGKILL. */
  public static Fault killOne() {
    return new Fault() {
      @Override
      public String name() {
        return "SIGKILL";
      }

      @Override
      public void begin(ProcessCluster cluster, int node) {
        cluster.kill(node);
      }

      @Override
      public void heal(ProcessCluster cluster, int node) {
        cluster.start(node);
      }
    };
  }

  /** SIGKILL of all nodes at the same moment. */
  public static Fault killAll() {
    return new Fault() {
      @Override
      public String name() {
        return "SIGKILL of all nodes";
      }

      @Override
      public boolean hasTarget() {
        return false;
      }

      @Override
      public void begin(ProcessCluster cluster, int node) {
        cluster.killAll();
      }

      @Override
      public void heal(ProcessCluster cluster, int node) {
        cluster.indexes().forEach(cluster::start);
      }
    };
  }

  /**
   * SIGKILL of one node after the other, of which the first is away for longest and then must carry
   * on with one that was not: what the others acknowledged meanwhile has to come from there.
   */
  public static Fault killInTurn() {
    return new Fault() {
      @Override
      public String name() {
        return "SIGKILL of one after the other";
      }

      @Override
      public void begin(ProcessCluster cluster, int node) {
        cluster.kill(node);
      }

      @Override
      public void heal(ProcessCluster cluster, int node) {
        int second = (node + 1) % cluster.size();
        int third = (node + 2) % cluster.size();
        cluster.kill(second);
        cluster.start(second);
        cluster.awaitLeaders();
        cluster.kill(third);
        cluster.start(node);
        cluster.awaitLeaders();
        cluster.start(third);
      }
    };
  }

  /** SIGSTOP, then SIGCONT: what wakes up believes that nothing happened. */
  public static Fault freeze() {
    return new Fault() {
      @Override
      public String name() {
        return "SIGSTOP";
      }

      @Override
      public void begin(ProcessCluster cluster, int node) {
        cluster.pause(node);
      }

      @Override
      public void heal(ProcessCluster cluster, int node) {
        cluster.resume(node);
      }
    };
  }
}

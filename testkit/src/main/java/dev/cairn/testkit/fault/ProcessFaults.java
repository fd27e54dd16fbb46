// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.fault;

import dev.cairn.testkit.ProcessCluster;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.ObjIntConsumer;

/** Faults of processes: they die, and they stand still. */
public final class ProcessFaults {
  private static final long WRITING_MILLIS = 700;

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
   * Each two of three nodes in turn carry on without the third, and between them everything is
   * killed: what two acknowledged has to come, after both were started anew, from the one of them
   * that the next two share. A node that forgot its vote, its term or the end of its log would not
   * have it.
   */
  public static Fault killInTurn() {
    return new Fault() {
      @Override
      public String name() {
        return "SIGKILL of two in turn";
      }

      @Override
      public void begin(ProcessCluster cluster, int node) {
        cluster.kill(node);
      }

      @Override
      public void heal(ProcessCluster cluster, int node) {
        int second = (node + 1) % cluster.size();
        int third = (node + 2) % cluster.size();
        cluster.kill(List.of(second, third));
        cluster.start(node);
        cluster.start(second);
        cluster.awaitLeaders();
        pause(WRITING_MILLIS);
        cluster.kill(node);
        cluster.start(third);
        cluster.awaitLeaders();
        cluster.start(node);
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

  /**
   * Those that leave no majority, and those that are orders: for tests that ask for more than
   * linearizability.
   */
  public static List<Fault> ofSeveralNodesAndOrders() {
    return List.of(
        fault(
            "SIGKILL of two",
            (cluster, node) -> cluster.kill(two(cluster, node)),
            ProcessFaults::startTwo),
        fault(
            "SIGSTOP of two",
            (cluster, node) -> two(cluster, node).forEach(cluster::pause),
            (cluster, node) -> two(cluster, node).forEach(cluster::resume)),
        fault("SIGTERM", ProcessCluster::stop, ProcessCluster::start),
        fault(
            "SIGTERM of two",
            (cluster, node) -> two(cluster, node).forEach(cluster::stop),
            ProcessFaults::startTwo));
  }

  private static void startTwo(ProcessCluster cluster, int node) {
    two(cluster, node).forEach(cluster::start);
  }

  /** A node and the next. */
  private static List<Integer> two(ProcessCluster cluster, int node) {
    return List.of(node, (node + 1) % cluster.size());
  }

  private static Fault fault(
      String name, ObjIntConsumer<ProcessCluster> begin, ObjIntConsumer<ProcessCluster> heal) {
    return new Fault() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public void begin(ProcessCluster cluster, int node) {
        begin.accept(cluster, node);
      }

      @Override
      public void heal(ProcessCluster cluster, int node) {
        heal.accept(cluster, node);
      }
    };
  }

  private static void pause(long millis) {
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.fault;

import dev.cairn.testkit.ProcessCluster;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.function.ObjIntConsumer;

/** Faults of disks, clocks and networks as {@link Fault}s, each of surroundings of the cluster. */
public final class MachineFaults {
  /** How far a wall clock jumps. */
  public static final Duration CLOCK_JUMP = Duration.ofDays(30);

  private static final Duration ENDED_MAX = Duration.ofSeconds(60);
  private static final int SLOW_SYNC_MILLIS = 300;
  private static final long FULL_LEFT_BYTES = 256 << 10;

  private MachineFaults() {}

  /** The power fails at one node. */
  public static Fault powerLoss(ShimmedDisk disk, Random random) {
    return fault(
        "power loss",
        (cluster, node) -> disk.losePower(cluster, List.of(node), random.nextLong()),
        ProcessCluster::start);
  }

  /** The power fails at all nodes at once. */
  public static Fault powerLossOfAll(ShimmedDisk disk, Random random) {
    return new Everywhere(
        "power loss of all nodes",
        cluster -> disk.losePower(cluster, cluster.indexes(), random.nextLong()),
        cluster -> cluster.indexes().forEach(cluster::start));
  }

  /** Each fsync of a node takes a third of a second. */
  public static Fault slowSync(ShimmedDisk disk) {
    return fault(
        "slow fsync",
        (cluster, node) -> disk.slowSyncs(node, SLOW_SYNC_MILLIS),
        (cluster, node) -> disk.heal(node));
  }

  /** Fsyncs of a node fail: it ends, and is started again on a disk that works. */
  public static Fault failedSync(ShimmedDisk disk) {
    return fault(
        "failed fsync",
        (cluster, node) -> disk.failSyncs(node, ShimmedDisk.EIO, ""),
        (cluster, node) -> {
          cluster.node(node).awaitEnd(ENDED_MAX); // which it must
          disk.heal(node);
          cluster.start(node);
        });
  }

  /** A node's disk is full to the last quarter of a mebibyte, then has room again. */
  public static Fault fullDisk(SmallDisks disks) {
    return fault(
        "full disk",
        (cluster, node) -> disks.fillUpTo(node, FULL_LEFT_BYTES),
        (cluster, node) -> disks.free(node));
  }

  /** A node's wall clock jumps by {@link #CLOCK_JUMP}, ahead or back. */
  public static Fault clockJump(WallClocks clocks, Random random) {
    return fault(
        "wall clock jump",
        (cluster, node) ->
            clocks.set(node, random.nextBoolean() ? CLOCK_JUMP : CLOCK_JUMP.negated()),
        (cluster, node) -> clocks.set(node, Duration.ZERO));
  }

  /** Nothing passes between a node and the others, by iptables. */
  public static Fault isolated(Namespaces network) {
    return fault(
        "full partition (iptables)",
        (cluster, node) -> network.isolate(node),
        (cluster, node) -> network.heal());
  }

  /** The others do not hear a node; it hears them. */
  public static Fault unheard(Namespaces network) {
    return fault(
        "one-way partition (iptables)",
        (cluster, node) ->
            cluster.indexes().stream()
                .filter(other -> other != node)
                .forEach(other -> network.drop(node, other)),
        (cluster, node) -> network.heal());
  }

  /** A node and the next do not see each other; both see the rest. */
  public static Fault bridge(Namespaces network) {
    return fault(
        "bridge partition (iptables)",
        (cluster, node) -> network.separate(node, (node + 1) % cluster.size()),
        (cluster, node) -> network.heal());
  }

  /** One packet in ten between nodes is lost. */
  public static Fault packetLoss(Namespaces network) {
    return new Everywhere(
        "10 % packet loss", cluster -> network.lose(0.1), cluster -> network.loseNothing());
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

  private interface Step {
    void on(ProcessCluster cluster);
  }

  private record Everywhere(String name, Step begin, Step heal) implements Fault {
    @Override
    public boolean hasTarget() {
      return false;
    }

    @Override
    public void begin(ProcessCluster cluster, int node) {
      begin.on(cluster);
    }

    @Override
    public void heal(ProcessCluster cluster, int node) {
      heal.on(cluster);
    }
  }
}

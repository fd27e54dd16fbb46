// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.fault;

import dev.cairn.testkit.ProcessCluster;
import dev.cairn.testkit.network.PeerNetwork.Link;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Faults of the {@link PeerNetwork} between the nodes. Clients reach every node all the while, so
 * the side without a majority is asked as much as the other.
 */
public final class NetworkFaults {
  private static final Link LATE = new Link.Delay(TimeUnit.MILLISECONDS.toNanos(150));

  private NetworkFaults() {}

  /** All of them. */
  public static List<Fault> all() {
    return List.of(isolate(), reset(), mute(), deaf(), block(), bridge(), delay());
  }

  /** Nothing passes between the node and the others; what was under way arrives at the end. */
  public static Fault isolate() {
    return fault(
        "full partition",
        (cluster, node) ->
            others(cluster, node)
                .forEach(other -> cluster.network().setBoth(node, other, Link.HOLD)));
  }

  /** As {@link #isolate}, but connections are reset and refused: everybody sees it at once. */
  public static Fault reset() {
    return fault(
        "full partition with resets",
        (cluster, node) ->
            others(cluster, node)
                .forEach(other -> cluster.network().setBoth(node, other, Link.CUT)));
  }

  /** The node hears the others, and they do not hear it. */
  public static Fault mute() {
    return fault(
        "one-way partition, unheard",
        (cluster, node) ->
            others(cluster, node).forEach(other -> cluster.network().set(node, other, Link.HOLD)));
  }

  /** The others hear the node, and it does not hear them. */
  public static Fault deaf() {
    return fault(
        "one-way partition, unhearing",
        (cluster, node) ->
            others(cluster, node).forEach(other -> cluster.network().set(other, node, Link.HOLD)));
  }

  /** Nobody can open a connection to the node; over its own it reaches the others. */
  public static Fault block() {
    return fault("peer port blocked", (cluster, node) -> cluster.network().block(node));
  }

  /** The node and the next one do not see each other; both see all others. */
  public static Fault bridge() {
    return fault(
        "bridge partition",
        (cluster, node) -> cluster.network().setBoth(node, (node + 1) % cluster.size(), Link.HOLD));
  }

  /** All that the node sends and is sent is 150 ms late. */
  public static Fault delay() {
    return fault(
        "150 ms of delay",
        (cluster, node) ->
            others(cluster, node).forEach(other -> cluster.network().setBoth(node, other, LATE)));
  }

  private static List<Integer> others(ProcessCluster cluster, int node) {
    return cluster.indexes().stream().filter(other -> other != node).toList();
  }

  private interface Begin {
    void begin(ProcessCluster cluster, int node);
  }

  private static Fault fault(String name, Begin begin) {
    return new Fault() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public void begin(ProcessCluster cluster, int node) {
        begin.begin(cluster, node);
      }

      @Override
      public void heal(ProcessCluster cluster, int node) {
        cluster.network().heal();
      }
    };
  }
}

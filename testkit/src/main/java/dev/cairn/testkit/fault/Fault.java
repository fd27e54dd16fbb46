// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.fault;

import dev.cairn.testkit.ProcessCluster;

/**
 * Something that happens to a cluster and is over again later. One object is used over and over, by
 * one thread: {@link #begin}, {@link #heal}, {@link #begin} ...
 */
public interface Fault {
  /** A few words for a table, always the same: {@code "SIGKILL"}. */
  String name();

  /** Whether it falls on one node. Else {@code node} says where it starts, or nothing. */
  default boolean hasTarget() {
    return true;
  }

  /**
   * Lets it happen. When this throws, it did not happen, and nothing of it is left.
   *
   * @param node the index of the node that it falls on
   */
  void begin(ProcessCluster cluster, int node);

  /**
   * Ends it: afterwards each node runs, or has been started, and nothing is in its way. How long
   * the cluster then takes to be healthy is the cluster's own affair.
   */
  void heal(ProcessCluster cluster, int node);
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import java.util.Comparator;

/**
 * One member of a group: a node together with the disk that it had when it was placed.
 *
 * <p>A node whose disk was emptied remembers no vote and no acknowledgement. It comes back under a
 * higher incarnation, so what the old one said is never taken for the new one's.
 *
 * @param node the node's id, not its address
 * @param incarnation the epoch of the placement that put this replica there; never used again
 */
public record Peer(String node, long incarnation) implements Comparable<Peer> {
  private static final Comparator<Peer> ORDER =
      Comparator.comparing(Peer::node).thenComparingLong(Peer::incarnation);

  @Override
  public int compareTo(Peer other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return node + "." + incarnation;
  }
}

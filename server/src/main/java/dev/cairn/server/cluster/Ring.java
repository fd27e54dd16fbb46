// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import dev.cairn.protocol.Slots;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Which nodes hold which partition: consistent hashing with bounded loads.
 *
 * <p>Nodes and partitions are points on a circle of 2^64 positions, the first eight bytes of a
 * SHA-1. A node has {@value #POINTS_PER_NODE} points, so that what one node leaves is shared by
 * many. A partition belongs to the first distinct nodes clockwise of it <em>that have room</em>
 * (Mirrokni, Thorup, Zadimoghaddam: "Consistent Hashing with Bounded Loads", 2016): without the
 * bound the fullest of n nodes would hold about log n times the average.
 *
 * <p>Four steps, each deterministic; the order in which nodes are listed does not matter:
 *
 * <ol>
 *   <li>Replicas: in as many rounds as there are copies each partition takes its next node with
 *       room. When only nodes that it has already have room, it takes the place of another
 *       partition, which moves to the room that is left.
 *   <li>Preferred leaders: the first replica clockwise, then evened out among the replicas.
 *   <li>Witnesses: the next node clockwise with room for one, then evened out likewise.
 *   <li>The replicas are listed in ring order from the preferred leader on.
 * </ol>
 *
 * <p>How much room a node has is a trade: an exact share leaves nobody idle, but when there is no
 * slack one more node shifts a long chain of others. Up to {@value #NODES_EXACT_MAX} nodes the
 * shares are exact; beyond, one more than the average, rounded up, is allowed.
 *
 * <p>Bounds, held by {@code RingTest} for 3 to 1000 nodes, 2 partitions a node, 1 to 7 copies:
 *
 * <ol>
 *   <li>Replicas of a node: at most ceil(average) + 1; up to 7 nodes they differ by at most 1.
 *   <li>Preferred leaders and witnesses of a node: at most ceil(average) + 1 each.
 *   <li>A node that joins a cluster of N, or leaves it so that N stay, moves 1/(N+1) of the
 *       replicas at the ideal; here, on average over clusters of one size, at most 3/N, and in a
 *       single one at most 5/N. The moves between nodes that stay are the price of the bound on the
 *       load.
 * </ol>
 *
 * <p>Pure and without state; cost grows with nodes and partitions (1000 nodes, 2000 partitions:
 * about a second).
 */
public final class Ring {
  // Points and labels are part of the format: they decide where "mykey" of the quick start lives.
  static final int POINTS_PER_NODE = 64;

  /**
   * Up to so many nodes all have exactly their share. At least the most even number of copies (6)
   * and one: there a partition's witness has one place to go, so that witnesses are as even as
   * replicas.
   */
  static final int NODES_EXACT_MAX = 7;

  private final int nodeCount;
  private final int partitions;
  private final int copies;

  /** For each partition all nodes, clockwise from its point. */
  private final int[][] clockwise;

  private Ring(List<String> ringNames, int partitions, int copies) {
    this.nodeCount = ringNames.size();
    this.partitions = partitions;
    this.copies = copies;
    this.clockwise = clockwise(ringNames, partitions);
  }

  /**
   * Places all partitions.
   *
   * @param ringNames each node's name at its first registration, such as {@code 127.0.0.1:5000}:
   *     distinct, in any order
   * @param partitions 1 to 16384
   * @param replicationFactor full copies wanted, 1 or more; with fewer nodes there are as many
   *     copies as nodes
   * @return one set a partition, by partition index
   */
  public static List<ReplicaSet> place(
      List<String> ringNames, int partitions, int replicationFactor) {
    if (ringNames.isEmpty() || new HashSet<>(ringNames).size() != ringNames.size()) {
      throw new IllegalArgumentException("node names must be distinct and not none: " + ringNames);
    }
    if (partitions < 1 || partitions > Slots.COUNT) {
      throw new IllegalArgumentException(
          "partitions must be 1 to " + Slots.COUNT + ": " + partitions);
    }
    if (replicationFactor < 1) {
      throw new IllegalArgumentException(
          "the replication factor must be 1 or more: " + replicationFactor);
    }
    // Sorted, so that the order in which nodes are listed cannot matter.
    List<String> sorted = ringNames.stream().sorted().toList();
    return new Ring(sorted, partitions, Math.min(replicationFactor, sorted.size())).place(sorted);
  }

  /**
   * How many replicas a node holds at most.
   *
   * @param nodes 1 or more
   * @param partitions as in {@link #place}
   * @param replicationFactor as there
   */
  public static int replicasMax(int nodes, int partitions, int replicationFactor) {
    int average = (partitions * Math.min(replicationFactor, nodes) + nodes - 1) / nodes;
    return Math.min(partitions, nodes <= NODES_EXACT_MAX ? average : average + 1);
  }

  /** First slot of a partition: slots are cut into ranges that differ by at most one in length. */
  public static int firstSlot(int partition, int partitions) {
    return (int) ((long) partition * Slots.COUNT / partitions);
  }

  /** Last slot of a partition, inclusive. */
  public static int lastSlot(int partition, int partitions) {
    return firstSlot(partition + 1, partitions) - 1;
  }

  /** The partition that holds a slot. */
  public static int partitionOfSlot(int slot, int partitions) {
    return (int) (((slot + 1L) * partitions - 1) / Slots.COUNT);
  }

  private List<ReplicaSet> place(List<String> names) {
    int[][] replicas = replicas();
    int[] leaders = leaders(replicas);
    int[] witnesses = copies % 2 == 0 && nodeCount > copies ? witnesses(replicas) : null;
    List<ReplicaSet> sets = new ArrayList<>(partitions);
    for (int partition = 0; partition < partitions; partition++) {
      int[] set = replicas[partition];
      int first = indexOf(set, leaders[partition]);
      List<String> ordered = new ArrayList<>(copies);
      for (int i = 0; i < copies; i++) {
        ordered.add(names.get(set[(first + i) % copies]));
      }
      Optional<String> witness =
          witnesses == null ? Optional.empty() : Optional.of(names.get(witnesses[partition]));
      sets.add(new ReplicaSet(ordered, witness));
    }
    return List.copyOf(sets);
  }

  // ---- Step 1: replicas ----

  /** For each partition its replicas, clockwise from its point. */
  private int[][] replicas() {
    boolean[][] holds = new boolean[partitions][nodeCount];
    Room room = new Room(nodeCount, partitions * copies);
    for (int round = 0; round < copies; round++) {
      for (int partition = 0; partition < partitions; partition++) {
        int node = firstWithRoom(holds[partition], partition, room);
        if (node < 0) {
          node = makeRoom(holds, partition, room);
        } else {
          room.take(node);
        }
        holds[partition][node] = true;
      }
    }
    int[][] replicas = new int[partitions][];
    for (int partition = 0; partition < partitions; partition++) {
      boolean[] held = holds[partition];
      replicas[partition] = Arrays.stream(clockwise[partition]).filter(n -> held[n]).toArray();
    }
    return replicas;
  }

  private int firstWithRoom(boolean[] excluded, int partition, Room room) {
    for (int node : clockwise[partition]) {
      if (!excluded[node] && room.has(node)) {
        return node;
      }
    }
    return -1;
  }

  /**
   * Frees a place for a partition that holds every node with room: a full node {@code from} gives
   * one of its partitions to {@code to}, which has room.
   *
   * <p>There always is one to give: {@code from} holds at least as many partitions as {@code to},
   * and {@code to} holds this partition while {@code from} does not, so {@code from} holds one that
   * {@code to} does not.
   */
  private int makeRoom(boolean[][] holds, int partition, Room room) {
    int to = 0;
    while (!room.has(to)) {
      to++;
    }
    for (int from : clockwise[partition]) {
      for (int given = 0; !holds[partition][from] && given < partitions; given++) {
        if (holds[given][from] && !holds[given][to]) {
          holds[given][from] = false;
          holds[given][to] = true;
          room.take(to);
          return from;
        }
      }
    }
    throw new IllegalStateException("no place for a copy of partition " + partition);
  }

  // ---- Steps 2 and 3: one of several candidates for each partition, evenly ----

  private int[] leaders(int[][] replicas) {
    int[] leaders = new int[partitions];
    for (int partition = 0; partition < partitions; partition++) {
      leaders[partition] = replicas[partition][0];
    }
    // Leadership moves no data: as even as the replicas allow.
    even(leaders, replicas, 0);
    return leaders;
  }

  private int[] witnesses(int[][] replicas) {
    int[][] candidates = new int[partitions][];
    int[] witnesses = new int[partitions];
    Room room = new Room(nodeCount, partitions);
    for (int partition = 0; partition < partitions; partition++) {
      int[] set = replicas[partition];
      candidates[partition] =
          Arrays.stream(clockwise[partition]).filter(n -> indexOf(set, n) < 0).toArray();
      boolean[] excluded = new boolean[nodeCount];
      for (int node : set) {
        excluded[node] = true;
      }
      int node = firstWithRoom(excluded, partition, room);
      witnesses[partition] = node < 0 ? candidates[partition][0] : node;
      room.take(witnesses[partition]);
    }
    even(witnesses, candidates, room.most());
    return witnesses;
  }

  /**
   * Evens out a choice: while a node above {@code tolerated} has at least two more than another one
   * that a chain of changes can reach, carries one over along the shortest such chain. When no
   * chain is left the largest count is as small as the candidates allow (Harvey, Ladner, Lovász,
   * Tamir: "Semi-matchings for bipartite graphs and load balancing", 2006).
   *
   * @param chosen for each partition one of its candidates; changed in place
   */
  private void even(int[] chosen, int[][] candidates, int tolerated) {
    int[] counts = new int[nodeCount];
    for (int node : chosen) {
      counts[node]++;
    }
    boolean changed = true;
    while (changed) {
      changed = false;
      for (int from = 0; from < nodeCount; from++) {
        while (counts[from] > tolerated && carryOne(from, chosen, candidates, counts)) {
          changed = true;
        }
      }
    }
  }

  /** Breadth first over "partition p, chosen for node a, could be node b's". */
  private boolean carryOne(int from, int[] chosen, int[][] candidates, int[] counts) {
    List<List<Integer>> chosenFor = new ArrayList<>(nodeCount);
    for (int node = 0; node < nodeCount; node++) {
      chosenFor.add(new ArrayList<>());
    }
    for (int partition = 0; partition < partitions; partition++) {
      chosenFor.get(chosen[partition]).add(partition);
    }
    int[] reachedBy = new int[nodeCount];
    Arrays.fill(reachedBy, -1);
    ArrayDeque<Integer> queue = new ArrayDeque<>();
    queue.add(from);
    while (!queue.isEmpty()) {
      int node = queue.remove();
      for (int partition : chosenFor.get(node)) {
        for (int next : candidates[partition]) {
          if (next == from || reachedBy[next] >= 0) {
            continue;
          }
          reachedBy[next] = partition;
          if (counts[next] <= counts[from] - 2) {
            counts[next]++;
            counts[from]--;
            for (int at = next; at != from; ) {
              int moved = reachedBy[at];
              int before = chosen[moved];
              chosen[moved] = at;
              at = before;
            }
            return true;
          }
          queue.add(next);
        }
      }
    }
    return false;
  }

  private static int indexOf(int[] nodes, int node) {
    for (int i = 0; i < nodes.length; i++) {
      if (nodes[i] == node) {
        return i;
      }
    }
    return -1;
  }

  /** How many more a node may take when {@code total} are to be shared out. */
  private static final class Room {
    private final int[] taken;
    private final boolean exact;

    /** Every node may take this many. */
    private final int share;

    /** So many nodes may take one more than {@link #share}. */
    private int extras;

    Room(int nodes, int total) {
      this.taken = new int[nodes];
      this.exact = nodes <= NODES_EXACT_MAX;
      this.share = exact ? total / nodes : (total + nodes - 1) / nodes + 1;
      this.extras = exact ? total % nodes : 0;
    }

    boolean has(int node) {
      return taken[node] < share || (taken[node] == share && extras > 0);
    }

    void take(int node) {
      if (taken[node] == share) {
        extras--;
      }
      taken[node]++;
    }

    /** What no node needs to give away from: nothing where shares are exact. */
    int most() {
      return exact ? 0 : share;
    }
  }

  // ---- The circle ----

  private record Point(long position, int node) {}

  /**
   * Where a node stands on the circle, for whoever draws it.
   *
   * @return {@value #POINTS_PER_NODE} places, each from 0, inclusive, to 1, exclusive
   */
  public static List<Double> places(String ringName) {
    MessageDigest sha1 = sha1();
    return IntStream.range(0, POINTS_PER_NODE)
        .mapToObj(i -> place(position(sha1, ringName + "#" + i)))
        .toList();
  }

  /** Where a partition stands on the circle, likewise. */
  public static double place(int partition) {
    return place(position(sha1(), "p" + partition));
  }

  private static double place(long position) {
    return (position >>> 11) * 0x1.0p-53;
  }

  private static int[][] clockwise(List<String> names, int partitions) {
    MessageDigest sha1 = sha1();
    Point[] points = new Point[names.size() * POINTS_PER_NODE];
    for (int node = 0; node < names.size(); node++) {
      for (int i = 0; i < POINTS_PER_NODE; i++) {
        points[node * POINTS_PER_NODE + i] =
            new Point(position(sha1, names.get(node) + "#" + i), node);
      }
    }
    // The node breaks ties, so that two nodes at one position cannot make the order vary.
    Arrays.sort(
        points,
        Comparator.<Point>comparingLong(point -> point.position() + Long.MIN_VALUE)
            .thenComparingInt(Point::node));
    int[][] clockwise = new int[partitions][];
    for (int partition = 0; partition < partitions; partition++) {
      clockwise[partition] = distinctFrom(points, position(sha1, "p" + partition), names.size());
    }
    return clockwise;
  }

  private static int[] distinctFrom(Point[] points, long position, int nodeCount) {
    int low = 0;
    int high = points.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (Long.compareUnsigned(points[middle].position(), position) < 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    int[] nodes = new int[nodeCount];
    boolean[] seen = new boolean[nodeCount];
    int found = 0;
    for (int i = 0; found < nodeCount; i++) {
      int node = points[(low + i) % points.length].node();
      if (!seen[node]) {
        seen[node] = true;
        nodes[found++] = node;
      }
    }
    return nodes;
  }

  private static long position(MessageDigest sha1, String label) {
    return ByteBuffer.wrap(sha1.digest(label.getBytes(StandardCharsets.UTF_8))).getLong();
  }

  private static MessageDigest sha1() {
    try {
      return MessageDigest.getInstance("SHA-1");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-1", e);
    }
  }
}

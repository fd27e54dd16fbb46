// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.cluster.Membership;
import dev.cairn.server.cluster.NodeProtection;
import dev.cairn.server.cluster.NodeReport;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * The findings of one look, in sentences. What is wrong with many partitions in the same way is one
 * finding of their node, or of the cluster: a list of them is no news past the first.
 */
final class Findings {
  /** So many days before its end a certificate is a problem. */
  private static final int CERTIFICATE_DAYS_MIN = 14;

  private final List<Finding> findings = new ArrayList<>();
  private final Map<ProblemKind, Map<String, List<Integer>>> ofPartitions =
      new EnumMap<>(ProblemKind.class); // by kind and node; "" for the cluster
  private final Map<String, Long> behind = new TreeMap<>(); // node → most entries that it lacks

  void add(ProblemKind kind, String subject, long lastedMillis, String text) {
    findings.add(new Finding(kind, subject, lastedMillis, text));
  }

  void notFormed(String waitingFor) {
    add(ProblemKind.CLUSTER_NOT_FORMED, "", 0, "The cluster has not formed: " + waitingFor + ".");
  }

  /** What follows from the numbers that a cluster was created with. */
  void ofSettings(ClusterState cluster) {
    int nodes = cluster.members().size();
    int copies = cluster.replicationFactor();
    if (cluster.partitions().isEmpty()) {
      add(
          ProblemKind.PARTITIONS_NOT_PLACED,
          "",
          0,
          "The cluster has formed and waits for a majority of its nodes to place partitions.");
    }
    if (nodes > cluster.partitionCount()) {
      add(
          ProblemKind.MORE_NODES_THAN_PARTITIONS,
          "",
          0,
          "There are more nodes than partitions: "
              + (nodes - cluster.partitionCount())
              + " can never lead one.");
    }
    if (copies > nodes) {
      add(
          ProblemKind.FEWER_NODES_THAN_COPIES,
          "",
          0,
          (nodes == 1 ? "There is 1 node for " : "There are " + nodes + " nodes for ")
              + copies
              + " copies: each node holds everything, and there are no more copies than nodes."
              + " Either is fixed at creation: on empty folders start "
              + (nodes == 1 ? "it" : "them")
              + " with --replication-factor "
              + nodes
              + ", or start at least "
              + copies
              + " nodes, each with the same --cluster HOST:PORT,HOST:PORT,...");
    }
  }

  /** How a node is protected. */
  void ofProtection(String node, NodeProtection own) {
    if (own.certificateDays().isPresent()
        && own.certificateDays().getAsLong() < CERTIFICATE_DAYS_MIN) {
      long days = own.certificateDays().getAsLong();
      add(
          ProblemKind.CERTIFICATE_EXPIRES,
          node,
          0,
          "A certificate of node "
              + node
              + (days < 0
                  ? " has expired: clients and nodes refuse it."
                  : " expires in " + (days == 1 ? "1 day." : days + " days."))
              + " Put another one in its place; the node reads it within 10 s.");
    }
    if (!own.filesRefused().isEmpty()) {
      add(
          ProblemKind.CERTIFICATE_UNREADABLE,
          node,
          0,
          "Node "
              + node
              + " goes on with what it had, since "
              + String.join(" and ", own.filesRefused())
              + " has changed and cannot be used: its log says why.");
    }
    if (own.watch().rightsAgeMillis() >= Membership.DOWN_AFTER_MILLIS) {
      add(
          ProblemKind.RIGHTS_OLD,
          node,
          own.watch().rightsAgeMillis(),
          "Node "
              + node
              + " has heard of no rights of users for "
              + TimeUnit.MILLISECONDS.toSeconds(own.watch().rightsAgeMillis())
              + " s: what was taken away since may be allowed there still. It hears of them again once"
              + " it reaches a majority of the cluster's first nodes.");
    }
    if (own.watch().losesAudit()) {
      add(
          ProblemKind.AUDIT_LOST,
          node,
          0,
          "Node "
              + node
              + " has lost events that should be in its audit log: look at its log, its disk and"
              + " whether somebody floods it. This is told for ten minutes after the last one.");
    }
  }

  void nodeDown(Member member, NodeReport.Room room, long lastedMillis) {
    add(
        ProblemKind.NODE_DOWN,
        member.name(),
        lastedMillis,
        room.low()
            ? "Node "
                + member.name()
                + " is down, and its disk was full: make room there. Where its process still runs it comes back by itself, else start it again."
            : "Node " + member.name() + " is down: start it again.");
  }

  void nodeUnreached(Member member, List<String> unreachedBy) {
    add(
        ProblemKind.NODE_UNREACHED,
        member.name(),
        0,
        "Node "
            + member.name()
            + " is not reached at "
            + member.peerHost()
            + ":"
            + member.peerPort()
            + " by "
            + String.join(", ", unreachedBy)
            + ": it gets no entries and no requests from there, and does not count. See that its peer"
            + " port listens on that address (--host, --peer-port) and that no firewall is between them.");
  }

  void diskLow(Member member, NodeReport.Room room) {
    add(
        ProblemKind.DISK_LOW,
        member.name(),
        0,
        "Node "
            + member.name()
            + " has "
            + (room.freeBytes() >> 20)
            + " MiB left on its disk and needs "
            + (room.freeBytesMin() >> 20)
            + ": make room there, or delete keys. Partitions that need it refuse writes (OOM) until then.");
  }

  void witnessLogLarge(int partition, String node, long logBytes, long logBytesMax) {
    add(
        ProblemKind.WITNESS_LOG_LARGE,
        node + "/" + partition,
        0,
        "The witness of partition "
            + partition
            + " on node "
            + node
            + " keeps "
            + (logBytes >> 20)
            + " MiB of log for a replica that is behind, and may keep "
            + (logBytesMax >> 20)
            + " MiB: bring that replica back before. Past the bound the partition stops if its leader is lost too.");
  }

  /** Something that may be wrong with several partitions of a node, or of the cluster. */
  void ofPartition(ProblemKind kind, String node, int partition) {
    ofPartitions
        .computeIfAbsent(kind, k -> new TreeMap<>())
        .computeIfAbsent(node, n -> new ArrayList<>())
        .add(partition);
  }

  void copyBehind(String node, int partition, long lag) {
    behind.merge(node, lag, Math::max);
    ofPartition(ProblemKind.COPY_BEHIND, node, partition);
  }

  /**
   * All of them, each kind and subject once.
   *
   * @param partitionCount of the cluster
   * @param behindMillis how long a copy has lacked at least what it lacks, when it is behind
   */
  List<Finding> all(int partitionCount, long behindMillis) {
    List<Finding> all = new ArrayList<>(findings);
    ofPartitions.forEach(
        (kind, nodes) ->
            nodes.forEach(
                (node, partitions) ->
                    all.add(
                        new Finding(
                            kind,
                            node,
                            kind == ProblemKind.COPY_BEHIND ? behindMillis : 0,
                            text(kind, node, partitions, partitionCount)))));
    all.sort(Comparator.comparing(Finding::kind).thenComparing(Finding::subject));
    return all;
  }

  private String text(ProblemKind kind, String node, List<Integer> partitions, int count) {
    String which = which(partitions, count);
    boolean one = partitions.size() == 1;
    return switch (kind) {
      case NO_MAJORITY ->
          upper(which)
              + " can be neither read nor written: too few of the nodes are up and reach each other. Start those that are down.";
      case NO_LEADER ->
          upper(which) + (one ? " has" : " have") + " no leader; an election is under way.";
      case VOTERS_CHANGE ->
          upper(which)
              + (one ? " is" : " are")
              + " taking in a new replica or witness: nothing to do but to keep the others running until it votes.";
      case COPY_BEHIND ->
          "Node "
              + node
              + " is behind in "
              + which
              + ", by "
              + (behind.get(node) == 1 ? "1 entry" : behind.get(node) + " entries")
              + " and more than 5 s: what it has does not count until it has caught up. Look at its disk and its connections.";
      case REPLICA_STOPPED ->
          upper(which)
              + (one ? " has" : " have")
              + " stopped on node "
              + node
              + ": its log says why.";
      case REPLICA_DAMAGED ->
          "The data of "
              + which
              + " on node "
              + node
              + " is damaged: it is rebuilt by itself as soon as another replica leads. Look at that node's disk.";
      case DISK_LOST ->
          "Node "
              + node
              + " has lost its disk's content: its replicas do not vote. Bring the old data folder back.";
      default -> throw new IllegalStateException(kind + " is not of partitions");
    };
  }

  /** {@code partition 3}, {@code partitions 1, 3 to 5}, {@code all 6 partitions}. */
  private static String which(List<Integer> partitions, int count) {
    if (partitions.size() == 1) {
      return "partition " + partitions.get(0);
    }
    return partitions.size() == count
        ? "all " + count + " partitions"
        : "partitions " + ranges(partitions);
  }

  /** Ascending numbers: {@code 0, 1, 3 to 5}. */
  static String ranges(List<Integer> numbers) {
    List<int[]> ranges = new ArrayList<>();
    for (int number : numbers) {
      int[] last = ranges.isEmpty() ? null : ranges.get(ranges.size() - 1);
      if (last != null && number == last[1] + 1) {
        last[1] = number;
      } else {
        ranges.add(new int[] {number, number});
      }
    }
    return ranges.stream()
        .map(
            range ->
                range[0] == range[1]
                    ? "" + range[0]
                    : range[0] + (range[1] == range[0] + 1 ? ", " : " to ") + range[1])
        .collect(Collectors.joining(", "));
  }

  private static String upper(String text) {
    return Character.toUpperCase(text.charAt(0)) + text.substring(1);
  }
}

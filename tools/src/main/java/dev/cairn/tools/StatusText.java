// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.tools.StatusDocument.Node;
import dev.cairn.tools.StatusDocument.Partition;
import dev.cairn.tools.StatusDocument.Problem;
import dev.cairn.tools.StatusDocument.Replica;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** The cluster's state for a person: healthy or not, what to do, what it can still lose, tables. */
final class StatusText {
  /** The problem of a node that serves nothing, and so knows nothing of the others. */
  private static final String CLOSED = "node-closed";

  private StatusText() {}

  static List<String> of(StatusDocument status) {
    if (status.problems().stream().anyMatch(problem -> problem.name().equals(CLOSED))) {
      return List.of(
          "NOT KNOWN: " + status.answeredBy() + " cannot tell how the cluster is.",
          "- " + line(status.problems().get(0)));
    }
    List<String> lines = new ArrayList<>();
    long up = status.nodes().stream().filter(Node::up).count();
    String nodes = up + " of " + status.nodes().size() + " nodes up";
    int problems = status.problems().size();
    lines.add(
        status.healthy()
            ? "HEALTHY: " + nodes + ", every partition has its leader and all its replicas."
            : "NOT HEALTHY: "
                + nodes
                + ", "
                + (problems == 1 ? "1 problem." : problems + " problems."));
    if (problems == 0) {
      lines.add("Nothing to do.");
    }
    status.problems().forEach(problem -> lines.add("- " + line(problem)));
    lines.add(canLose(status));
    if (status.notProtected() != null) {
      lines.add(
          "NOT PROTECTED: "
              + status.notProtected()
              + ". docs/guide/secure.md says how to mend that.");
    }
    if (status.certificateDays() != null) {
      lines.add(
          "The certificates of the nodes that are up are good for "
              + status.certificateDays()
              + " days or more.");
    }
    lines.add("");
    lines.add(
        "Cluster "
            + status.clusterId()
            + ", epoch "
            + status.epoch()
            + ", replication factor "
            + status.replicationFactor()
            + ", "
            + status.partitions()
            + " partitions. Answered by "
            + status.answeredBy()
            + ".");
    lines.add("");
    lines.addAll(nodeTable(status));
    lines.add("");
    lines.addAll(partitionTable(status));
    return lines;
  }

  /** {@code Node H:P is down: start it again. (node-down for 12 s)}. */
  private static String line(Problem problem) {
    long seconds = problem.ageMillis() / 1000;
    String state =
        switch (problem.state()) {
          case "pending" -> ", pending";
          case "clearing" -> ", and over: clearing";
          default -> "";
        };
    return problem.text() + " (" + problem.name() + " for " + seconds + " s" + state + ")";
  }

  private static String canLose(StatusDocument status) {
    if (status.partitionList().isEmpty()) {
      return "The cluster holds no partitions yet.";
    }
    String leaderless = which(status, partition -> partition.leader() == null);
    if (!leaderless.isEmpty()) {
      return "Keys in " + leaderless + " can be neither read nor written now.";
    }
    int least = status.partitionList().stream().mapToInt(Partition::canLose).min().orElse(0);
    if (least > 0) {
      return "It can lose any "
          + (least == 1 ? "node" : least + " nodes")
          + " and go on, with nothing lost.";
    }
    return "It cannot lose another node of "
        + which(status, partition -> partition.canLose() <= 0)
        + " and go on.";
  }

  /**
   * {@code partition 3}, {@code partitions 0 to 2, 5}, {@code all 6 partitions}; empty for none.
   */
  private static String which(StatusDocument status, Predicate<Partition> chosen) {
    List<Integer> indexes =
        status.partitionList().stream().filter(chosen).map(Partition::index).sorted().toList();
    if (indexes.isEmpty()) {
      return "";
    }
    if (indexes.size() == 1) {
      return "partition " + indexes.get(0);
    }
    return indexes.size() == status.partitionList().size()
        ? "all " + indexes.size() + " partitions"
        : "partitions " + ranges(indexes);
  }

  private static String ranges(List<Integer> ascending) {
    List<String> ranges = new ArrayList<>();
    int first = ascending.get(0);
    for (int i = 1; i <= ascending.size(); i++) {
      int last = ascending.get(i - 1);
      if (i == ascending.size() || ascending.get(i) != last + 1) {
        ranges.add(first == last ? "" + first : first + " to " + last);
        first = i == ascending.size() ? first : ascending.get(i);
      }
    }
    return String.join(", ", ranges);
  }

  private static List<String> nodeTable(StatusDocument status) {
    Table table = new Table("NODE", "STATE", "HEARD", "LEADS", "REPLICAS", "WITNESSES", "VERSION");
    for (Node node : status.nodes()) {
      table.row(
          node.name(),
          state(node),
          heard(node.heardMillisAgo()),
          String.valueOf(node.leads()),
          String.valueOf(node.replicas()),
          String.valueOf(node.witnesses()),
          node.version() == null ? "?" : node.version());
    }
    return table.lines();
  }

  private static String state(Node node) {
    if (node.up()) {
      return "up";
    }
    return node.heard() ? "NOT REACHED" : node.reached() ? "NOT HEARD" : "DOWN";
  }

  private static String heard(Long millisAgo) {
    if (millisAgo == null || millisAgo < 0) {
      return "never";
    }
    return millisAgo < 2000 ? "now" : millisAgo / 1000 + " s ago";
  }

  private static List<String> partitionTable(StatusDocument status) {
    Table table =
        new Table("PARTITION", "SLOTS", "LEADER", "TERM", "REPLICAS", "WITNESS", "CAN LOSE");
    for (Partition partition : status.partitionList()) {
      table.row(
          String.valueOf(partition.index()),
          partition.firstSlot() + "-" + partition.lastSlot(),
          partition.leader() == null ? "NONE" : partition.leader(),
          String.valueOf(partition.term()),
          partition.replicas().stream()
              .map(replica -> replica(status, replica))
              .collect(Collectors.joining(", ")),
          partition.witness() == null
              ? "-"
              : voter(
                  status,
                  partition.witness().node(),
                  partition.witness().up(),
                  partition.witness().counts()),
          String.valueOf(partition.canLose()));
    }
    return table.lines();
  }

  private static String replica(StatusDocument status, Replica replica) {
    boolean behind = replica.up() && replica.lag() != null && replica.lag() > 0;
    return voter(status, replica.node(), replica.up(), replica.counts())
        + (behind ? " behind " + replica.lag() : "");
  }

  /** A voter that does not serve says why: its node's state, or that it has stopped there. */
  private static String voter(StatusDocument status, String name, boolean up, boolean counts) {
    if (up) {
      return name + (counts ? "" : " DOES NOT COUNT");
    }
    return status.nodes().stream()
        .filter(node -> node.name().equals(name) && !node.up())
        .findFirst()
        .map(node -> name + " " + state(node))
        .orElse(name + " STOPPED");
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.tools.StatusDocument.Node;
import dev.cairn.tools.StatusDocument.Partition;
import dev.cairn.tools.StatusDocument.Replica;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The cluster's state for a person: healthy or not, what to do, what it can still lose, tables. */
final class StatusText {
  private StatusText() {}

  static List<String> of(StatusDocument status) {
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
      lines.add(status.healthy() ? "Nothing to do." : "Wait a moment and ask again.");
    }
    status.problems().forEach(problem -> lines.add("- " + problem));
    lines.add(canLose(status));
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

  private static String canLose(StatusDocument status) {
    if (status.partitionList().isEmpty()) {
      return "The cluster holds no partitions yet.";
    }
    String leaderless =
        numbers(status.partitionList().stream().filter(partition -> partition.leader() == null));
    if (!leaderless.isEmpty()) {
      return "Keys in these partitions can be neither read nor written now: " + leaderless + ".";
    }
    int least = status.partitionList().stream().mapToInt(Partition::canLose).min().orElse(0);
    if (least > 0) {
      return "It can lose any "
          + (least == 1 ? "node" : least + " nodes")
          + " and go on, with nothing lost.";
    }
    return "It cannot lose another node of these partitions and go on: "
        + numbers(status.partitionList().stream().filter(partition -> partition.canLose() <= 0))
        + ".";
  }

  private static String numbers(java.util.stream.Stream<Partition> partitions) {
    return partitions
        .map(partition -> String.valueOf(partition.index()))
        .collect(Collectors.joining(", "));
  }

  private static List<String> nodeTable(StatusDocument status) {
    Table table = new Table("NODE", "STATE", "HEARD", "LEADS", "REPLICAS", "WITNESSES", "VERSION");
    for (Node node : status.nodes()) {
      table.row(
          node.name(),
          node.up() ? "up" : "DOWN",
          heard(node.heardMillisAgo()),
          String.valueOf(node.leads()),
          String.valueOf(node.replicas()),
          String.valueOf(node.witnesses()),
          node.version() == null ? "?" : node.version());
    }
    return table.lines();
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
          partition.replicas().stream().map(StatusText::replica).collect(Collectors.joining(", ")),
          partition.witness() == null
              ? "-"
              : partition.witness().node() + (partition.witness().up() ? "" : " DOWN"),
          String.valueOf(partition.canLose()));
    }
    return table.lines();
  }

  private static String replica(Replica replica) {
    String state = "";
    if (!replica.up()) {
      state = " DOWN";
    } else if (replica.lag() != null && replica.lag() > 0) {
      state = " behind " + replica.lag();
    }
    return replica.node() + state;
  }
}

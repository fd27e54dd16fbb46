// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cairn.server.cluster.Announced;
import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.cluster.Membership;
import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.cluster.Placement;
import dev.cairn.server.cluster.Replica;
import dev.cairn.server.metrics.CommandMetrics;
import dev.cairn.server.partition.LogLimits;
import dev.cairn.server.partition.Partitions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * The cluster's health as one document: what is wrong, what to do about it, and what it can still
 * lose. Drawn from reports that are up to a second and a half old. {@code docs/operations.md} has
 * its grammar.
 */
public final class ClusterStatus {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String selfName;
  private final Membership membership;
  private final Supplier<String> waitingFor;
  private final LogLimits limits;

  /**
   * Creates the page of a node.
   *
   * @param waitingFor what the node waits for before it has a cluster
   * @param limits how much log a witness may keep
   */
  public ClusterStatus(
      String selfName, Membership membership, Supplier<String> waitingFor, LogLimits limits) {
    this.selfName = selfName;
    this.membership = membership;
    this.waitingFor = waitingFor;
    this.limits = limits;
  }

  String document(ClusterState cluster, Partitions partitions) {
    ObjectNode document = JSON.createObjectNode();
    List<String> problems = new ArrayList<>();
    document.put("answeredBy", selfName);
    if (cluster == null) {
      document.put("clusterId", "").put("epoch", 0);
      problems.add("The cluster has not formed: " + waitingFor.get() + ".");
    } else {
      document
          .put("clusterId", cluster.clusterId())
          .put("epoch", cluster.epoch())
          .put("replicationFactor", cluster.replicationFactor())
          .put("partitions", cluster.partitionCount());
      if (cluster.partitions().isEmpty()) {
        problems.add(
            "The cluster has formed and waits for a majority of its nodes to place partitions.");
      }
      if (cluster.members().size() > cluster.partitionCount()) {
        problems.add(
            "There are more nodes than partitions: "
                + (cluster.members().size() - cluster.partitionCount())
                + " can never lead one.");
      }
      copies(cluster, problems);
      Map<String, Counts> counts = new TreeMap<>();
      ArrayNode partitionList = JSON.createArrayNode();
      for (Placement placement : cluster.partitions()) {
        partitionList.add(partition(cluster, partitions, placement, counts, problems));
      }
      ArrayNode nodes = document.putArray("nodes");
      for (Member member : cluster.members()) {
        nodes.add(node(member, counts.getOrDefault(member.id(), new Counts()), problems));
      }
      document.set("partitionList", partitionList);
    }
    document.put("healthy", problems.isEmpty());
    ArrayNode list = document.putArray("problems");
    problems.stream().distinct().forEach(list::add);
    try {
      return JSON.writeValueAsString(document);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void copies(ClusterState cluster, List<String> problems) {
    int nodes = cluster.members().size();
    if (cluster.replicationFactor() > nodes) {
      problems.add(
          "There are "
              + nodes
              + " nodes for "
              + cluster.replicationFactor()
              + " copies: each node holds everything, and there are no more copies than nodes.");
    }
  }

  private ObjectNode node(Member member, Counts counts, List<String> problems) {
    boolean up = membership.isUp(member.id());
    if (!up) {
      problems.add(
          membership.room(member.id()).low()
              ? "Node "
                  + member.name()
                  + " is down, and its disk was full: make room there. Where its process still runs it comes back by itself, else start it again."
              : "Node " + member.name() + " is down: start it again.");
    } else if (membership.room(member.id()).low()) {
      NodeReport.Room room = membership.room(member.id());
      problems.add(
          "Node "
              + member.name()
              + " has "
              + (room.freeBytes() >> 20)
              + " MiB left on its disk and needs "
              + (room.freeBytesMin() >> 20)
              + ": make room there, or delete keys. Partitions that need it refuse writes (OOM) until then.");
    }
    Announced announced = membership.announced(member);
    ObjectNode node = JSON.createObjectNode();
    node.put("name", member.name())
        .put("id", member.id())
        .put("host", announced.host())
        .put("clientPort", announced.clientPort())
        .put("clusterPort", announced.clusterPort())
        .put("up", up);
    membership
        .heardMillisAgo(member.id())
        .ifPresent(millis -> node.put("heardMillisAgo", Math.max(0, millis)));
    node.put("leads", counts.leads)
        .put("replicas", counts.replicas)
        .put("witnesses", counts.witnesses)
        .put("version", membership.report(member.id()).map(NodeReport::version).orElse(""));
    membership.report(member.id()).ifPresent(report -> figures(node, report));
    return node;
  }

  private static void figures(ObjectNode node, NodeReport report) {
    NodeReport.Figures figures = report.figures();
    node.put("upMillis", figures.upMillis())
        .put("diskBytes", figures.diskBytes())
        .put("diskFreeBytes", report.room().freeBytes())
        .put("diskLow", report.room().low())
        .put("heapUsedBytes", figures.heapUsedBytes())
        .put("heapMaxBytes", figures.heapMaxBytes())
        .put("residentBytes", figures.residentBytes())
        .put("reads", figures.answered().reads())
        .put("writes", figures.answered().writes())
        .put("failed", figures.answered().failed());
    ArrayNode within = node.putArray("within");
    for (CommandMetrics.Bucket bucket : figures.answered().within()) {
      ObjectNode row = within.addObject();
      if (bucket.micros() == Long.MAX_VALUE) {
        row.putNull("micros");
      } else {
        row.put("micros", bucket.micros());
      }
      row.put("count", bucket.count());
    }
  }

  private ObjectNode partition(
      ClusterState cluster,
      Partitions partitions,
      Placement placement,
      Map<String, Counts> counts,
      List<String> problems) {
    ObjectNode node = JSON.createObjectNode();
    Optional<String> leader = partitions.leaderId(placement.index()).filter(membership::isUp);
    node.put("index", placement.index())
        .put("firstSlot", placement.firstSlot())
        .put("lastSlot", placement.lastSlot())
        .put("leader", leader.map(id -> nameOf(cluster, id)).orElse(null));
    long reached = 0;
    long term = 0;
    for (Replica voter : placement.voters()) {
      Optional<NodeReport.PartitionReport> report = membership.report(voter, placement.index());
      reached = Math.max(reached, report.map(NodeReport.PartitionReport::appliedIndex).orElse(0L));
      term = Math.max(term, report.map(NodeReport.PartitionReport::term).orElse(0L));
    }
    node.put("term", term);
    int aliveFull = 0;
    ArrayNode replicas = node.putArray("replicas");
    for (Replica replica : placement.replicas()) {
      boolean serves = serves(cluster, placement, replica, problems);
      aliveFull += serves ? 1 : 0;
      counts.computeIfAbsent(replica.nodeId(), id -> new Counts()).replicas++;
      long applied =
          membership
              .report(replica, placement.index())
              .map(NodeReport.PartitionReport::appliedIndex)
              .orElse(0L);
      replicas
          .addObject()
          .put("node", nameOf(cluster, replica.nodeId()))
          .put("up", serves)
          .put("lag", Math.max(0, reached - applied));
    }
    leader.ifPresent(id -> counts.computeIfAbsent(id, i -> new Counts()).leads++);
    int alive = aliveFull;
    Replica witness = placement.witness();
    if (witness == null) {
      node.putNull("witness");
    } else {
      boolean serves = serves(cluster, placement, witness, problems);
      alive += serves ? 1 : 0;
      warnOfWitnessLog(cluster, placement, problems);
      counts.computeIfAbsent(witness.nodeId(), id -> new Counts()).witnesses++;
      node.putObject("witness").put("node", nameOf(cluster, witness.nodeId())).put("up", serves);
    }
    int majority = placement.voters().size() / 2 + 1;
    boolean votersChange =
        leader.filter(id -> membership.votersChange(placement, id, cluster.epoch())).isPresent();
    if (votersChange) {
      problems.add(
          "Partition "
              + placement.index()
              + " is taking in a new replica or witness: nothing to do but to keep the others running until it votes.");
    }
    node.put("canLose", votersChange ? 0 : Math.max(0, Math.min(alive - majority, aliveFull - 1)));
    if (leader.isEmpty()) {
      problems.add(
          "Partition "
              + placement.index()
              + " has no leader"
              + (alive < majority
                  ? ": too few of its nodes are up. Start them again."
                  : "; an election is under way."));
    }
    return node;
  }

  /**
   * A witness whose log nears its bound will have to drop what a replica that is away still needs.
   */
  private void warnOfWitnessLog(ClusterState cluster, Placement placement, List<String> problems) {
    long logBytes =
        membership
            .report(placement.witness(), placement.index())
            .map(NodeReport.PartitionReport::logBytes)
            .orElse(0L);
    if (logBytes > limits.witnessBytesMax() / 2) {
      problems.add(
          "The witness of partition "
              + placement.index()
              + " on node "
              + nameOf(cluster, placement.witness().nodeId())
              + " keeps "
              + (logBytes >> 20)
              + " MiB of log for a replica that is behind, and may keep "
              + (limits.witnessBytesMax() >> 20)
              + " MiB: bring that replica back before. Past the bound the partition stops if its leader is lost too.");
    }
  }

  private boolean serves(
      ClusterState cluster, Placement placement, Replica replica, List<String> problems) {
    if (!membership.isUp(replica.nodeId())) {
      return false;
    }
    Optional<NodeReport.PartitionReport> report =
        membership
            .report(replica.nodeId())
            .flatMap(nodeReport -> nodeReport.partition(placement.index()));
    if (report.isPresent() && report.get().status() == NodeReport.Status.FAILED) {
      problems.add(
          "Partition "
              + placement.index()
              + " has stopped on node "
              + nameOf(cluster, replica.nodeId())
              + ": its log says why.");
    } else if (report.isPresent() && report.get().status() == NodeReport.Status.DAMAGED) {
      problems.add(
          "The data of partition "
              + placement.index()
              + " on node "
              + nameOf(cluster, replica.nodeId())
              + " is damaged: it is rebuilt by itself as soon as another replica leads. Look at that node's disk.");
    } else if (report.isPresent() && report.get().status() == NodeReport.Status.LOST) {
      problems.add(
          "Node "
              + nameOf(cluster, replica.nodeId())
              + " has lost its disk's content: its replicas do not vote. Bring the old data folder back.");
    }
    return report.isPresent()
        && report.get().incarnation() == replica.incarnation()
        && (report.get().status() == NodeReport.Status.FOLLOWS
            || report.get().status() == NodeReport.Status.LEADS);
  }

  private static String nameOf(ClusterState cluster, String nodeId) {
    return cluster.member(nodeId).map(Member::name).orElse(nodeId);
  }

  private static final class Counts {
    private int leads;
    private int replicas;
    private int witnesses;
  }
}

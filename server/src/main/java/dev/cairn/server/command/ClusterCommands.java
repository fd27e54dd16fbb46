// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import static dev.cairn.server.command.Replies.entry;
import static dev.cairn.server.command.Row.plain;

import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.Slots;
import dev.cairn.protocol.Topology;
import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * CLUSTER: the topology as Redis Cluster tells it. Both ports answer, so that the client port can
 * serve as a seed; what is announced are the cluster ports.
 *
 * <p>{@link ClusterView} says who is told as master and replica of what.
 */
final class ClusterCommands {
  /** Redis' bus port is the data port + 10000. Nothing of ours listens there. */
  private static final int BUS_PORT_OFFSET = 10_000;

  static final List<Row.Written> ROWS =
      Row.group(
          "cluster",
          plain(
              "READONLY",
              "3.0.0",
              "Reads of this connection have level ONE: any replica's own state, perhaps out of date.",
              ConnectionCommands::readonly),
          plain("READWRITE", "3.0.0", "Ends READONLY.", ConnectionCommands::readwrite),
          plain(
              "ASKING",
              "3.0.0",
              "Accepted, changes nothing: slots never move key by key.",
              Call::ok),
          Row.container(
              "CLUSTER",
              "3.0.0",
              "The topology, as Redis Cluster tells it.",
              ScanCommands.COUNT_KEYS_IN_SLOT,
              ScanCommands.GET_KEYS_IN_SLOT,
              plain(
                  "CLUSTER INFO",
                  "3.0.0",
                  "Says whether all slots are served.",
                  ClusterCommands::info),
              plain(
                  "CLUSTER KEYSLOT key",
                  "3.0.0",
                  "Returns the slot of a key.",
                  ClusterCommands::keyslot),
              plain("CLUSTER MYID", "3.0.0", "Returns this node's id.", ClusterCommands::myid),
              plain(
                  "CLUSTER NODES",
                  "3.0.0",
                  "Lists nodes, with the slots that each leads.",
                  ClusterCommands::nodes),
              plain(
                  "CLUSTER REPLICAS node-id",
                  "5.0.0",
                  "Lists the replicas of a master: nodes that lead nothing and hold a copy of its keys.",
                  ClusterCommands::replicas),
              plain(
                  "CLUSTER SHARDS",
                  "7.0.0",
                  "Lists masters, with their slots and replicas.",
                  ClusterCommands::shards),
              plain(
                  "CLUSTER SLAVES node-id",
                  "3.0.0",
                  "The old name of CLUSTER REPLICAS.",
                  ClusterCommands::replicas),
              plain(
                  "CLUSTER SLOTS",
                  "3.0.0",
                  "Lists ranges of slots, the leader first.",
                  ClusterCommands::slots)));

  private ClusterCommands() {}

  static void keyslot(Call call) {
    call.reply(new RespValue.Int(Slots.of(call.word(2))));
  }

  static void myid(Call call) {
    call.reply(RespValue.bulk(call.router().nodeId()));
  }

  static void slots(Call call) {
    Topology topology = call.router().topology();
    ClusterView view = view(call, topology);
    List<RespValue> ranges = new ArrayList<>();
    for (Topology.Partition partition : topology.partitions()) {
      Optional<Topology.Node> owner = view.owner(partition);
      if (owner.isEmpty()) {
        continue;
      }
      List<RespValue> range = new ArrayList<>();
      range.add(new RespValue.Int(partition.firstSlot()));
      range.add(new RespValue.Int(partition.lastSlot()));
      range.add(slotsNode(owner.get()));
      view.replicas(partition).forEach(node -> range.add(slotsNode(node)));
      ranges.add(new RespValue.Array(range));
    }
    call.reply(new RespValue.Array(ranges));
  }

  private static RespValue slotsNode(Topology.Node node) {
    return RespValue.array(
        RespValue.bulk(node.host()),
        new RespValue.Int(node.clusterPort()),
        RespValue.bulk(node.id()),
        RespValue.array());
  }

  static void shards(Call call) {
    ClusterView view = view(call, call.router().topology());
    List<RespValue> shards = new ArrayList<>();
    for (Topology.Node master : view.nodes()) {
      if (view.masterOf(master).isPresent()) {
        continue;
      }
      List<RespValue> slots = new ArrayList<>();
      for (Topology.Partition partition : view.owned(master)) {
        slots.add(new RespValue.Int(partition.firstSlot()));
        slots.add(new RespValue.Int(partition.lastSlot()));
      }
      List<RespValue> nodes = new ArrayList<>();
      nodes.add(shardsNode(master, "master"));
      replicasOf(view, master).forEach(node -> nodes.add(shardsNode(node, "replica")));
      shards.add(
          new RespValue.Dictionary(
              List.of(
                  entry("slots", new RespValue.Array(slots)),
                  entry("nodes", new RespValue.Array(nodes)))));
    }
    call.reply(new RespValue.Array(shards));
  }

  private static RespValue shardsNode(Topology.Node node, String role) {
    return new RespValue.Dictionary(
        List.of(
            entry("id", RespValue.bulk(node.id())),
            entry("port", new RespValue.Int(node.clusterPort())),
            entry("ip", RespValue.bulk(node.host())),
            entry("endpoint", RespValue.bulk(node.host())),
            entry("role", RespValue.bulk(role)),
            entry("replication-offset", new RespValue.Int(0)),
            entry("health", RespValue.bulk(node.up() ? "online" : "failed"))));
  }

  static void nodes(Call call) {
    Topology topology = call.router().topology();
    ClusterView view = view(call, topology);
    StringBuilder lines = new StringBuilder();
    view.nodes().forEach(node -> lines.append(line(call, topology, view, node)).append('\n'));
    call.reply(text(lines));
  }

  static void replicas(Call call) {
    Topology topology = call.router().topology();
    ClusterView view = view(call, topology);
    String id = new String(call.word(2), StandardCharsets.UTF_8);
    Topology.Node master =
        view.node(id).orElseThrow(() -> new Refusal("Unknown node " + Words.shown(call.word(2))));
    if (view.masterOf(master).isPresent()) {
      throw new Refusal("The specified node is not a master");
    }
    call.reply(
        new RespValue.Array(
            replicasOf(view, master).stream()
                .<RespValue>map(node -> RespValue.bulk(line(call, topology, view, node)))
                .toList()));
  }

  /** One line of CLUSTER NODES, without its end. */
  private static String line(Call call, Topology topology, ClusterView view, Topology.Node node) {
    int busPort = node.clusterPort() + BUS_PORT_OFFSET;
    Optional<Topology.Node> master = view.masterOf(node);
    StringBuilder line = new StringBuilder();
    line.append(
        "%s %s:%d@%d %s%s%s %s 0 0 %d %s"
            .formatted(
                node.id(),
                node.host(),
                node.clusterPort(),
                busPort > 65_535 ? 0 : busPort,
                node.id().equals(call.router().nodeId()) ? "myself," : "",
                master.isPresent() ? "slave" : "master",
                node.up() ? "" : ",fail",
                master.map(Topology.Node::id).orElse("-"),
                topology.epoch(),
                node.up() ? "connected" : "disconnected"));
    for (Topology.Partition partition : view.owned(node)) {
      line.append(' ').append(partition.firstSlot());
      if (partition.lastSlot() > partition.firstSlot()) {
        line.append('-').append(partition.lastSlot());
      }
    }
    return line.toString();
  }

  private static List<Topology.Node> replicasOf(ClusterView view, Topology.Node master) {
    return view.nodes().stream()
        .filter(node -> view.masterOf(node).filter(master::equals).isPresent())
        .toList();
  }

  private static ClusterView view(Call call, Topology topology) {
    return new ClusterView(topology, call.router().nodeId());
  }

  static void info(Call call) {
    Topology topology = call.router().topology();
    int assigned = 0;
    int served = 0;
    for (Topology.Partition partition : topology.partitions()) {
      int slots = partition.lastSlot() - partition.firstSlot() + 1;
      assigned += slots;
      served += partition.leaderId().isPresent() ? slots : 0;
    }
    long leaders =
        topology.partitions().stream()
            .flatMap(partition -> partition.leaderId().stream())
            .distinct()
            .count();
    StringBuilder lines = new StringBuilder();
    lines.append("cluster_enabled:1\r\n");
    lines.append("cluster_state:").append(served == Slots.COUNT ? "ok" : "fail").append("\r\n");
    lines.append("cluster_slots_assigned:").append(assigned).append("\r\n");
    lines.append("cluster_slots_ok:").append(served).append("\r\n");
    lines.append("cluster_slots_pfail:0\r\n");
    lines.append("cluster_slots_fail:").append(assigned - served).append("\r\n");
    lines.append("cluster_known_nodes:").append(topology.nodes().size()).append("\r\n");
    lines.append("cluster_size:").append(leaders).append("\r\n");
    lines.append("cluster_current_epoch:").append(topology.epoch()).append("\r\n");
    lines.append("cluster_my_epoch:").append(topology.epoch()).append("\r\n");
    Metrics metrics = call.port().metrics();
    lines.append("cluster_stats_messages_sent:").append(messages(metrics, "sent")).append("\r\n");
    lines
        .append("cluster_stats_messages_received:")
        .append(messages(metrics, "received"))
        .append("\r\n");
    call.reply(text(lines));
  }

  private static long messages(Metrics metrics, String direction) {
    return metrics.count(Metric.PEER_MESSAGES, direction);
  }

  private static RespValue text(StringBuilder text) {
    return new RespValue.Verbatim("txt", text.toString().getBytes(StandardCharsets.UTF_8));
  }
}

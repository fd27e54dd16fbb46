// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import static dev.cairn.server.command.ConnectionCommands.entry;
import static dev.cairn.server.command.Row.plain;

import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.Slots;
import dev.cairn.protocol.Topology;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * CLUSTER: the topology as Redis Cluster tells it. Both faces answer, so that the client port can
 * serve as a seed; what is announced are the cluster ports.
 *
 * <p>In Redis a node is a master or a replica; here it leads some partitions and follows others. So
 * every node is told as a master of the slots that it leads, and SLOTS and SHARDS, which speak of
 * ranges, name the other replicas of each range. A node without a cluster port is left out; a range
 * without a leader is not served, as in Redis.
 */
final class ClusterCommands {
  /** Redis' bus port is the data port + 10000. Nothing of ours listens there. */
  private static final int BUS_PORT_OFFSET = 10_000;

  static final List<Command> ROWS =
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
                  "CLUSTER SHARDS",
                  "7.0.0",
                  "Lists partitions, with their nodes.",
                  ClusterCommands::shards),
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
    List<RespValue> ranges = new ArrayList<>();
    for (Topology.Partition partition : topology.partitions()) {
      List<Topology.Node> holders = holders(topology, partition);
      if (holders.isEmpty()) {
        continue;
      }
      List<RespValue> range = new ArrayList<>();
      range.add(new RespValue.Int(partition.firstSlot()));
      range.add(new RespValue.Int(partition.lastSlot()));
      for (Topology.Node node : holders) {
        range.add(
            RespValue.array(
                RespValue.bulk(node.host()),
                new RespValue.Int(node.clusterPort()),
                RespValue.bulk(node.id()),
                RespValue.array()));
      }
      ranges.add(new RespValue.Array(range));
    }
    call.reply(new RespValue.Array(ranges));
  }

  static void shards(Call call) {
    Topology topology = call.router().topology();
    List<RespValue> shards = new ArrayList<>();
    for (Topology.Partition partition : topology.partitions()) {
      List<RespValue> nodes = new ArrayList<>();
      List<Topology.Node> holders = holders(topology, partition);
      for (int i = 0; i < holders.size(); i++) {
        Topology.Node node = holders.get(i);
        nodes.add(
            new RespValue.Dictionary(
                List.of(
                    entry("id", RespValue.bulk(node.id())),
                    entry("port", new RespValue.Int(node.clusterPort())),
                    entry("ip", RespValue.bulk(node.host())),
                    entry("endpoint", RespValue.bulk(node.host())),
                    entry("role", RespValue.bulk(i == 0 ? "master" : "replica")),
                    entry("replication-offset", new RespValue.Int(0)),
                    entry("health", RespValue.bulk(node.up() ? "online" : "failed")))));
      }
      RespValue range =
          RespValue.array(
              new RespValue.Int(partition.firstSlot()), new RespValue.Int(partition.lastSlot()));
      shards.add(
          new RespValue.Dictionary(
              List.of(entry("slots", range), entry("nodes", new RespValue.Array(nodes)))));
    }
    call.reply(new RespValue.Array(shards));
  }

  static void nodes(Call call) {
    Topology topology = call.router().topology();
    StringBuilder lines = new StringBuilder();
    for (Topology.Node node : topology.nodes()) {
      if (node.clusterPort() == 0) {
        continue;
      }
      int busPort = node.clusterPort() + BUS_PORT_OFFSET;
      lines.append(
          "%s %s:%d@%d %smaster%s - 0 0 %d %s"
              .formatted(
                  node.id(),
                  node.host(),
                  node.clusterPort(),
                  busPort > 65_535 ? 0 : busPort,
                  node.id().equals(call.router().nodeId()) ? "myself," : "",
                  node.up() ? "" : ",fail",
                  topology.epoch(),
                  node.up() ? "connected" : "disconnected"));
      for (Topology.Partition partition : topology.partitions()) {
        if (partition.leaderId().filter(node.id()::equals).isPresent()) {
          lines.append(' ').append(partition.firstSlot());
          if (partition.lastSlot() > partition.firstSlot()) {
            lines.append('-').append(partition.lastSlot());
          }
        }
      }
      lines.append('\n');
    }
    call.reply(text(lines));
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
    call.reply(text(lines));
  }

  /** The leader first, then the other replicas in ring order; empty when there is no leader. */
  private static List<Topology.Node> holders(Topology topology, Topology.Partition partition) {
    List<Topology.Node> holders = new ArrayList<>();
    partition
        .leaderId()
        .flatMap(topology::node)
        .filter(node -> node.clusterPort() != 0)
        .ifPresent(holders::add);
    if (holders.isEmpty()) {
      return List.of();
    }
    for (String id : partition.replicaIds()) {
      topology
          .node(id)
          .filter(node -> node.clusterPort() != 0 && !holders.contains(node))
          .ifPresent(holders::add);
    }
    return holders;
  }

  private static RespValue text(StringBuilder text) {
    return new RespValue.Verbatim("txt", text.toString().getBytes(StandardCharsets.UTF_8));
  }
}

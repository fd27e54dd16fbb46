// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.Limits;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.Slots;
import dev.cairn.protocol.Topology;
import dev.cairn.server.routing.Router;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Whether keys can be served by the port that was asked: their lengths, and on a cluster port what
 * a Redis Cluster node would say of their slots.
 */
record Redirection(Router router, PortKind kind) {
  /**
   * Why a request with these keys is not for this node, or null.
   *
   * @param fromOne whether this node's own replica will do
   */
  RespValue.ErrorReply of(List<byte[]> keys, boolean fromOne) {
    int slot = -1;
    boolean oneSlot = true;
    for (byte[] key : keys) {
      if (key.length < Limits.KEY_BYTES_MIN || key.length > Limits.KEY_BYTES_MAX) {
        return RespValue.error(
            ErrorCode.ERR,
            "key must be %d to %d bytes, this one has %d"
                .formatted(Limits.KEY_BYTES_MIN, Limits.KEY_BYTES_MAX, key.length));
      }
      if (kind == PortKind.CLUSTER) {
        int slotOfKey = Slots.of(key);
        oneSlot &= slot < 0 || slot == slotOfKey;
        slot = slotOfKey;
      }
    }
    if (!oneSlot) {
      return RespValue.error(ErrorCode.CROSSSLOT, "Keys in request don't hash to the same slot");
    }
    return slot < 0 ? null : ofSlot(slot, fromOne);
  }

  /**
   * Cluster port: where the slot is led if not here, or null if it is served here.
   *
   * @param fromOne whether this node's own replica will do
   */
  private RespValue.ErrorReply ofSlot(int slot, boolean fromOne) {
    OptionalInt partition = router.partitionOfSlot(slot);
    if (partition.isPresent()
        && (router.leads(partition.getAsInt())
            || (fromOne && router.servesOwn(partition.getAsInt())))) {
      return null;
    }
    Topology topology = router.topology();
    Optional<Topology.Node> leader =
        topology
            .partitionOfSlot(slot)
            .flatMap(Topology.Partition::leaderId)
            .flatMap(topology::node);
    if (leader.isEmpty() || leader.get().id().equals(router.nodeId())) {
      return null; // between two leaders: it waits for the next one, and answers CLUSTERDOWN if
      // none comes
    }
    if (leader.get().clusterPort() == 0) {
      return null; // nowhere to send the client to: forward, as the client port does
    }
    return RespValue.error(
        ErrorCode.MOVED,
        "%d %s:%d".formatted(slot, leader.get().host(), leader.get().clusterPort()));
  }
}

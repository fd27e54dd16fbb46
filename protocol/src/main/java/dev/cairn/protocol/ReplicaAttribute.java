// SPDX-License-Identifier: Apache-2.0
package dev.cairn.protocol;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Who served a request: the attribute that a RESP3 connection gets in front of its replies after
 * {@code CAIRN REPLICAS ON}.
 *
 * <pre>
 * attribute := { "node": host:port, "replicas": [ [host:port, "ok" | "behind"]* ], "age-millis": int }
 * </pre>
 *
 * <p>{@code age-millis} is there for a read of level ONE from a replica that has heard no leader
 * for a while; {@code replicas} is there for a write of a single key only: one for each live full
 * replica, the leader first, then in ring order; {@code behind} had the write not on disk within
 * the wait.
 *
 * @param node name of the node that led the write or answered the read
 * @param replicas empty for everything but a single-key write
 * @param ageMillis how old what was read may be; 0 where there is nothing to say
 */
public record ReplicaAttribute(String node, List<Replica> replicas, long ageMillis) {
  /**
   * One full replica.
   *
   * @param node its node's name, {@code host:port}
   * @param durable whether it has the write on disk
   */
  public record Replica(String node, boolean durable) {}

  public ReplicaAttribute {
    replicas = List.copyOf(replicas);
  }

  /** The reply with this in front. */
  public RespValue.Attributed before(RespValue reply) {
    List<RespValue.Entry> entries = new ArrayList<>(3);
    entries.add(new RespValue.Entry(RespValue.bulk("node"), RespValue.bulk(node)));
    if (!replicas.isEmpty()) {
      List<RespValue> rows = new ArrayList<>(replicas.size());
      for (Replica replica : replicas) {
        rows.add(
            RespValue.array(
                RespValue.bulk(replica.node()),
                RespValue.bulk(replica.durable() ? "ok" : "behind")));
      }
      entries.add(new RespValue.Entry(RespValue.bulk("replicas"), new RespValue.Array(rows)));
    }
    if (ageMillis > 0) {
      entries.add(new RespValue.Entry(RespValue.bulk("age-millis"), new RespValue.Int(ageMillis)));
    }
    return new RespValue.Attributed(entries, reply);
  }

  /**
   * What a reply says about who served it; empty if it says nothing. Unknown attributes and fields
   * are ignored.
   */
  public static Optional<ReplicaAttribute> of(RespValue reply) {
    if (!(reply instanceof RespValue.Attributed attributed)) {
      return Optional.empty();
    }
    String node = null;
    List<Replica> replicas = new ArrayList<>();
    long ageMillis = 0;
    for (RespValue.Entry entry : attributed.attributes()) {
      String name = text(entry.key());
      if ("node".equals(name)) {
        node = text(entry.value());
      } else if ("replicas".equals(name) && entry.value() instanceof RespValue.Array rows) {
        for (RespValue row : rows.elements()) {
          replicas.add(replica(row));
        }
      } else if ("age-millis".equals(name) && entry.value() instanceof RespValue.Int age) {
        ageMillis = age.value();
      }
    }
    return node == null
        ? Optional.empty()
        : Optional.of(new ReplicaAttribute(node, replicas, ageMillis));
  }

  private static Replica replica(RespValue row) {
    if (row instanceof RespValue.Array pair && pair.elements().size() >= 2) {
      String node = text(pair.elements().get(0));
      String state = text(pair.elements().get(1));
      if (node != null && state != null) {
        return new Replica(node, state.equals("ok"));
      }
    }
    throw new RespProtocolException("a replica attribute that is not [node, state]");
  }

  private static String text(RespValue value) {
    return value instanceof RespValue.Bulk bulk
        ? new String(bulk.bytes(), StandardCharsets.UTF_8)
        : value instanceof RespValue.SimpleString simple ? simple.text() : null;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.protocol;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/**
 * The reply to {@code CAIRN TOPOLOGY}. Nothing but arrays, integers, bulks and nulls, so that RESP2
 * carries it too.
 *
 * <pre>
 * topology  := [ epoch:int, clusterId:bulk, [ node* ], [ partition* ], timeMillis:int | null ]
 * node      := [ id:bulk, host:bulk, clientPort:int, clusterPort:int, up:int (0 | 1) ]
 * partition := [ index:int, firstSlot:int, lastSlot:int, leaderId:bulk | null,
 *                [ replicaId:bulk* ] (ring order), witnessId:bulk | null ]
 * </pre>
 *
 * <p>{@code timeMillis} is the cluster's time, by which clients stamp the ids of their writes; null
 * while too few nodes are up to tell.
 *
 * <p>A later version may append elements to any of the arrays: a reader ignores what it does not
 * know.
 */
public final class TopologyCodec {
  private TopologyCodec() {}

  /** The reply that says this topology and the cluster's time, milliseconds since 1970. */
  public static RespValue encode(Topology topology, OptionalLong timeMillis) {
    return RespValue.array(
        new RespValue.Int(topology.epoch()),
        RespValue.bulk(topology.clusterId()),
        list(topology.nodes(), TopologyCodec::encodeNode),
        list(topology.partitions(), TopologyCodec::encodePartition),
        timeMillis.isPresent() ? new RespValue.Int(timeMillis.getAsLong()) : RespValue.NIL);
  }

  /** The cluster's time that a reply says, if it says one. */
  public static OptionalLong time(RespValue reply) {
    return reply instanceof RespValue.Array array
            && array.elements().size() > 4
            && array.elements().get(4) instanceof RespValue.Int millis
        ? OptionalLong.of(millis.value())
        : OptionalLong.empty();
  }

  /**
   * The topology that a reply says.
   *
   * @throws RespProtocolException if the reply is anything else, an error for instance
   */
  public static Topology decode(RespValue reply) {
    if (reply instanceof RespValue.ErrorReply error) {
      throw new RespProtocolException("no topology but an error: " + error.text());
    }
    List<RespValue> fields = fields(reply, 4);
    return new Topology(
        text(fields.get(1)),
        number(fields.get(0), 0, Long.MAX_VALUE),
        each(fields.get(2), TopologyCodec::decodeNode),
        each(fields.get(3), TopologyCodec::decodePartition));
  }

  private static RespValue encodeNode(Topology.Node node) {
    return RespValue.array(
        RespValue.bulk(node.id()),
        RespValue.bulk(node.host()),
        new RespValue.Int(node.clientPort()),
        new RespValue.Int(node.clusterPort()),
        new RespValue.Int(node.up() ? 1 : 0));
  }

  private static Topology.Node decodeNode(RespValue value) {
    List<RespValue> fields = fields(value, 5);
    return new Topology.Node(
        text(fields.get(0)),
        text(fields.get(1)),
        (int) number(fields.get(2), 0, 65_535),
        (int) number(fields.get(3), 0, 65_535),
        number(fields.get(4), 0, 1) == 1);
  }

  private static RespValue encodePartition(Topology.Partition partition) {
    return RespValue.array(
        new RespValue.Int(partition.index()),
        new RespValue.Int(partition.firstSlot()),
        new RespValue.Int(partition.lastSlot()),
        orNull(partition.leaderId()),
        list(partition.replicaIds(), RespValue::bulk),
        orNull(partition.witnessId()));
  }

  private static Topology.Partition decodePartition(RespValue value) {
    List<RespValue> fields = fields(value, 6);
    return new Topology.Partition(
        (int) number(fields.get(0), 0, Slots.COUNT - 1),
        (int) number(fields.get(1), 0, Slots.COUNT - 1),
        (int) number(fields.get(2), 0, Slots.COUNT - 1),
        each(fields.get(4), TopologyCodec::text),
        textOrNull(fields.get(5)),
        textOrNull(fields.get(3)));
  }

  private static RespValue orNull(Optional<String> text) {
    return text.<RespValue>map(RespValue::bulk).orElse(RespValue.NIL);
  }

  private static <T> RespValue list(List<T> items, Function<T, RespValue> encode) {
    List<RespValue> elements = new ArrayList<>(items.size());
    for (T item : items) {
      elements.add(encode.apply(item));
    }
    return new RespValue.Array(elements);
  }

  private static <T> List<T> each(RespValue value, Function<RespValue, T> decode) {
    List<RespValue> elements = fields(value, 0);
    List<T> items = new ArrayList<>(elements.size());
    for (RespValue element : elements) {
      items.add(decode.apply(element));
    }
    return items;
  }

  private static List<RespValue> fields(RespValue value, int countMin) {
    if (value instanceof RespValue.Array array && array.elements().size() >= countMin) {
      return array.elements();
    }
    throw malformed("an array of at least " + countMin);
  }

  private static long number(RespValue value, long min, long max) {
    if (value instanceof RespValue.Int number && number.value() >= min && number.value() <= max) {
      return number.value();
    }
    throw malformed("a number from " + min + " to " + max);
  }

  private static String text(RespValue value) {
    if (value instanceof RespValue.Bulk bulk) {
      return new String(bulk.bytes(), StandardCharsets.UTF_8);
    }
    throw malformed("a bulk string");
  }

  private static Optional<String> textOrNull(RespValue value) {
    return value instanceof RespValue.Nil ? Optional.empty() : Optional.of(text(value));
  }

  private static RespProtocolException malformed(String expected) {
    return new RespProtocolException("a topology without " + expected + " where one belongs");
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.Slots;
import dev.cairn.protocol.Topology;
import dev.cairn.server.partition.Operation;
import dev.cairn.server.partition.Query;
import dev.cairn.server.partition.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Commands that read and write keys. */
final class KeyCommands {
  private static final RespValue NOT_PLACED =
      RespValue.error(
          ErrorCode.CLUSTERDOWN,
          "the cluster has not formed yet: start its other nodes, and see CAIRN STATUS");

  private KeyCommands() {}

  static void get(Call call) {
    Fanout.read(call, List.of(new Query.Get(call.word(1))), results -> value(results.get(0)));
  }

  static void mget(Call call) {
    List<Query> queries = new ArrayList<>(call.count() - 1);
    for (int i = 1; i < call.count(); i++) {
      queries.add(new Query.Get(call.word(i)));
    }
    Fanout.read(
        call,
        queries,
        results -> new RespValue.Array(results.stream().map(KeyCommands::value).toList()));
  }

  static void exists(Call call) {
    List<Query> queries = new ArrayList<>(call.count() - 1);
    for (int i = 1; i < call.count(); i++) {
      queries.add(new Query.Exists(call.word(i)));
    }
    Fanout.read(call, queries, KeyCommands::sum);
  }

  /** Plain only: an option of Redis' SET, none of which is there yet, is a syntax error. */
  static void set(Call call) {
    if (call.count() != 3) {
      call.error("syntax error");
      return;
    }
    put(call, 1, 1);
  }

  static void mset(Call call) {
    if (call.count() % 2 == 0) {
      call.reply(Commands.wrongArity("mset"));
      return;
    }
    put(call, 1, (call.count() - 1) / 2);
  }

  static void delete(Call call) {
    List<Operation> operations = new ArrayList<>(call.count() - 1);
    for (int i = 1; i < call.count(); i++) {
      operations.add(new Operation.Delete(call.word(i)));
    }
    Fanout.write(call, operations, KeyCommands::sum);
  }

  /** Client port: of the cluster. Cluster port: of the slots that this node leads. */
  static void dbsize(Call call) {
    List<Integer> partitions = new ArrayList<>();
    for (Topology.Partition partition : call.router().topology().partitions()) {
      if (call.commands().face() == Face.CLIENT || call.router().leads(partition.index())) {
        partitions.add(partition.index());
      }
    }
    if (call.router().topology().partitions().isEmpty()) {
      call.reply(NOT_PLACED);
      return;
    }
    Fanout.count(call.router(), partitions, call.done());
  }

  private static void put(Call call, int from, int pairs) {
    List<Operation> operations = new ArrayList<>(pairs);
    int valueBytesMax = call.commands().facts().valueBytesMax();
    for (int i = from; i < from + 2 * pairs; i += 2) {
      byte[] value = call.word(i + 1);
      if (value.length > valueBytesMax) {
        call.error(
            "value has %d bytes, this node stores at most %d"
                .formatted(value.length, valueBytesMax));
        return;
      }
      operations.add(new Operation.Put(call.word(i), value));
    }
    Fanout.write(call, operations, results -> RespValue.OK);
  }

  /** The partition of each key, in order; empty when no placement is known. */
  static <T> Optional<int[]> partitions(Topology topology, List<T> items, Function<T, byte[]> key) {
    int[] partitions = new int[items.size()];
    for (int i = 0; i < partitions.length; i++) {
      Optional<Topology.Partition> partition =
          topology.partitionOfSlot(Slots.of(key.apply(items.get(i))));
      if (partition.isEmpty()) {
        return Optional.empty();
      }
      partitions[i] = partition.get().index();
    }
    return Optional.of(partitions);
  }

  static RespValue notPlaced() {
    return NOT_PLACED;
  }

  static RespValue value(Result result) {
    if (result instanceof Result.Bytes bytes) {
      return new RespValue.Bulk(bytes.value());
    }
    if (result instanceof Result.Int number) {
      return new RespValue.Int(number.value());
    }
    return result instanceof Result.Nil ? RespValue.NIL : RespValue.OK;
  }

  static RespValue sum(List<Result> results) {
    long sum = 0;
    for (Result result : results) {
      if (result instanceof Result.Int number) {
        sum += number.value();
      }
    }
    return new RespValue.Int(sum);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.Slots;
import dev.cairn.protocol.Topology;
import dev.cairn.server.partition.Mistake;
import dev.cairn.server.partition.Operation;
import dev.cairn.server.partition.Query;
import dev.cairn.server.partition.Result;
import dev.cairn.server.partition.ValueOperation;
import dev.cairn.server.value.Integers;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/** Commands that read and write keys. */
final class KeyCommands {
  private static final RespValue NOT_PLACED =
      RespValue.error(
          ErrorCode.CLUSTERDOWN,
          "the cluster has not formed yet: start its other nodes, and see CAIRN STATUS");

  /** Stands for a partition where the keys of one operation lie in several. */
  static final int SEVERAL = -1;

  static final RespValue CROSSES =
      RespValue.error(
          ErrorCode.CROSSSLOT,
          "Keys in request don't hash to the same partition: give them a common hash tag, such as {tag}key");

  private KeyCommands() {}

  static void append(Call call) {
    int lengthMax = call.commands().facts().valueBytesMax();
    Operation append = new ValueOperation.Append(call.word(1), call.word(2), lengthMax);
    Fanout.write(call, List.of(append), results -> value(results.get(0)));
  }

  static void incr(Call call) {
    increment(call, 1);
  }

  static void decr(Call call) {
    increment(call, -1);
  }

  static void incrby(Call call) {
    OptionalLong by = Integers.parse(call.word(2));
    if (by.isEmpty()) {
      call.error(Mistake.NOT_AN_INTEGER.text());
    } else {
      increment(call, by.getAsLong());
    }
  }

  private static void increment(Call call, long by) {
    Operation increment = new ValueOperation.Increment(call.word(1), by);
    Fanout.write(call, List.of(increment), results -> value(results.get(0)));
  }

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

  /**
   * The partition of each item, in order, or {@link #SEVERAL} where its keys lie in several; empty
   * when no placement is known.
   */
  static <T> Optional<int[]> partitions(
      Topology topology, List<T> items, Function<T, List<byte[]>> keys) {
    int[] partitions = new int[items.size()];
    for (int i = 0; i < partitions.length; i++) {
      List<byte[]> ofItem = keys.apply(items.get(i));
      for (int k = 0; k < ofItem.size(); k++) {
        Optional<Topology.Partition> partition = topology.partitionOfSlot(Slots.of(ofItem.get(k)));
        if (partition.isEmpty()) {
          return Optional.empty();
        }
        int index = partition.get().index();
        partitions[i] = k == 0 || partitions[i] == index ? index : SEVERAL;
      }
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
    if (result instanceof Result.Failed failed) {
      return RespValue.error(ErrorCode.ERR, failed.mistake().text());
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

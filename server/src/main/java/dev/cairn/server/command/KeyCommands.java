// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.Topology;
import dev.cairn.server.command.Command.Access;
import dev.cairn.server.command.Command.Trait;
import dev.cairn.server.operation.KeyOperation;
import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Result;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/** Commands on keys, whatever stands under them. */
final class KeyCommands {
  /** What {@link Query.Facts} answers, by place. */
  static final int FACT_LENGTH = 0;

  static final int FACT_EXPIRES = 1;
  static final int FACT_NOW = 2;
  static final int FACT_NUMBER = 3;

  private static final String LINEAR = "O(N) where N is the number of keys";

  /** What Redis keeps in one piece of memory with its header. */
  private static final int EMBEDDED_BYTES_MAX = 44;

  /** About what a key and its record take besides their bytes: header, database key, index. */
  private static final int OVERHEAD_BYTES = 48;

  static final List<Row.Written> ROWS =
      Row.group(
          "generic",
          Row.write(
                  "DEL key [key ...]",
                  "1.0.0",
                  "Deletes keys; returns how many there were.",
                  KeyCommands::delete)
              .alias("delete")
              .slow(LINEAR)
              .with(Trait.NEEDS_NO_ROOM),
          Row.write("UNLINK key [key ...]", "4.0.0", "The same as DEL.", KeyCommands::delete)
              .slow(LINEAR)
              .with(Trait.NEEDS_NO_ROOM),
          Row.read(
                  "EXISTS key [key ...]",
                  "1.0.0",
                  "Counts the keys that exist; a key named twice counts twice.",
                  KeyCommands::exists)
              .slow(LINEAR),
          Row.read(
                  "TOUCH key [key ...]",
                  "3.2.1",
                  "The same as EXISTS: when keys were used is not kept.",
                  KeyCommands::exists)
              .slow(LINEAR),
          Row.read(
              "TYPE key",
              "1.0.0",
              "Returns string, or none.",
              call ->
                  Plan.read(
                      new Query.Exists(call.word(1)),
                      result ->
                          new RespValue.SimpleString(
                              Plan.number(result) == 1 ? "string" : "none"))),
          Row.write(
              "RENAME key newkey",
              "1.0.0",
              "Moves a value to another key of the partition.",
              call ->
                  Plan.write(
                      new KeyOperation.Rename(call.word(1), call.word(2), false),
                      result -> RespValue.OK)),
          Row.write(
              "RENAMENX key newkey",
              "1.0.0",
              "Moves a value to another key of the partition that is not there: 1, else 0.",
              call -> Plan.write(new KeyOperation.Rename(call.word(1), call.word(2), true))),
          Row.write(
                  "COPY source destination [DB 0] [REPLACE]",
                  "6.2.0",
                  "Copies a value to another key of the partition: 1, else 0.",
                  KeyCommands::copy)
              .slow("O(N) where N is the length of the value"),
          Row.container(
              "OBJECT",
              "2.2.3",
              "What Redis would say of how a value is kept.",
              fact(
                  "OBJECT ENCODING key",
                  "2.2.3",
                  "Returns int, embstr or raw, by the value alone.",
                  KeyCommands::encoding),
              fact(
                  "OBJECT IDLETIME key",
                  "2.2.3",
                  "Returns 0: when keys were used is not kept.",
                  many -> new RespValue.Int(0)),
              fact("OBJECT REFCOUNT key", "2.2.3", "Returns 1.", many -> new RespValue.Int(1)),
              fact(
                  "OBJECT FREQ key",
                  "4.0.0",
                  "An error: how often keys are used is not kept.",
                  many ->
                      new Refusal(
                              "An LFU maxmemory policy is not selected, access frequency not"
                                  + " tracked. Please note that when switching between policies at"
                                  + " runtime LRU and LFU data will take some time to adjust.")
                          .reply())));

  static final List<Row.Written> SERVER_ROWS =
      Row.group(
          "server",
          Row.whole(
              "DBSIZE",
              "1.0.0",
              "Counts the keys: of the cluster; on the cluster port, of what the node leads. Keys"
                  + " that have expired count until they are removed, soon after.",
              Access.READ,
              KeyCommands::dbsize),
          Row.whole(
                  "FLUSHDB [ASYNC | SYNC]",
                  "1.0.0",
                  "Deletes all keys: of the cluster; on the cluster port, of what the node leads."
                      + " Atomic inside a partition.",
                  Access.WRITE,
                  KeyCommands::flush)
              .slow("O(P) where P is the number of partitions")
              .with(Trait.NEEDS_NO_ROOM)
              .with(Trait.DANGEROUS)
              .with(Trait.AUDITED),
          Row.whole(
                  "FLUSHALL [ASYNC | SYNC]",
                  "1.0.0",
                  "The same as FLUSHDB.",
                  Access.WRITE,
                  KeyCommands::flush)
              .slow("O(P) where P is the number of partitions")
              .with(Trait.NEEDS_NO_ROOM)
              .with(Trait.DANGEROUS)
              .with(Trait.AUDITED),
          Row.container(
              "MEMORY",
              "4.0.0",
              "How much memory is used.",
              Row.plain("MEMORY PURGE", "4.0.0", "Accepted, changes nothing.", Call::ok),
              Row.plain(
                  "MEMORY STATS",
                  "4.0.0",
                  "Returns how much of the heap is used and how much of it clients hold, bytes.",
                  NodeCommands::memoryStats),
              Row.read(
                  "MEMORY USAGE key [SAMPLES count]",
                  "4.0.0",
                  "Returns about how many bytes a key and its value take.",
                  KeyCommands::memoryUsage)));

  private KeyCommands() {}

  private static Row fact(
      String syntax, String since, String summary, Function<Result.Many, RespValue> reply) {
    return Row.read(
        syntax,
        since,
        summary,
        call ->
            Plan.read(
                new Query.Facts(call.word(2)),
                result -> result instanceof Result.Many many ? reply.apply(many) : RespValue.NIL));
  }

  static RespValue length(Result facts) {
    return facts instanceof Result.Many many
        ? Plan.reply(many.results().get(FACT_LENGTH))
        : new RespValue.Int(0);
  }

  private static Plan delete(Call call) {
    List<Operation> operations = new ArrayList<>(call.count() - 1);
    for (int i = 1; i < call.count(); i++) {
      operations.add(new Operation.Delete(call.word(i)));
    }
    return new Plan.Writes(operations, Plan::sum);
  }

  private static Plan exists(Call call) {
    List<Query> queries = new ArrayList<>(call.count() - 1);
    for (int i = 1; i < call.count(); i++) {
      queries.add(new Query.Exists(call.word(i)));
    }
    return new Plan.Reads(queries, Plan::sum);
  }

  private static Plan copy(Call call) {
    boolean replace = false;
    for (int i = 3; i < call.count(); i++) {
      if (call.wordIs(i, "REPLACE")) {
        replace = true;
      } else if (call.wordIs(i, "DB") && i + 1 < call.count()) {
        if (call.smallInteger(++i) != 0) {
          throw new Refusal("DB index is out of range");
        }
      } else {
        throw Refusal.syntax();
      }
    }
    if (Arrays.equals(call.word(1), call.word(2))) {
      throw new Refusal("source and destination objects are the same");
    }
    return Plan.write(new KeyOperation.Copy(call.word(1), call.word(2), replace));
  }

  private static RespValue encoding(Result.Many facts) {
    boolean number = Plan.number(facts.results().get(FACT_NUMBER)) == 1;
    boolean embedded = Plan.number(facts.results().get(FACT_LENGTH)) <= EMBEDDED_BYTES_MAX;
    return RespValue.bulk(number ? "int" : embedded ? "embstr" : "raw");
  }

  private static Plan memoryUsage(Call call) {
    for (int i = 3; i < call.count(); i += 2) {
      if (!call.wordIs(i, "SAMPLES") || i + 1 == call.count()) {
        throw Refusal.syntax();
      }
      if (call.integer(i + 1) < 0) {
        throw Refusal.syntax();
      }
    }
    int keyBytes = call.word(2).length;
    return Plan.read(
        new Query.Facts(call.word(2)),
        result ->
            result instanceof Result.Many many
                ? new RespValue.Int(
                    OVERHEAD_BYTES + keyBytes + Plan.number(many.results().get(FACT_LENGTH)))
                : RespValue.NIL);
  }

  private static Plan dbsize(Call call) {
    List<Integer> partitions = partitions(call);
    return new Plan.Own(
        Effect.READS,
        started -> Fanout.count(call.router(), partitions, call.readLevel(), call.done()));
  }

  private static Plan flush(Call call) {
    boolean known =
        call.count() == 1
            || (call.count() == 2
                && List.of("ASYNC", "SYNC").contains(call.text(1).toUpperCase(Locale.ROOT)));
    if (!known) {
      throw Refusal.syntax();
    }
    List<Integer> partitions = partitions(call);
    return new Plan.Own(Effect.WRITES, started -> Fanout.clear(call, partitions));
  }

  /** Client port: all. Cluster port: those that this node leads. */
  static List<Integer> partitions(Call call) {
    List<Topology.Partition> all = call.router().topology().partitions();
    if (all.isEmpty()) {
      throw Refusal.notPlaced();
    }
    return all.stream()
        .map(Topology.Partition::index)
        .filter(
            partition -> call.port().kind() == PortKind.CLIENT || call.router().leads(partition))
        .toList();
  }
}

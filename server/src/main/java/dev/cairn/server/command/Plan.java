// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.RespValue;
import dev.cairn.server.operation.Mistake;
import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Result;
import java.util.List;
import java.util.function.Function;

/**
 * What one call of a command will do: mostly, what it wants of the partitions, queries or
 * operations, and how their results become a reply. A command only makes its plan, which changes
 * nothing; {@link Fanout} carries it out, or a transaction does together with others. What the call
 * may overtake follows from its plan, and from nothing else ({@link #effect}).
 */
sealed interface Plan {
  /** What makes the plan of a call. A {@link Refusal} thrown is the reply. */
  @FunctionalInterface
  interface Planner {
    Plan plan(Call call);
  }

  /** What runs a command. Returns at once; answers through the call, now or later. */
  @FunctionalInterface
  interface Handler {
    void run(Call call);
  }

  /** What it does, as far as other requests of its connection are concerned. */
  Effect effect();

  /** The reply is known without asking anybody. */
  record Answer(RespValue value) implements Plan {
    @Override
    public Effect effect() {
      return Effect.NOTHING;
    }
  }

  /** Asks; {@code join} gets one result for each query, in their order, on any thread. */
  record Reads(List<Query> queries, Function<List<Result>, RespValue> join) implements Plan {
    @Override
    public Effect effect() {
      return Effect.READS;
    }
  }

  /** Changes; {@code join} as above, of each operation. */
  record Writes(List<Operation> operations, Function<List<Result>, RespValue> join)
      implements Plan {
    @Override
    public Effect effect() {
      return Effect.WRITES;
    }
  }

  /** Does what code of its own does, and replies; no part of a transaction. */
  record Own(Effect effect, Handler handler) implements Plan {}

  /** Asks one thing, and replies with its result as it is. */
  static Plan read(Query query) {
    return read(query, Plan::reply);
  }

  static Plan read(Query query, Function<Result, RespValue> join) {
    return new Reads(List.of(query), results -> join.apply(results.get(0)));
  }

  /** Does one thing, and replies with its result as it is. */
  static Plan write(Operation operation) {
    return write(operation, Plan::reply);
  }

  static Plan write(Operation operation, Function<Result, RespValue> join) {
    return new Writes(
        List.of(operation),
        results ->
            results.get(0) instanceof Result.Failed
                ? reply(results.get(0))
                : join.apply(results.get(0)));
  }

  static Plan answer(long number) {
    return new Answer(new RespValue.Int(number));
  }

  /** For the arguments that Redis looks at only once it has found the key. */
  static Plan refuseIfPresent(byte[] key, Refusal refusal, RespValue whenAbsent) {
    return read(
        new Query.Exists(key), result -> number(result) == 1 ? refusal.reply() : whenAbsent);
  }

  /** A result as a reply. */
  static RespValue reply(Result result) {
    if (result instanceof Result.Bytes bytes) {
      return new RespValue.Bulk(bytes.value());
    }
    if (result instanceof Result.Int number) {
      return new RespValue.Int(number.value());
    }
    if (result instanceof Result.Many many) {
      return new RespValue.Array(many.results().stream().map(Plan::reply).toList());
    }
    if (result instanceof Result.Failed failed) {
      return RespValue.error(ErrorCode.ERR, MistakeText.of(failed.mistake()));
    }
    return result instanceof Result.Nil ? RespValue.NIL : RespValue.OK;
  }

  /** Whether it is what a transaction had no room to answer, whatever the command. */
  static boolean isTooLarge(Result result) {
    return result instanceof Result.Failed failed && failed.mistake() == Mistake.ANSWERS_TOO_LARGE;
  }

  static long number(Result result) {
    return result instanceof Result.Int number ? number.value() : 0;
  }

  static RespValue sum(List<Result> results) {
    return new RespValue.Int(results.stream().mapToLong(Plan::number).sum());
  }
}

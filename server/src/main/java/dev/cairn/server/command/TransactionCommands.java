// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.RespValue;
import dev.cairn.server.command.Command.Access;
import dev.cairn.server.command.Command.Trait;
import dev.cairn.server.operation.KeyOperation;
import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Reply;
import dev.cairn.server.operation.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * MULTI and what belongs to it.
 *
 * <p>A transaction is one {@link KeyOperation.Transaction}: the {@link Plan}s of its commands, put
 * together, and the versions of the keys that are watched. So it is one proposal to one partition:
 * atomic, isolated, its reads answered where it stands in the log, and as certain or unknown as any
 * other write. What is queued waits here; the partition knows nothing of it before EXEC.
 */
final class TransactionCommands {
  /** What a transaction may hold beside the longest value, bytes. */
  private static final long BESIDE_VALUE_BYTES = 1L << 20;

  /** The most commands of one transaction, which every replica carries out in one go. */
  static final int COMMANDS_MAX = 65_536;

  /** The most keys that one connection watches. */
  static final int WATCHED_MAX = 65_536;

  static final List<Row.Written> ROWS =
      Row.group(
          "transactions",
          Row.plain(
                  "MULTI",
                  "1.2.0",
                  "Begins a transaction: what follows is queued until EXEC.",
                  TransactionCommands::multi)
              .with(Trait.AT_ONCE),
          Row.whole(
                  "EXEC",
                  "1.2.0",
                  "Carries out what is queued, as one step of one partition; null if a watched key"
                      + " has changed, and then nothing is done.",
                  Access.WRITE,
                  TransactionCommands::exec)
              .slow("O(N) where N is the work of the commands")
              .with(Trait.NEEDS_NO_ROOM)
              .with(Trait.AT_ONCE),
          Row.plain(
                  "DISCARD",
                  "2.0.0",
                  "Forgets what is queued and watched.",
                  TransactionCommands::discard)
              .with(Trait.AT_ONCE),
          Row.keyed(
                  "WATCH key [key ...]",
                  "2.2.0",
                  "Has the next EXEC do nothing if one of these keys, of one partition, changes"
                      + " before it.",
                  Access.READ,
                  TransactionCommands::watch)
              .slow("O(N) where N is the number of keys")
              .with(Trait.AT_ONCE),
          Row.answered(
              "UNWATCH",
              "2.2.0",
              "Watches no key any more.",
              call -> {
                call.port().clients().unwatch(call.client());
                return new Plan.Answer(RespValue.OK);
              }));

  /** The plan of what is queued until EXEC. */
  static final Plan QUEUE = new Plan.Own(Effect.NOTHING, TransactionCommands::queue);

  private TransactionCommands() {}

  private static void multi(Call call) {
    if (call.client().transaction().open()) {
      throw new Refusal("MULTI calls can not be nested");
    }
    call.client().transaction().begin();
    call.ok();
  }

  private static void discard(Call call) {
    if (!call.client().transaction().open()) {
      throw new Refusal("DISCARD without MULTI");
    }
    call.port().clients().end(call.client());
    call.ok();
  }

  /**
   * Queues a command that could be run, if there is a transaction that it may stand in.
   *
   * @throws Refusal where it may not
   */
  private static void queue(Call call) {
    OpenTransaction transaction = call.client().transaction();
    if (!call.command().queues()) {
      throw new Refusal("Command not allowed inside a transaction");
    }
    if (call.options().asked()) {
      throw new Refusal("CAIRN WITH goes before EXEC, not inside a transaction");
    }
    long bytes = OpenTransaction.bytesOf(call.words());
    long bytesMax = call.port().facts().valueBytesMax() + BESIDE_VALUE_BYTES;
    if (transaction.commands() == COMMANDS_MAX || transaction.bytes() + bytes > bytesMax) {
      throw new Refusal(
          "a transaction has at most %d commands and %d bytes, as what is carried out in one step: split it"
              .formatted(COMMANDS_MAX, bytesMax));
    }
    call.port().clients().hold(bytes);
    transaction.queue(call.command(), call.words());
    call.reply(new RespValue.SimpleString("QUEUED"));
  }

  private static Plan watch(Call call) {
    if (call.client().transaction().open()) {
      throw new Refusal("WATCH inside MULTI is not allowed");
    }
    return new Plan.Own(Effect.READS, TransactionCommands::startWatching);
  }

  /** Keys are watched as of what a leader answers: a stale version would fail for nothing. */
  private static void startWatching(Call call) {
    OpenTransaction transaction = call.client().transaction();
    List<byte[]> keys = call.command().keys().of(call.words());
    List<byte[]> added = transaction.notWatched(keys);
    List<byte[]> all = new ArrayList<>(transaction.watchedKeys());
    all.addAll(added);
    all.add(keys.get(0));
    int partition = Fanout.onePartition(call.router(), all);
    if (all.size() - 1 > WATCHED_MAX) {
      throw new Refusal("a connection watches at most %d keys".formatted(WATCHED_MAX));
    }
    call.port().clients().hold(OpenTransaction.bytesOf(added));
    List<OpenTransaction.Watched> unknown = transaction.watch(keys);
    if (unknown.isEmpty()) {
      call.ok();
      return;
    }
    List<Query> queries = new ArrayList<>(unknown.size());
    unknown.forEach(watched -> queries.add(new Query.Version(watched.key())));
    Consistency level = call.readLevel() == Consistency.ONE ? Consistency.QUORUM : call.readLevel();
    call.router()
        .read(
            partition,
            queries,
            level,
            reply -> {
              if (reply instanceof Reply.Done done) {
                for (int i = 0; i < unknown.size(); i++) {
                  unknown.get(i).found(Plan.number(done.results().get(i)));
                }
                call.ok();
              } else {
                call.reply(Fanout.error((Reply.Failed) reply));
              }
            });
  }

  private static Plan exec(Call call) {
    OpenTransaction transaction = call.client().transaction();
    if (!transaction.open()) {
      throw new Refusal("EXEC without MULTI");
    }
    return new Plan.Own(
        transaction.hasKeys() ? Effect.WRITES : Effect.NOTHING, TransactionCommands::execute);
  }

  /** Once all before it are answered: only then is known which versions WATCH found. */
  private static void execute(Call call) {
    OpenTransaction transaction = call.client().transaction();
    boolean spoiled = transaction.spoiled() || transaction.watchesBlindly();
    List<OpenTransaction.Queued> queued = transaction.queued();
    List<KeyOperation.Seen> seen = spoiled ? List.of() : transaction.seen();
    call.port().clients().end(call.client());
    if (spoiled) {
      throw Refusal.aborted("of previous errors.");
    }
    long startedNanos = call.port().facts().nanoTime().getAsLong();
    Fanout.run(call, plan(call, seen, queued, startedNanos));
  }

  /** One plan of all that is queued. */
  private static Plan plan(
      Call call,
      List<KeyOperation.Seen> seen,
      List<OpenTransaction.Queued> queued,
      long startedNanos) {
    List<Operation> operations = new ArrayList<>(queued.size());
    List<Share> parts = new ArrayList<>(queued.size());
    for (OpenTransaction.Queued one : queued) {
      Share part = part(planOf(call, one), operations);
      parts.add(part);
    }
    KeyOperation.Transaction transaction = new KeyOperation.Transaction(seen, operations);
    Function<List<Result>, RespValue> join =
        results -> counted(call, queued, replies(parts, results), startedNanos);
    List<byte[]> keys = transaction.keys();
    if (keys.isEmpty()) {
      return new Plan.Answer(join.apply(List.of()));
    }
    RespValue elsewhere = call.port().redirection().of(keys, false);
    return elsewhere != null
        ? new Plan.Answer(elsewhere)
        : new Plan.Writes(
            List.of(transaction),
            results ->
                results.get(0) instanceof Result.Many many
                    ? join.apply(many.results())
                    : new RespValue.NilArray());
  }

  /** The reply of an EXEC that was carried out, whose commands count from now on. */
  private static RespValue counted(
      Call call, List<OpenTransaction.Queued> queued, List<RespValue> replies, long startedNanos) {
    long nanos = call.port().facts().nanoTime().getAsLong() - startedNanos;
    List<Command> commands = queued.stream().map(OpenTransaction.Queued::command).toList();
    call.port().counts().answeredTogether(commands, replies, nanos);
    return new RespValue.Array(replies);
  }

  private static Plan planOf(Call call, OpenTransaction.Queued queued) {
    Call part =
        new Call(
            call.port(),
            queued.command(),
            call.client(),
            queued.words(),
            RequestOptions.NONE,
            reply -> {
              throw new IllegalStateException("a plan replied");
            });
    RespValue.ErrorReply forbidden = Permission.refusalAtExec(part);
    if (forbidden != null) {
      return new Plan.Answer(forbidden);
    }
    try {
      return call.port().planner(queued.command()).plan(part);
    } catch (Refusal refusal) {
      return new Plan.Answer(refusal.reply());
    }
  }

  /** How one command's reply is made of its share of the results. */
  private record Share(int results, Function<List<Result>, RespValue> join) {}

  private static Share part(Plan plan, List<Operation> operations) {
    if (plan instanceof Plan.Reads reads) {
      reads.queries().forEach(query -> operations.add(new Operation.Read(query)));
      return new Share(reads.queries().size(), reads.join());
    }
    if (plan instanceof Plan.Writes writes) {
      operations.addAll(writes.operations());
      return new Share(writes.operations().size(), writes.join());
    }
    return new Share(0, results -> ((Plan.Answer) plan).value());
  }

  private static List<RespValue> replies(List<Share> parts, List<Result> results) {
    List<RespValue> replies = new ArrayList<>(parts.size());
    int at = 0;
    for (Share part : parts) {
      List<Result> share = results.subList(at, at + part.results());
      at += part.results();
      replies.add(
          share.stream()
              .filter(Plan::isTooLarge)
              .findFirst()
              .map(Plan::reply)
              .orElseGet(() -> part.join().apply(share)));
    }
    return replies;
  }
}

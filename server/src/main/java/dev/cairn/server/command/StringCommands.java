// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import static dev.cairn.server.command.Replies.entry;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.RespValue;
import dev.cairn.server.command.Command.Keys;
import dev.cairn.server.command.Command.Trait;
import dev.cairn.server.operation.Condition;
import dev.cairn.server.operation.Expiry;
import dev.cairn.server.operation.KeyOperation;
import dev.cairn.server.operation.Mistake;
import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Result;
import dev.cairn.server.operation.ValueOperation;
import dev.cairn.server.operation.ValueQuery;
import dev.cairn.server.value.LongDouble;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/** Commands on values as strings and numbers. */
final class StringCommands {
  private static final String LINEAR = "O(N) where N is the number of keys";
  private static final String LENGTH = "O(N) where N is the length of the value";

  static final List<Row.Written> ROWS =
      Row.group(
          "string",
          Row.read("GET key", "1.0.0", "Returns the value of a key.", StringCommands::get),
          Row.write(
                  "SET key value [NX | XX | IFEQ value | IFNE value | IFDEQ digest | IFDNE digest]"
                      + " [GET] [EX seconds | PX milliseconds | EXAT time | PXAT time | KEEPTTL]",
                  "1.0.0",
                  "Sets the value of a key; IFEQ and its like since 8.4: compare and set.",
                  StringCommands::set)
              .alias("put"),
          Row.write(
              "SETNX key value",
              "1.0.0",
              "Sets the value of a key that is not there: 1, else 0.",
              StringCommands::setnx),
          Row.write(
              "SETEX key seconds value",
              "2.0.0",
              "Sets the value of a key that expires.",
              call -> setex(call, "EX")),
          Row.write(
              "PSETEX key milliseconds value",
              "2.6.0",
              "Sets the value of a key that expires.",
              call -> setex(call, "PX")),
          Row.write(
              "GETSET key value",
              "1.0.0",
              "Sets the value of a key; returns the one before.",
              StringCommands::getset),
          Row.write(
                  "GETDEL key",
                  "6.2.0",
                  "Deletes a key; returns its value.",
                  call -> Plan.write(new Operation.Delete(call.word(1), Condition.ALWAYS, true)))
              .with(Trait.NEEDS_NO_ROOM),
          Row.write(
                  "GETEX key [EX seconds | PX milliseconds | EXAT time | PXAT time | PERSIST]",
                  "6.2.0",
                  "Returns the value of a key, and sets when it expires.",
                  StringCommands::getex)
              .with(Trait.NEEDS_NO_ROOM),
          Row.write(
                  "DELEX key [IFEQ value | IFNE value | IFDEQ digest | IFDNE digest]",
                  "8.4.0",
                  "Deletes a key if its value or digest is, or is not, the one given.",
                  StringCommands::delex)
              .with(Trait.NEEDS_NO_ROOM),
          Row.read(
                  "DIGEST key",
                  "8.4.0",
                  "Returns the digest of a value: XXH3 as 16 hexadecimal digits.",
                  call -> Plan.read(new ValueQuery.DigestOf(call.word(1))))
              .slow(LENGTH),
          Row.read(
                  "MGET key [key ...]",
                  "1.0.0",
                  "Returns the values of keys, in their order; those of one partition as of one"
                      + " moment.",
                  StringCommands::mget)
              .slow(LINEAR),
          Row.write(
                  "MSET key value [key value ...]",
                  "1.0.1",
                  "Sets the values of keys: atomic inside a partition, not over several.",
                  StringCommands::mset)
              .slow(LINEAR),
          Row.write(
                  "MSETNX key value [key value ...]",
                  "1.0.1",
                  "Sets the values of keys of one partition if none is there: 1, else 0.",
                  StringCommands::msetnx)
              .slow(LINEAR),
          Row.write(
                  "MSETEX numkeys key value [key value ...] [NX | XX]"
                      + " [EX seconds | PX milliseconds | EXAT time | PXAT time | KEEPTTL]",
                  "8.4.0",
                  "Sets the values of keys of one partition, and when they expire: 1, or 0 if NX or"
                      + " XX does not hold for all.",
                  StringCommands::msetex)
              .keys(new Keys(2, -1, 2, 1))
              .slow(LINEAR),
          Row.write(
              "APPEND key value",
              "2.0.0",
              "Adds to the end of a value; returns its length.",
              StringCommands::append),
          Row.read(
              "STRLEN key",
              "2.2.0",
              "Returns the length of a value in bytes.",
              call -> Plan.read(new Query.Facts(call.word(1)), KeyCommands::length)),
          Row.read(
                  "GETRANGE key start end",
                  "2.4.0",
                  "Returns a part of a value; negative numbers count from its end.",
                  StringCommands::getrange)
              .slow(LENGTH),
          Row.read(
                  "SUBSTR key start end",
                  "1.0.0",
                  "The same as GETRANGE, its old name.",
                  StringCommands::getrange)
              .slow(LENGTH),
          Row.write(
                  "SETRANGE key offset value",
                  "2.2.0",
                  "Writes over a part of a value; returns its length.",
                  StringCommands::setrange)
              .slow(LENGTH),
          Row.write(
              "INCR key",
              "1.0.0",
              "Adds 1 to a whole number; a missing one is 0.",
              call -> increment(call, 1)),
          Row.write(
              "DECR key",
              "1.0.0",
              "Subtracts 1 from a whole number; a missing one is 0.",
              call -> increment(call, -1)),
          Row.write(
              "INCRBY key increment",
              "1.0.0",
              "Adds to a whole number; a missing one is 0.",
              call -> increment(call, call.integer(2))),
          Row.write(
              "DECRBY key decrement",
              "1.0.0",
              "Subtracts from a whole number; a missing one is 0.",
              StringCommands::decrby),
          Row.write(
              "INCRBYFLOAT key increment",
              "2.6.0",
              "Adds to a number with a fraction; a missing one is 0.",
              StringCommands::incrbyfloat),
          Row.read(
                  "LCS key1 key2 [LEN] [IDX] [MINMATCHLEN length] [WITHMATCHLEN]",
                  "7.0.0",
                  "Finds the longest common subsequence of two values of one partition.",
                  StringCommands::lcs)
              .with(Trait.NO_MULTI)
              .slow("O(N*M) where N and M are the lengths of the values"));

  private StringCommands() {}

  private static Plan get(Call call) {
    return Plan.read(new Query.Get(call.word(1)));
  }

  private static Plan set(Call call) {
    WriteOptions options = WriteOptions.of(call, 3, WriteOptions.OF_SET);
    return put(call, call.value(2), options.expiry(), options.condition(), options.get());
  }

  private static Plan put(
      Call call, byte[] value, Expiry expiry, Condition condition, boolean answerOld) {
    return timed(
        call, new Operation.Put(call.word(1), value, expiry, condition, answerOld), Plan::reply);
  }

  /** Names the command where the operation finds that its time is past all times. */
  static Plan timed(Call call, Operation operation, Function<Result, RespValue> join) {
    String name = call.command().name();
    return new Plan.Writes(
        List.of(operation),
        results ->
            results.get(0) instanceof Result.Failed failed
                ? RespValue.error(ErrorCode.ERR, MistakeText.of(failed.mistake(), name))
                : join.apply(results.get(0)));
  }

  private static Plan setnx(Call call) {
    Condition absent = Condition.of(Condition.Kind.IF_ABSENT);
    return Plan.write(
        new Operation.Put(call.word(1), call.value(2), Expiry.NEVER, absent, false),
        result -> new RespValue.Int(result instanceof Result.Ok ? 1 : 0));
  }

  private static Plan setex(Call call, String unit) {
    Expiry expiry = WriteOptions.expiry(call, unit, call.word(2));
    return put(call, call.value(3), expiry, Condition.ALWAYS, false);
  }

  private static Plan getset(Call call) {
    return put(call, call.value(2), Expiry.NEVER, Condition.ALWAYS, true);
  }

  private static Plan getex(Call call) {
    WriteOptions options = WriteOptions.of(call, 2, WriteOptions.OF_GETEX);
    if (options.noExpiry()) {
      return get(call);
    }
    try {
      return timed(
          call, new KeyOperation.Expire(call.word(1), options.expiry(), 0, true), Plan::reply);
    } catch (Refusal refusal) {
      return Plan.refuseIfPresent(call.word(1), refusal, RespValue.NIL);
    }
  }

  private static Plan delex(Call call) {
    if (call.count() == 2) {
      return Plan.write(new Operation.Delete(call.word(1)));
    }
    if (call.count() != 4) {
      throw Refusal.arity("delex");
    }
    String word = call.text(2).toUpperCase(Locale.ROOT);
    try {
      Condition condition = WriteOptions.comparison(word, call.word(3));
      return Plan.write(new Operation.Delete(call.word(1), condition, false));
    } catch (Refusal refusal) {
      return Plan.refuseIfPresent(call.word(1), refusal, new RespValue.Int(0));
    }
  }

  private static Plan mget(Call call) {
    List<Query> queries = new ArrayList<>(call.count() - 1);
    for (int i = 1; i < call.count(); i++) {
      queries.add(new Query.Get(call.word(i)));
    }
    return new Plan.Reads(
        queries, results -> new RespValue.Array(results.stream().map(Plan::reply).toList()));
  }

  private static Plan mset(Call call) {
    List<Operation> operations = new ArrayList<>();
    for (KeyOperation.Pair pair : pairs(call, 1, call.count())) {
      operations.add(new Operation.Put(pair.key(), pair.value()));
    }
    return new Plan.Writes(operations, results -> RespValue.OK);
  }

  private static Plan msetnx(Call call) {
    return Plan.write(
        new KeyOperation.PutAll(
            pairs(call, 1, call.count()), Expiry.NEVER, Condition.Kind.IF_ABSENT));
  }

  private static Plan msetex(Call call) {
    long count = call.integer(1, "invalid numkeys value");
    if (count < 1 || count > Integer.MAX_VALUE) {
      throw new Refusal("invalid numkeys value");
    }
    long end = 2 + 2 * count;
    if (end > call.count()) {
      throw new Refusal("wrong number of key-value pairs");
    }
    WriteOptions options = WriteOptions.of(call, (int) end, WriteOptions.OF_MSETEX);
    return timed(
        call,
        new KeyOperation.PutAll(
            pairs(call, 2, (int) end), options.expiry(), options.condition().kind()),
        Plan::reply);
  }

  private static List<KeyOperation.Pair> pairs(Call call, int from, int to) {
    if ((to - from) % 2 != 0) {
      throw Refusal.arity(call.command().name());
    }
    List<KeyOperation.Pair> pairs = new ArrayList<>((to - from) / 2);
    for (int i = from; i < to; i += 2) {
      pairs.add(new KeyOperation.Pair(call.word(i), call.value(i + 1)));
    }
    return pairs;
  }

  private static Plan append(Call call) {
    int lengthMax = call.port().facts().valueBytesMax();
    return Plan.write(new ValueOperation.Append(call.word(1), call.word(2), lengthMax));
  }

  private static Plan getrange(Call call) {
    return Plan.read(new ValueQuery.Slice(call.word(1), call.integer(2), call.integer(3)));
  }

  private static Plan setrange(Call call) {
    long offset = call.integer(2);
    byte[] part = call.word(3);
    if (offset < 0) {
      throw new Refusal("offset is out of range");
    }
    if (part.length == 0) {
      return Plan.write(new ValueOperation.Overwrite(call.word(1), 0, part));
    }
    if (offset > call.port().facts().valueBytesMax() - part.length) {
      throw new Refusal(MistakeText.of(Mistake.TOO_LONG));
    }
    return Plan.write(new ValueOperation.Overwrite(call.word(1), (int) offset, part));
  }

  private static Plan increment(Call call, long by) {
    return Plan.write(new ValueOperation.Increment(call.word(1), by));
  }

  private static Plan decrby(Call call) {
    long by = call.integer(2);
    if (by == Long.MIN_VALUE) {
      throw new Refusal("decrement would overflow");
    }
    return increment(call, -by);
  }

  private static Plan incrbyfloat(Call call) {
    if (LongDouble.parse(call.word(2)).isEmpty()) {
      throw new Refusal(MistakeText.of(Mistake.NOT_A_FLOAT));
    }
    return Plan.write(new ValueOperation.IncrementFloat(call.word(1), call.word(2)));
  }

  private static Plan lcs(Call call) {
    boolean length = false;
    boolean indexes = false;
    boolean withLengths = false;
    long lengthMin = 0;
    for (int i = 3; i < call.count(); i++) {
      if (call.wordIs(i, "IDX")) {
        indexes = true;
      } else if (call.wordIs(i, "LEN")) {
        length = true;
      } else if (call.wordIs(i, "WITHMATCHLEN")) {
        withLengths = true;
      } else if (call.wordIs(i, "MINMATCHLEN") && i + 1 < call.count()) {
        lengthMin = Math.max(0, call.integer(++i));
      } else {
        throw Refusal.syntax();
      }
    }
    if (length && indexes) {
      throw new Refusal("If you want both the length and indexes, please just use IDX.");
    }
    boolean onlyLength = length;
    Matches matches = indexes ? new Matches(lengthMin, withLengths) : null;
    return Plan.read(
        new ValueQuery.Common(call.word(1), call.word(2)),
        result -> common(result, onlyLength, matches));
  }

  private record Matches(long lengthMin, boolean withLengths) {}

  private static RespValue common(Result result, boolean onlyLength, Matches matches) {
    if (!(result instanceof Result.Many found)) {
      return Plan.reply(result);
    }
    Result.Bytes bytes = (Result.Bytes) found.results().get(0);
    RespValue length = new RespValue.Int(bytes.value().length);
    if (onlyLength) {
      return length;
    }
    if (matches == null) {
      return Plan.reply(bytes);
    }
    List<RespValue> stretches = new ArrayList<>();
    for (Result match : ((Result.Many) found.results().get(1)).results()) {
      List<Result> ends = ((Result.Many) match).results();
      long matchLength = Plan.number(ends.get(1)) - Plan.number(ends.get(0)) + 1;
      if (matchLength >= matches.lengthMin()) {
        List<RespValue> stretch = new ArrayList<>();
        stretch.add(RespValue.array(Plan.reply(ends.get(0)), Plan.reply(ends.get(1))));
        stretch.add(RespValue.array(Plan.reply(ends.get(2)), Plan.reply(ends.get(3))));
        if (matches.withLengths()) {
          stretch.add(new RespValue.Int(matchLength));
        }
        stretches.add(new RespValue.Array(stretch));
      }
    }
    return new RespValue.Dictionary(
        List.of(entry("matches", new RespValue.Array(stretches)), entry("len", length)));
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.RespValue;
import dev.cairn.server.command.Command.Access;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Reply;
import dev.cairn.server.operation.Result;
import dev.cairn.server.storage.KeyRange;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code CAIRN RANGE partition start end bytes}: a page of one partition's records, in the order of
 * their keys. Whoever merges the pages of all partitions has the cluster's keys in order, each read
 * once and with its expiry: {@code ./cairn export} does.
 *
 * <pre>
 *   start   the first key, inclusive; empty: the partition's first
 *   end     the last, exclusive; empty: none
 *   bytes   of keys and values, from 1 to 4 MiB: a record that would pass it is left for the next
 *           page, but for the page's first, so a page is never empty for want of room
 *   reply := [next, [[key, expiresAtMillis, value] ...]]
 *   next    where to go on, inclusive; nil: nothing is left of the range
 *   expiresAtMillis   since 1970; -1: it does not expire
 * </pre>
 *
 * A page may hold fewer records than fit, or none, and yet not be the last: what is looked at is
 * bounded too. It is one read of the connection's level.
 */
final class RangeCommand {
  static final Row ROW =
      Row.whole(
              "CAIRN RANGE partition start end bytes",
              "0.1.0",
              "Returns records of a partition in the order of keys, with their expiry, and where to"
                  + " go on: a page of at most so many bytes, or of one record.",
              Access.READ,
              RangeCommand::range)
          .slow("O(N) where N is the number of records returned");

  private RangeCommand() {}

  private static Plan range(Call call) {
    int partitions = call.router().topology().partitions().size();
    long partition = call.integer(2);
    if (partitions == 0) {
      throw Refusal.notPlaced();
    }
    if (partition < 0 || partition >= partitions) {
      throw new Refusal("there are partitions 0 to " + (partitions - 1));
    }
    long bytes = call.integer(5);
    if (bytes < 1 || bytes > Query.Range.BYTES_MAX) {
      throw new Refusal("bytes must be 1 to " + Query.Range.BYTES_MAX);
    }
    Query page =
        new Query.Range(
            new KeyRange(call.word(3), call.word(4)), Query.Range.KEYS_MAX, (int) bytes, true);
    return new Plan.Own(Effect.READS, started -> read(started, (int) partition, page, bytes));
  }

  private static void read(Call call, int partition, Query page, long bytes) {
    call.router()
        .read(
            partition,
            List.of(page),
            call.readLevel(),
            reply ->
                call.reply(
                    reply instanceof Reply.Done done
                        ? page(((Result.Many) done.results().get(0)).results(), bytes)
                        : Fanout.error((Reply.Failed) reply)));
  }

  private static RespValue page(List<Result> answer, long bytesMax) {
    RespValue next = Plan.reply(answer.get(0));
    List<RespValue> records = new ArrayList<>();
    long bytes = 0;
    for (Result result : answer.subList(1, answer.size())) {
      List<Result> record = ((Result.Many) result).results();
      byte[] key = ((Result.Bytes) record.get(0)).value();
      byte[] value = ((Result.Bytes) record.get(3)).value();
      bytes += key.length + value.length;
      if (bytes > bytesMax && !records.isEmpty()) {
        next = new RespValue.Bulk(key);
        break;
      }
      records.add(
          RespValue.array(
              new RespValue.Bulk(key), Plan.reply(record.get(2)), new RespValue.Bulk(value)));
    }
    return RespValue.array(next, new RespValue.Array(records));
  }
}

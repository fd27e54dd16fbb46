// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import static dev.cairn.server.command.Row.report;

import dev.cairn.protocol.RespValue;
import java.util.ArrayList;
import java.util.List;

/** SLOWLOG: what a node's {@link SlowLog} keeps. */
final class SlowLogCommands {
  static final List<Row.Written> ROWS =
      Row.group(
          "server",
          Row.container(
              "SLOWLOG",
              "2.2.12",
              "Commands that took long.",
              report(
                      "SLOWLOG GET [count]",
                      "2.2.12",
                      "Returns the latest of them; of all when count is -1.",
                      SlowLogCommands::get)
                  .with(Command.Trait.ADMIN),
              report(
                      "SLOWLOG LEN",
                      "2.2.12",
                      "Counts them.",
                      call -> call.reply(new RespValue.Int(call.port().slowLog().size())))
                  .with(Command.Trait.ADMIN),
              report("SLOWLOG RESET", "2.2.12", "Forgets them.", SlowLogCommands::reset)
                  .with(Command.Trait.ADMIN)
                  .with(Command.Trait.AUDITED)));

  private static final int GET_DEFAULT = 10;

  private SlowLogCommands() {}

  private static void get(Call call) {
    long count = GET_DEFAULT;
    if (call.count() > 3) {
      throw Refusal.subcommand(call.words());
    }
    if (call.count() == 3) {
      count = call.integer(2, "count should be greater than or equal to -1");
      if (count < -1) {
        throw new Refusal("count should be greater than or equal to -1");
      }
    }
    call.reply(latest(call.port().slowLog(), count < 0 ? Long.MAX_VALUE : count));
  }

  private static RespValue latest(SlowLog log, long count) {
    List<RespValue> rows = new ArrayList<>();
    log.entries().stream()
        .limit(count)
        .forEach(
            entry ->
                rows.add(
                    RespValue.array(
                        new RespValue.Int(entry.id()),
                        new RespValue.Int(entry.atSeconds()),
                        new RespValue.Int(entry.micros()),
                        new RespValue.Array(
                            entry.words().stream().<RespValue>map(RespValue.Bulk::new).toList()),
                        RespValue.bulk(entry.address()),
                        RespValue.bulk(entry.name()))));
    return new RespValue.Array(rows);
  }

  private static void reset(Call call) {
    call.port().slowLog().clear();
    call.ok();
  }
}

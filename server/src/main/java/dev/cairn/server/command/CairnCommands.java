// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.TopologyCodec;
import java.util.List;
import java.util.Optional;

/** CAIRN: what Redis has no words for. */
final class CairnCommands {
  static final List<Row.Written> ROWS =
      Row.group(
          "cairn",
          Row.container(
              "CAIRN",
              "0.1.0",
              "What Redis has no words for.",
              Row.plain(
                  "CAIRN CONSISTENCY [READ level] [WRITE level]",
                  "0.1.0",
                  "Sets how much this connection's reads (ONE, QUORUM, ALL) and writes (QUORUM, ALL) wait for, and says it.",
                  CairnCommands::consistency),
              Row.plain(
                  "CAIRN WITH [ID clientId sequence issuedAtMillis] [CONSISTENCY level] DO command [arg ...]",
                  "0.1.0",
                  "Runs one command with a consistency level, or with an id by which a repeated write is applied once.",
                  CairnCommands::with),
              RangeCommand.ROW,
              Row.plain(
                  "CAIRN REPLICAS <ON | OFF>",
                  "0.1.0",
                  "RESP3: says in a reply attribute which node served, and after a write of one key which replicas have it.",
                  CairnCommands::replicas),
              Row.plain(
                  "CAIRN STATUS",
                  "0.1.0",
                  "Returns the cluster's state as JSON.",
                  CairnCommands::status),
              Row.plain(
                  "CAIRN TOPOLOGY",
                  "0.1.0",
                  "Returns nodes and partitions.",
                  CairnCommands::topology)));

  private CairnCommands() {}

  static void topology(Call call) {
    call.reply(TopologyCodec.encode(call.router().topology(), call.router().clusterTimeMillis()));
  }

  static void status(Call call) {
    call.router().status(json -> call.reply(RespValue.bulk(json)));
  }

  /**
   * {@code CAIRN CONSISTENCY [READ level] [WRITE level]}: all of it or nothing; shows what holds.
   */
  static void consistency(Call call) {
    Consistency read = call.client().readLevel();
    Consistency write = call.client().writeLevel();
    for (int i = 2; i < call.count(); i += 2) {
      Optional<Consistency> level =
          i + 1 < call.count() ? Consistency.named(call.text(i + 1)) : Optional.empty();
      if (level.isPresent() && call.wordIs(i, "READ")) {
        read = level.get();
      } else if (level.isPresent() && call.wordIs(i, "WRITE") && level.get() != Consistency.ONE) {
        write = level.get();
      } else {
        call.error("syntax error, try CAIRN CONSISTENCY READ ONE|QUORUM|ALL WRITE QUORUM|ALL");
        return;
      }
    }
    call.client().readLevel(read);
    call.client().writeLevel(write);
    call.reply(
        new RespValue.Dictionary(
            List.of(
                Replies.entry("read", RespValue.bulk(read.lowerName())),
                Replies.entry("write", RespValue.bulk(write.lowerName())))));
  }

  /** Reached only by words that are no {@code CAIRN WITH ... DO command}. */
  static void with(Call call) {
    call.error(
        "syntax error, try CAIRN WITH [ID clientId sequence issuedAtMillis] [CONSISTENCY level] DO"
            + " command [argument ...]");
  }

  /** ON needs RESP3: RESP2 has no attributes. HELLO 2 and RESET switch it off. */
  static void replicas(Call call) {
    boolean on = call.wordIs(2, "ON");
    if (!on && !call.wordIs(2, "OFF")) {
      call.error("syntax error");
    } else if (on && call.client().version() < 3) {
      call.error("CAIRN REPLICAS ON needs RESP3: send HELLO 3 first");
    } else {
      call.client().replicas(on);
      call.ok();
    }
  }
}

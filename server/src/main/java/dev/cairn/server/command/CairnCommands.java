// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.TopologyCodec;
import java.util.List;

/** CAIRN: what Redis has no words for. */
final class CairnCommands {
  static final List<Command> ROWS =
      Row.group(
          "cairn",
          Row.container(
              "CAIRN",
              "0.1.0",
              "What Redis has no words for.",
              Row.plain(
                  "CAIRN REPLICAS ON | OFF",
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
    call.reply(TopologyCodec.encode(call.router().topology()));
  }

  static void status(Call call) {
    call.router().status(json -> call.reply(RespValue.bulk(json)));
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

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.RespValue;
import dev.cairn.server.access.RightsWriter;

/** A change of rights that a client asked for, and what it is answered. */
final class RightsChange {
  private RightsChange() {}

  /** Makes a reply of a change that holds on all nodes that are up. */
  @FunctionalInterface
  interface Done {
    RespValue reply(RightsWriter.Outcome.Applied applied);
  }

  /** Changes rights and replies. The connection is answered though its own may end with it. */
  static void run(Call call, RightsWriter.Change change, Done done) {
    ClientRights rights = call.client().rights();
    rights.changes(true);
    call.port()
        .access()
        .change(
            change,
            outcome -> {
              RespValue reply =
                  outcome instanceof RightsWriter.Outcome.Applied applied
                          && applied.behind().isEmpty()
                      ? done.reply(applied)
                      : failure(outcome);
              rights.changes(false);
              call.reply(reply);
            });
  }

  private static RespValue failure(RightsWriter.Outcome outcome) {
    if (outcome instanceof RightsWriter.Outcome.Applied applied) {
      return RespValue.error(
          ErrorCode.NOTALL,
          "the rights have changed, and %s %s not applied it yet: until then what was allowed there is allowed still"
              .formatted(
                  String.join(" and ", applied.behind()),
                  applied.behind().size() == 1 ? "has" : "have"));
    }
    if (outcome instanceof RightsWriter.Outcome.Unknown unknown) {
      return RespValue.error(ErrorCode.UNKNOWN, unknown.message());
    }
    RightsWriter.Outcome.Refused refused = (RightsWriter.Outcome.Refused) outcome;
    return RespValue.error(
        refused.reason() == RightsWriter.Outcome.Reason.WRONG
            ? ErrorCode.ERR
            : ErrorCode.CLUSTERDOWN,
        refused.message());
  }
}

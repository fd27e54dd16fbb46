// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.RespValue;
import dev.cairn.server.metrics.CommandMetrics;
import dev.cairn.server.metrics.CommandMetrics.Outcome;
import java.util.List;

/**
 * Counts what commands came to, as INFO and the metrics tell it. As in Redis, a call that was tried
 * counts once it was answered; one that was not even tried is rejected; one that MULTI queues
 * counts when EXEC has carried it out.
 *
 * <p>Threads: any.
 */
final class CommandCounts {
  /** What a request is counted as whose command does not exist, or that cannot be read. */
  private static final String UNKNOWN_COMMAND = "unknown";

  private final CommandMetrics metrics;

  CommandCounts(CommandMetrics metrics) {
    this.metrics = metrics;
  }

  /** Whether a name is that of a command, and not of what was none. */
  static boolean isKnown(String name) {
    return !name.equals(UNKNOWN_COMMAND);
  }

  /** A command was tried, and answered. */
  void answered(Command command, RespValue reply, long nanos) {
    metrics.answered(command.fullName(), outcome(reply), nanos);
  }

  /**
   * A request was not even tried.
   *
   * @param command what it names; null where that is no command
   */
  RespValue.ErrorReply rejected(Command command, RespValue.ErrorReply why) {
    metrics.refused(code(why).name());
    String name = command == null ? UNKNOWN_COMMAND : command.fullName();
    metrics.answered(name, Outcome.REJECTED, 0);
    return why;
  }

  /**
   * Commands were carried out together, each with its reply.
   *
   * @param nanos for all of them: which took how much of it is not known
   */
  void answeredTogether(List<Command> commands, List<RespValue> replies, long nanos) {
    for (int i = 0; i < commands.size(); i++) {
      answered(commands.get(i), replies.get(i), nanos / commands.size());
    }
  }

  private Outcome outcome(RespValue reply) {
    if (!(reply instanceof RespValue.ErrorReply error)) {
      return Outcome.OK;
    }
    ErrorCode code = code(error);
    metrics.refused(code.name());
    return switch (code) {
      case NOTALL -> Outcome.OK;
      case UNKNOWN -> Outcome.UNKNOWN;
      case MOVED, CLUSTERDOWN, TRYAGAIN, OOM -> Outcome.REFUSED;
      default -> Outcome.INVALID;
    };
  }

  private static ErrorCode code(RespValue.ErrorReply error) {
    return ErrorCode.named(error.code()).orElse(ErrorCode.ERR);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import static dev.cairn.server.command.Replies.entry;
import static dev.cairn.server.command.Row.plain;

import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.RespValue;
import java.util.List;

/** Commands about the connection itself. */
final class ConnectionCommands {
  static final List<Row.Written> ROWS =
      Row.group(
          "connection",
          Row.answered(
              "PING [message]", "1.0.0", "Returns PONG, or the message.", ConnectionCommands::ping),
          Row.answered(
              "ECHO message",
              "1.0.0",
              "Returns the message.",
              call -> new Plan.Answer(new RespValue.Bulk(call.word(1)))),
          plain(
              "HELLO [protover [AUTH username password] [SETNAME clientname]]",
              "6.0.0",
              "Switches the protocol to RESP 2 or 3. There are no users yet: AUTH as in a Redis without passwords.",
              ConnectionCommands::hello),
          plain(
              "AUTH [username] password",
              "1.0.0",
              "There are no users yet: as in a Redis without passwords.",
              ConnectionCommands::auth),
          plain(
                  "QUIT [ignored ...]",
                  "1.0.0",
                  "Closes the connection once all before it is answered.",
                  ConnectionCommands::quit)
              .with(Command.Trait.AT_ONCE),
          plain(
                  "RESET",
                  "6.2.0",
                  "Makes the connection as it was when it opened.",
                  ConnectionCommands::reset)
              .with(Command.Trait.AT_ONCE),
          Row.answered(
              "SELECT index",
              "1.0.0",
              "Accepts 0: there is one database.",
              ConnectionCommands::select));

  private static final String NO_USERS =
      "AUTH <password> called without any password configured for the default user. Are you sure"
          + " your configuration is correct?";

  private ConnectionCommands() {}

  private static Plan ping(Call call) {
    return switch (call.count()) {
      case 1 -> new Plan.Answer(new RespValue.SimpleString("PONG"));
      case 2 -> new Plan.Answer(new RespValue.Bulk(call.word(1)));
      default -> throw Refusal.arity("ping");
    };
  }

  static void quit(Call call) {
    call.client().close();
    call.ok();
  }

  static void reset(Call call) {
    call.port().clients().end(call.client());
    call.client().reset();
    call.reply(new RespValue.SimpleString("RESET"));
  }

  static void readonly(Call call) {
    call.client().readLevel(Consistency.ONE);
    call.ok();
  }

  static void readwrite(Call call) {
    call.client().leaveReadonly();
    call.ok();
  }

  private static Plan select(Call call) {
    if (call.smallInteger(1) == 0) {
      return new Plan.Answer(RespValue.OK);
    } else if (call.port().kind() == PortKind.CLUSTER) {
      throw new Refusal("SELECT is not allowed in cluster mode");
    } else {
      throw new Refusal("DB index is out of range");
    }
  }

  static void auth(Call call) {
    if (call.count() > 3) {
      throw Refusal.syntax();
    }
    if (call.count() == 2) {
      throw new Refusal(NO_USERS);
    }
    authenticate(call.text(1));
    call.ok();
  }

  /** As in a Redis without passwords: the default user may have any, other users do not exist. */
  private static void authenticate(String user) {
    if (!user.equals("default")) {
      throw Refusal.wrongPassword();
    }
  }

  /** {@code HELLO [version [AUTH user password] [SETNAME name]]}: all of it or nothing. */
  static void hello(Call call) {
    int version = call.client().version();
    if (call.count() > 1) {
      long asked = call.integer(1, "Protocol version is not an integer or out of range");
      if (asked < 2 || asked > 3) {
        call.reply(RespValue.error(ErrorCode.NOPROTO, "unsupported protocol version"));
        return;
      }
      version = (int) asked;
    }
    String name = null;
    for (int i = 2; i < call.count(); i++) {
      if (call.wordIs(i, "AUTH") && i + 2 < call.count()) {
        authenticate(call.text(i + 1));
        i += 2;
      } else if (call.wordIs(i, "SETNAME") && i + 1 < call.count()) {
        name = call.text(++i);
        ClientCommands.plainName(name, "Client names");
      } else {
        call.error("Syntax error in HELLO option '" + call.text(i) + "'");
        return;
      }
    }
    call.client().version(version);
    if (name != null) {
      call.client().name(name);
    }
    call.reply(
        new RespValue.Dictionary(
            List.of(
                entry("server", RespValue.bulk("redis")),
                entry("version", RespValue.bulk(NodeFacts.REDIS_VERSION)),
                entry("proto", new RespValue.Int(version)),
                entry("id", new RespValue.Int(call.client().id())),
                entry("mode", RespValue.bulk(call.port().kind().mode())),
                entry("role", RespValue.bulk("master")),
                entry("modules", RespValue.array()))));
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import static dev.cairn.server.command.Replies.entry;
import static dev.cairn.server.command.Row.plain;

import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.RespValue;
import dev.cairn.server.access.User;
import java.util.List;
import java.util.Optional;

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
                  "Switches the protocol to RESP 2 or 3, and logs in.",
                  ConnectionCommands::hello)
              .with(Command.Trait.NO_AUTH),
          plain(
                  "AUTH [username] password",
                  "1.0.0",
                  "Logs in, as the user default where none is named.",
                  ConnectionCommands::auth)
              .with(Command.Trait.NO_AUTH),
          plain(
                  "QUIT [ignored ...]",
                  "1.0.0",
                  "Closes the connection once all before it is answered.",
                  ConnectionCommands::quit)
              .with(Command.Trait.NO_AUTH)
              .with(Command.Trait.AT_ONCE),
          plain(
                  "RESET",
                  "6.2.0",
                  "Makes the connection as it was when it opened.",
                  ConnectionCommands::reset)
              .with(Command.Trait.NO_AUTH)
              .with(Command.Trait.AT_ONCE),
          Row.answered(
              "SELECT index",
              "1.0.0",
              "Accepts 0: there is one database.",
              ConnectionCommands::select));

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
    call.client().rights().begin(call.port().access());
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
    if (call.count() == 2 && call.port().access().users().needsNoPassword()) {
      throw new Refusal(Authentication.NO_PASSWORD);
    }
    String user = call.count() == 2 ? User.DEFAULT : Authentication.bytes(call.word(1));
    Authentication.start(call, user, call.word(call.count() - 1), call::ok, () -> {});
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
    int authAt = 0;
    for (int i = 2; i < call.count(); i++) {
      if (call.wordIs(i, "AUTH") && i + 2 < call.count()) {
        authAt = i;
        i += 2;
      } else if (call.wordIs(i, "SETNAME") && i + 1 < call.count()) {
        name = call.text(++i);
        ClientCommands.plainName(name, "Client names");
      } else {
        call.error("Syntax error in HELLO option '" + call.text(i) + "'");
        return;
      }
    }
    greet(call, version, Optional.ofNullable(name), authAt);
  }

  /** The version holds at once: the reply is in it, and an error looks the same in both. */
  private static void greet(Call call, int version, Optional<String> name, int authAt) {
    ClientState client = call.client();
    Runnable greet =
        () -> {
          name.ifPresent(client::name);
          call.reply(greeting(call, version));
        };
    if (authAt == 0) {
      if (client.rights().user(call.port().access()) == null) {
        throw Refusal.helloNeedsAuth();
      }
      client.version(version);
      greet.run();
      return;
    }
    int before = client.version();
    boolean replicas = client.replicas();
    client.version(version);
    Authentication.start(
        call,
        Authentication.bytes(call.word(authAt + 1)),
        call.word(authAt + 2),
        greet,
        () -> {
          client.version(before);
          client.replicas(replicas);
        });
  }

  private static RespValue greeting(Call call, int version) {
    return new RespValue.Dictionary(
        List.of(
            entry("server", RespValue.bulk("redis")),
            entry("version", RespValue.bulk(NodeFacts.REDIS_VERSION)),
            entry("proto", new RespValue.Int(version)),
            entry("id", new RespValue.Int(call.client().id())),
            entry("mode", RespValue.bulk(call.port().kind().mode())),
            entry("role", RespValue.bulk("master")),
            entry("modules", RespValue.array())));
  }
}

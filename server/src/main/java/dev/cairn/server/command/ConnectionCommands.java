// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.RespValue;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Commands about the connection itself. */
final class ConnectionCommands {
  private static final String NO_SPECIAL_CHARACTERS =
      "%s cannot contain spaces, newlines or special characters.";

  private static final String NO_USERS =
      "AUTH <password> called without any password configured for the default user. Are you sure"
          + " your configuration is correct?";

  private ConnectionCommands() {}

  static void ping(Call call) {
    switch (call.count()) {
      case 1 -> call.reply(new RespValue.SimpleString("PONG"));
      case 2 -> call.reply(new RespValue.Bulk(call.word(1)));
      default -> call.reply(Commands.wrongArity("ping"));
    }
  }

  static void echo(Call call) {
    call.reply(new RespValue.Bulk(call.word(1)));
  }

  static void quit(Call call) {
    call.client().close();
    call.ok();
  }

  static void reset(Call call) {
    call.client().reset();
    call.reply(new RespValue.SimpleString("RESET"));
  }

  static void select(Call call) {
    try {
      if (Long.parseLong(call.text(1)) == 0) {
        call.ok();
      } else if (call.commands().face() == Face.CLUSTER) {
        call.error("SELECT is not allowed in cluster mode");
      } else {
        call.error("DB index is out of range");
      }
    } catch (NumberFormatException failure) {
      call.error("value is not an integer or out of range");
    }
  }

  static void ok(Call call) {
    call.ok();
  }

  static void auth(Call call) {
    call.error(NO_USERS);
  }

  /** {@code HELLO [version [AUTH user password] [SETNAME name]]}: all of it or nothing. */
  static void hello(Call call) {
    int version = call.client().version();
    if (call.count() > 1) {
      try {
        version = Integer.parseInt(call.text(1));
      } catch (NumberFormatException failure) {
        call.error("Protocol version is not an integer or out of range");
        return;
      }
      if (version < 2 || version > 3) {
        call.reply(RespValue.error(ErrorCode.NOPROTO, "unsupported protocol version"));
        return;
      }
    }
    String name = null;
    for (int i = 2; i < call.count(); i++) {
      if (call.wordIs(i, "AUTH") && i + 2 < call.count()) {
        call.error(NO_USERS);
        return;
      } else if (call.wordIs(i, "SETNAME") && i + 1 < call.count()) {
        name = call.text(++i);
        if (!isPlain(name)) {
          call.error(NO_SPECIAL_CHARACTERS.formatted("Client names"));
          return;
        }
      } else {
        call.error("Syntax error in HELLO option '" + call.text(i) + "'");
        return;
      }
    }
    call.client().version(version);
    if (name != null) {
      call.client().name = name;
    }
    call.reply(
        new RespValue.Dictionary(
            List.of(
                entry("server", RespValue.bulk("redis")),
                entry("version", RespValue.bulk(NodeFacts.REDIS_VERSION)),
                entry("proto", new RespValue.Int(version)),
                entry("id", new RespValue.Int(call.client().id())),
                entry("mode", RespValue.bulk(mode(call.commands().face()))),
                entry("role", RespValue.bulk("master")),
                entry("modules", RespValue.array()))));
  }

  static String mode(Face face) {
    return face == Face.CLUSTER ? "cluster" : "standalone";
  }

  static RespValue.Entry entry(String key, RespValue value) {
    return new RespValue.Entry(RespValue.bulk(key), value);
  }

  static void clientId(Call call) {
    call.reply(new RespValue.Int(call.client().id()));
  }

  static void clientSetname(Call call) {
    String name = call.text(2);
    if (isPlain(name)) {
      call.client().name = name;
      call.ok();
    } else {
      call.error(NO_SPECIAL_CHARACTERS.formatted("Client names"));
    }
  }

  static void clientGetname(Call call) {
    String name = call.client().name;
    call.reply(name.isEmpty() ? RespValue.NIL : RespValue.bulk(name));
  }

  static void clientSetinfo(Call call) {
    String attribute = call.text(2).toLowerCase(Locale.ROOT);
    String value = call.text(3);
    if (!attribute.equals("lib-name") && !attribute.equals("lib-ver")) {
      call.error("Unrecognized option '" + call.text(2) + "'");
    } else if (!isPlain(value)) {
      call.error(NO_SPECIAL_CHARACTERS.formatted(attribute));
    } else {
      if (attribute.equals("lib-name")) {
        call.client().libraryName = value;
      } else {
        call.client().libraryVersion = value;
      }
      call.ok();
    }
  }

  /** CLIENT INFO and CLIENT LIST: this connection only. */
  static void clientInfo(Call call) {
    String line = call.client().line(call.commands().facts().clock().millis()) + "\n";
    call.reply(new RespValue.Verbatim("txt", line.getBytes(StandardCharsets.UTF_8)));
  }

  static void onOrOff(Call call) {
    if (call.wordIs(2, "ON") || call.wordIs(2, "OFF")) {
      call.ok();
    } else {
      call.error("syntax error");
    }
  }

  /** HELP of any container, made from its rows. */
  static void help(Call call, Command container) {
    List<RespValue> lines = new ArrayList<>();
    String name = container.name().toUpperCase(Locale.ROOT);
    lines.add(
        new RespValue.SimpleString(
            name + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    for (Command subcommand : container.subcommands()) {
      lines.add(new RespValue.SimpleString(subcommand.syntax().substring(name.length() + 1)));
      lines.add(new RespValue.SimpleString("    " + subcommand.summary()));
    }
    call.reply(new RespValue.Array(lines));
  }

  /** Redis: printable ASCII without the space. */
  private static boolean isPlain(String text) {
    return text.chars().allMatch(c -> c >= '!' && c <= '~');
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import static dev.cairn.server.command.Replies.entry;

import dev.cairn.protocol.RespValue;
import dev.cairn.server.value.Glob;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiPredicate;

/** COMMAND: the table, told in Redis' form. */
final class CommandCommands {
  static final List<Row.Written> ROWS =
      Row.group(
          "server",
          Row.container(
                  "COMMAND",
                  "2.8.13",
                  "Returns all rows of the command table.",
                  Row.plain(
                      "COMMAND COUNT", "2.8.13", "Counts the commands.", CommandCommands::count),
                  Row.plain(
                      "COMMAND DOCS [command-name ...]",
                      "7.0.0",
                      "Documents commands.",
                      CommandCommands::docs),
                  Row.plain(
                      "COMMAND GETKEYS command arg [arg ...]",
                      "2.8.13",
                      "Finds the keys in a command.",
                      call -> keys(call, false)),
                  Row.plain(
                      "COMMAND GETKEYSANDFLAGS command arg [arg ...]",
                      "7.0.0",
                      "Finds the keys in a command, and what it does to them.",
                      call -> keys(call, true)),
                  Row.plain(
                      "COMMAND INFO [command-name ...]",
                      "2.8.13",
                      "Returns rows of the command table.",
                      CommandCommands::info),
                  Row.plain(
                      "COMMAND LIST [FILTERBY <MODULE name | ACLCAT category | PATTERN pattern>]",
                      "7.0.0",
                      "Returns the names of commands: of all, of an access category, or of those"
                          + " that match a glob pattern.",
                      CommandCommands::list))
              .orAlone(CommandCommands::all));

  private CommandCommands() {}

  static void all(Call call) {
    call.reply(
        new RespValue.Array(CommandTable.names().stream().map(CommandCommands::info).toList()));
  }

  static void count(Call call) {
    call.reply(new RespValue.Int(CommandTable.names().size()));
  }

  static void list(Call call) {
    Map<String, Command> all = new LinkedHashMap<>();
    for (String name : CommandTable.names()) {
      Command command = CommandTable.find(name);
      all.put(name, command);
      command.subcommands().forEach(one -> all.put(name + "|" + one.name(), one));
    }
    BiPredicate<String, Command> wanted = filter(call);
    List<RespValue> names = new ArrayList<>();
    all.forEach(
        (name, command) -> {
          if (wanted.test(name, command)) {
            names.add(RespValue.bulk(name));
          }
        });
    call.reply(new RespValue.Array(names));
  }

  private static BiPredicate<String, Command> filter(Call call) {
    if (call.count() == 2) {
      return (name, command) -> true;
    }
    if (call.count() != 5 || !call.wordIs(2, "FILTERBY")) {
      throw Refusal.syntax();
    }
    String argument = call.text(4).toLowerCase(Locale.ROOT);
    return switch (call.text(3).toUpperCase(Locale.ROOT)) {
      case "MODULE" -> (name, command) -> false;
      case "ACLCAT" -> (name, command) -> command.categories().contains("@" + argument);
      case "PATTERN" -> {
        if (call.word(4).length > Glob.BYTES_MAX) {
          throw new Refusal("pattern must be at most %d bytes".formatted(Glob.BYTES_MAX));
        }
        Glob.Matcher matcher = Glob.ignoringCase(call.word(4)).matcher();
        yield (name, command) -> matcher.matches(name.getBytes(StandardCharsets.US_ASCII));
      }
      default -> throw Refusal.syntax();
    };
  }

  static void info(Call call) {
    if (call.count() == 2) {
      all(call);
      return;
    }
    List<RespValue> rows = new ArrayList<>();
    for (int i = 2; i < call.count(); i++) {
      rows.add(info(call.text(i).toLowerCase(Locale.ROOT)));
    }
    call.reply(new RespValue.Array(rows));
  }

  static void docs(Call call) {
    List<RespValue.Entry> entries = new ArrayList<>();
    if (call.count() == 2) {
      for (String name : CommandTable.names()) {
        entries.add(entry(name, docs(CommandTable.find(name), "")));
      }
    }
    for (int i = 2; i < call.count(); i++) {
      Command command = CommandTable.find(call.word(i));
      if (command != null) {
        entries.add(entry(call.text(i).toLowerCase(Locale.ROOT), docs(command, "")));
      }
    }
    call.reply(new RespValue.Dictionary(entries));
  }

  /** The keys of the call that stands behind; a container by itself is no command. */
  private static void keys(Call call, boolean withFlags) {
    List<byte[]> words = call.words().subList(2, call.count());
    Command command = CommandTable.find(words.get(0));
    String name = command == null ? "" : command.name();
    if (command != null && !command.subcommands().isEmpty()) {
      command = CommandTable.find(command, words.get(1));
      name = command == null ? "" : name + "|" + command.name();
    }
    if (command == null) {
      throw new Refusal("Invalid command specified");
    } else if (command.keys().first() == 0) {
      throw new Refusal("The command has no key arguments");
    } else if (!command.accepts(words.size())) {
      throw new Refusal("Invalid number of arguments specified for command");
    }
    List<RespValue> answer = new ArrayList<>();
    for (byte[] key : command.keys().of(words)) {
      RespValue flags = simple(KeyFlags.of(name, command, words, answer.size()));
      RespValue.Bulk bulk = new RespValue.Bulk(key);
      answer.add(withFlags ? RespValue.array(bulk, flags) : bulk);
    }
    call.reply(new RespValue.Array(answer));
  }

  private static RespValue info(String name) {
    Command command = CommandTable.find(name);
    return command == null ? RespValue.NIL : row(name, "", command);
  }

  /** {@code [name, arity, flags, first, last, step, categories, tips, key specs, subcommands]}. */
  private static RespValue row(String name, String container, Command command) {
    Command.Keys keys = command.keys();
    return RespValue.array(
        RespValue.bulk(container + name),
        new RespValue.Int(command.arity()),
        simple(command.flags()),
        new RespValue.Int(keys.first()),
        new RespValue.Int(keys.last()),
        new RespValue.Int(keys.step()),
        simple(command.categories()),
        RespValue.array(),
        keySpecification(container + command.name(), command),
        new RespValue.Array(
            command.subcommands().stream()
                .map(subcommand -> row(subcommand.name(), name + "|", subcommand))
                .toList()));
  }

  private static RespValue simple(List<String> words) {
    return new RespValue.Collection(
        words.stream().<RespValue>map(RespValue.SimpleString::new).toList());
  }

  private static RespValue keySpecification(String name, Command command) {
    Command.Keys keys = command.keys();
    if (keys.first() == 0) {
      return RespValue.array();
    }
    return RespValue.array(
        new RespValue.Dictionary(
            List.of(
                entry("flags", simple(KeyFlags.of(name, command, 0))),
                entry(
                    "begin_search",
                    new RespValue.Dictionary(
                        List.of(
                            entry("type", RespValue.bulk("index")),
                            entry("spec", numbers("index", keys.first()))))),
                entry(
                    "find_keys",
                    new RespValue.Dictionary(
                        List.of(
                            entry("type", RespValue.bulk("range")),
                            entry(
                                "spec",
                                numbers(
                                    "lastkey",
                                    keys.last() < 0 ? keys.last() : keys.last() - keys.first(),
                                    "keystep",
                                    keys.step(),
                                    "limit",
                                    0))))))));
  }

  private static RespValue numbers(Object... pairs) {
    List<RespValue.Entry> entries = new ArrayList<>();
    for (int i = 0; i < pairs.length; i += 2) {
      entries.add(entry((String) pairs[i], new RespValue.Int((Integer) pairs[i + 1])));
    }
    return new RespValue.Dictionary(entries);
  }

  private static RespValue arguments(List<Syntax.Argument> arguments) {
    List<RespValue> all = new ArrayList<>();
    for (Syntax.Argument argument : arguments) {
      List<RespValue.Entry> entries = new ArrayList<>();
      entries.add(entry("name", RespValue.bulk(argument.name())));
      entries.add(entry("type", RespValue.bulk(argument.type())));
      if (argument.type().equals("key")) {
        entries.add(entry("key_spec_index", new RespValue.Int(0)));
      }
      if (!argument.token().isEmpty()) {
        entries.add(entry("token", RespValue.bulk(argument.token())));
      }
      List<String> flags = new ArrayList<>();
      if (argument.optional()) {
        flags.add("optional");
      }
      if (argument.multiple()) {
        flags.add("multiple");
      }
      if (!flags.isEmpty()) {
        entries.add(entry("flags", simple(flags)));
      }
      if (!argument.parts().isEmpty()) {
        entries.add(entry("arguments", arguments(argument.parts())));
      }
      all.add(new RespValue.Dictionary(entries));
    }
    return new RespValue.Array(all);
  }

  private static RespValue docs(Command command, String container) {
    List<RespValue.Entry> entries = new ArrayList<>();
    entries.add(entry("summary", RespValue.bulk(command.summary())));
    entries.add(entry("since", RespValue.bulk(command.description().since())));
    entries.add(entry("group", RespValue.bulk(command.description().group())));
    entries.add(entry("complexity", RespValue.bulk(command.description().complexity())));
    int names = container.isEmpty() ? 1 : 2;
    List<Syntax.Argument> arguments =
        command.subcommands().isEmpty() ? Syntax.arguments(command.syntax(), names) : List.of();
    if (!arguments.isEmpty()) {
      entries.add(entry("arguments", arguments(arguments)));
    }
    if (container.isEmpty() && !command.subcommands().isEmpty()) {
      List<RespValue.Entry> subcommands = new ArrayList<>();
      for (Command subcommand : command.subcommands()) {
        subcommands.add(
            entry(command.name() + "|" + subcommand.name(), docs(subcommand, command.name())));
      }
      entries.add(entry("subcommands", new RespValue.Dictionary(subcommands)));
    }
    return new RespValue.Dictionary(entries);
  }
}

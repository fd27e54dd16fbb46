// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.protocol.RespValue;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a node's COMMAND DOCS says of a command, as lines for a person. The usage is put together
 * from the arguments as Redis describes them: {@code oneof}, {@code block}, tokens, what may be
 * left out and what may come again. What is not of that form is left out.
 */
final class CommandDocs {
  private CommandDocs() {}

  /** The lines of HELP; the name as the user wrote it. */
  static List<String> lines(String name, RespValue docs) {
    List<String> lines = new ArrayList<>();
    lines.add(line(name, docs));
    lines.add("  Since " + text(docs, "since") + ". " + text(docs, "complexity") + ".");
    for (RespValue.Entry subcommand : entries(field(docs, "subcommands"))) {
      lines.add("  " + line(text(subcommand.key()).replace('|', ' '), subcommand.value()));
    }
    return lines;
  }

  private static String line(String name, RespValue docs) {
    String usage = name.toUpperCase(Locale.ROOT) + all(field(docs, "arguments"), " ", " ");
    return usage + "  -  " + text(docs, "summary");
  }

  /** All arguments: the first behind {@code before}, the others behind {@code between}. */
  private static String all(Optional<RespValue> arguments, String before, String between) {
    List<String> rendered = elements(arguments).stream().map(CommandDocs::argument).toList();
    return rendered.isEmpty() ? "" : before + String.join(between, rendered);
  }

  private static String argument(RespValue argument) {
    String token = text(argument, "token");
    String what =
        switch (text(argument, "type")) {
          case "pure-token" -> "";
          case "oneof" -> all(field(argument, "arguments"), "", " | ");
          case "block" -> all(field(argument, "arguments"), "", " ");
          default -> text(argument, "name");
        };
    String both = token.isEmpty() ? what : (token + " " + what).trim();
    List<String> flags =
        elements(field(argument, "flags")).stream().map(CommandDocs::text).toList();
    boolean again = flags.contains("multiple");
    if (flags.contains("optional")) {
      return "[" + both + (again ? " ..." : "") + "]";
    }
    return again ? both + " [" + both + " ...]" : both;
  }

  private static Optional<RespValue> field(RespValue map, String name) {
    return entries(Optional.of(map)).stream()
        .filter(entry -> text(entry.key()).equals(name))
        .map(RespValue.Entry::value)
        .findFirst();
  }

  private static String text(RespValue map, String field) {
    return field(map, field).map(CommandDocs::text).orElse("");
  }

  private static List<RespValue.Entry> entries(Optional<RespValue> value) {
    return value.isPresent() && value.get() instanceof RespValue.Dictionary map
        ? map.entries()
        : List.of();
  }

  private static List<RespValue> elements(Optional<RespValue> value) {
    if (value.isPresent() && value.get() instanceof RespValue.Collection set) {
      return set.elements();
    }
    return value.isPresent() && value.get() instanceof RespValue.Array array
        ? array.elements()
        : List.of();
  }

  private static String text(RespValue value) {
    if (value instanceof RespValue.SimpleString simple) {
      return simple.text();
    }
    return value instanceof RespValue.Bulk bulk
        ? new String(bulk.bytes(), StandardCharsets.UTF_8)
        : "";
  }
}

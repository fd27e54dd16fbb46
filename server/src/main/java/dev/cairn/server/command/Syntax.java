// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * How a command is called, taken apart: what COMMAND DOCS tells of its arguments.
 *
 * <pre>
 *   syntax   ::= name+ item*                    the names of a command, and of its container
 *   item     ::= TOKEN (word* | '&lt;' choice '&gt;') | word | '[' choice '...'? ']' | '&lt;' choice '&gt;'
 *   choice   ::= item+ ('|' item+)*
 *   word     ::= a name in lower case           it stands for what the user writes
 *   TOKEN    ::= a name in upper case           it stands for itself
 * </pre>
 *
 * <p>What is in brackets may be left out; with three dots it may come again. {@code key [key ...]}
 * is one argument that comes once or more often.
 */
final class Syntax {
  private static final Set<String> INTEGERS =
      Set.of(
          "bit",
          "client-id",
          "count",
          "decrement",
          "end",
          "increment",
          "index",
          "length",
          "milliseconds",
          "numkeys",
          "numreplicas",
          "offset",
          "protover",
          "seconds",
          "sequence",
          "slot",
          "start",
          "timeout",
          "cursor");

  private static final Map<String, String> TYPES =
      Map.of("time", "unix-time", "issuedAtMillis", "unix-time", "pattern", "pattern");

  private static final String MORE = "...";

  private final ArrayDeque<String> left;

  /**
   * One argument, or several that belong together.
   *
   * @param type Redis' word for it: {@code key}, {@code string}, {@code oneof}, ...
   * @param token what stands before it; empty: nothing
   * @param parts of a {@code block} or {@code oneof}
   */
  record Argument(
      String name,
      String type,
      String token,
      boolean optional,
      boolean multiple,
      List<Argument> parts) {
    private Argument with(boolean nowOptional, boolean nowMultiple) {
      return new Argument(
          name, type, token, optional || nowOptional, multiple || nowMultiple, parts);
    }
  }

  private Syntax(String syntax) {
    String spaced = syntax.replaceAll("([\\[\\]<>|])", " $1 ").trim();
    left = new ArrayDeque<>(List.of(spaced.split(" +")));
  }

  /**
   * The arguments of a command.
   *
   * @param names how many words at its beginning are its name
   */
  static List<Argument> arguments(String syntax, int names) {
    Syntax parsed = new Syntax(syntax);
    for (int i = 0; i < names; i++) {
      parsed.left.remove();
    }
    return parsed.sequence();
  }

  /** Up to the end, a bar, or a bracket that closes. */
  private List<Argument> sequence() {
    List<Argument> items = new ArrayList<>();
    while (!left.isEmpty() && !Set.of("]", ">", "|", MORE).contains(left.peek())) {
      String word = left.remove();
      if (word.equals("[")) {
        addOptional(items, choice("]"));
      } else if (word.equals("<")) {
        items.add(choice(">"));
      } else if (isToken(word)) {
        items.add(tokened(word));
      } else {
        items.add(single(word, ""));
      }
    }
    return items;
  }

  /** An argument whose like came before only says that there may be more. */
  private static void addOptional(List<Argument> items, Argument optional) {
    List<Argument> parts = optional.type().equals("block") ? optional.parts() : List.of(optional);
    int from = items.size() - parts.size();
    boolean again =
        optional.multiple()
            && from >= 0
            && names(items.subList(from, items.size())).equals(names(parts));
    if (!again) {
      items.add(optional.with(true, false));
      return;
    }
    Argument once = together(items.subList(from, items.size()));
    items.subList(from, items.size()).clear();
    items.add(once.with(false, true));
  }

  private Argument choice(String end) {
    List<Argument> choices = new ArrayList<>();
    boolean more = false;
    String separator;
    do {
      choices.add(together(sequence()));
      if (left.peek().equals(MORE)) {
        left.remove();
        more = true;
      }
      separator = left.remove();
    } while (!separator.equals(end));
    Argument made =
        choices.size() == 1
            ? choices.get(0)
            : new Argument(nameOf(choices), "oneof", "", false, false, choices);
    return made.with(false, more);
  }

  /** A token with the words behind it, as many as there are. */
  private Argument tokened(String token) {
    String name = token.toLowerCase(Locale.ROOT);
    if (!left.isEmpty() && left.peek().equals("<")) {
      left.remove();
      return new Argument(name, "oneof", token, false, false, choice(">").parts());
    }
    List<Argument> words = new ArrayList<>();
    while (!left.isEmpty() && left.peek().matches("[a-z0-9][A-Za-z0-9:-]*")) {
      words.add(single(left.remove(), ""));
    }
    return switch (words.size()) {
      case 0 -> new Argument(name, "pure-token", token, false, false, List.of());
      case 1 -> single(words.get(0).name(), token);
      default -> new Argument(name, "block", token, false, false, List.copyOf(words));
    };
  }

  private static Argument single(String word, String token) {
    String type =
        Row.KEY_WORDS.contains(word)
            ? "key"
            : INTEGERS.contains(word) ? "integer" : TYPES.getOrDefault(word, "string");
    return new Argument(word, type, token, false, false, List.of());
  }

  private static Argument together(List<Argument> items) {
    return items.size() == 1
        ? items.get(0)
        : new Argument(
            String.join("_", names(items)), "block", "", false, false, List.copyOf(items));
  }

  private static List<String> names(List<Argument> items) {
    return items.stream().map(Argument::name).toList();
  }

  private static String nameOf(List<Argument> choices) {
    Set<String> tokens = choices.stream().map(Argument::token).collect(Collectors.toSet());
    if (tokens.contains("NX") || tokens.contains("IFEQ")) {
      return "condition";
    }
    return tokens.contains("EX") ? "expiration" : "option";
  }

  private static boolean isToken(String word) {
    return word.matches("[A-Z][A-Z0-9-]*");
  }
}

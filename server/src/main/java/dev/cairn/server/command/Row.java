// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.RespValue;
import dev.cairn.server.command.Command.Access;
import dev.cairn.server.command.Command.Keys;
import dev.cairn.server.command.Plan.Handler;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Writes a row of the {@link CommandTable}. What a syntax says is not said again: the name, how
 * many words there must be, and which of them are keys are read out of it.
 *
 * <pre>
 *   SET key value [NX | XX] [GET]     at least 3 words, the second a key
 *   MSET key value [key value ...]    every other word from the second on is a key
 *   CLIENT NO-EVICT &lt;ON | OFF&gt;        exactly 3 words: of alternatives the first is counted
 * </pre>
 */
final class Row {
  /** Words that stand for a key. */
  static final Set<String> KEY_WORDS =
      Set.of("key", "newkey", "key1", "key2", "source", "destination", "destkey");

  private final String syntax;
  private final String since;
  private final String summary;
  private final Access access;
  private final Plan.Planner planner; // null: a container that is called with a subcommand only
  private final boolean queueable;
  private final List<String> aliases = new ArrayList<>();
  private final Set<Command.Trait> traits = new TreeSet<>();
  private final List<Row> subcommands = new ArrayList<>();
  private String complexity = "O(1)";
  private boolean hasKeys = true;
  private Optional<Keys> keys = Optional.empty();

  private Row(
      String syntax,
      String since,
      String summary,
      Access access,
      Plan.Planner planner,
      boolean queueable) {
    this.syntax = syntax;
    this.since = since;
    this.summary = summary;
    this.access = access;
    this.planner = planner;
    this.queueable = queueable;
  }

  /** A command that reads keys. */
  static Row read(String syntax, String since, String summary, Plan.Planner planner) {
    return new Row(syntax, since, summary, Access.READ, planner, true);
  }

  /** A command that writes keys. */
  static Row write(String syntax, String since, String summary, Plan.Planner planner) {
    return new Row(syntax, since, summary, Access.WRITE, planner, true);
  }

  /** A command with keys that cannot stand in a transaction. */
  static Row keyed(
      String syntax, String since, String summary, Access access, Plan.Planner planner) {
    return new Row(syntax, since, summary, access, planner, false);
  }

  /** A command without keys whose answer this node knows, now or in a transaction. */
  static Row answered(String syntax, String since, String summary, Plan.Planner planner) {
    return new Row(syntax, since, summary, Access.NONE, planner, true).withoutKeys();
  }

  /** A command without keys that touches none, and nothing that other requests leave behind. */
  static Row plain(String syntax, String since, String summary, Handler handler) {
    return own(syntax, since, summary, Effect.NOTHING, handler);
  }

  /**
   * A command without keys that tells or changes what other requests leave behind, counters for
   * example: it waits for all before it ({@link Effect#REPORTS}).
   */
  static Row report(String syntax, String since, String summary, Handler handler) {
    return own(syntax, since, summary, Effect.REPORTS, handler);
  }

  private static Row own(
      String syntax, String since, String summary, Effect effect, Handler handler) {
    Plan plan = new Plan.Own(effect, handler);
    return new Row(syntax, since, summary, Access.NONE, call -> plan, false).withoutKeys();
  }

  /** A command without keys that concerns all of them. */
  static Row whole(
      String syntax, String since, String summary, Access access, Plan.Planner planner) {
    return keyed(syntax, since, summary, access, planner).withoutKeys();
  }

  /** A command made of subcommands; HELP is added to them. */
  static Row container(String name, String since, String summary, Row... subcommands) {
    Row row = new Row(name, since, summary, Access.NONE, null, false).withoutKeys();
    row.subcommands.addAll(Arrays.asList(subcommands));
    row.subcommands.add(
        plain(
            name + " HELP",
            since,
            "Prints this.",
            call -> call.reply(help(name, row.subcommands))));
    return row;
  }

  /** HELP of a container, made from its rows. */
  private static RespValue help(String container, List<Row> subcommands) {
    List<RespValue> lines = new ArrayList<>();
    lines.add(
        new RespValue.SimpleString(
            container + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    for (Row subcommand : subcommands) {
      lines.add(new RespValue.SimpleString(subcommand.syntax.substring(container.length() + 1)));
      lines.add(new RespValue.SimpleString("    " + subcommand.summary));
    }
    return new RespValue.Array(lines);
  }

  /** What runs a container that is called without a subcommand. */
  Row orAlone(Handler alone) {
    Row row = plain(syntax, since, summary, alone);
    row.subcommands.addAll(subcommands);
    return row;
  }

  /** It is not constant work; in O notation. */
  Row slow(String complexityOfIt) {
    complexity = complexityOfIt;
    traits.add(Command.Trait.SLOW);
    return this;
  }

  Row alias(String name) {
    aliases.add(name);
    return this;
  }

  Row with(Command.Trait trait) {
    traits.add(trait);
    return this;
  }

  Row keys(Keys other) {
    keys = Optional.of(other);
    return this;
  }

  /** What its syntax calls a key is not looked up. */
  Row withoutKeys() {
    hasKeys = false;
    return this;
  }

  /**
   * A row that is written.
   *
   * @param planner what says what a call of it does; null: a container that is called with a
   *     subcommand only
   */
  record Written(Command command, Plan.Planner planner, List<Written> subcommands) {
    /** The same at a place of the table ({@link Command#numbered}). */
    Written numbered(int number) {
      Command placed = command.numbered(number);
      List<Written> behind = new ArrayList<>();
      for (Written subcommand : subcommands) {
        behind.add(
            new Written(placed.subcommands().get(behind.size()), subcommand.planner(), List.of()));
      }
      return new Written(placed, planner, behind);
    }
  }

  /** The rows of one group of Redis' documentation. */
  static List<Written> group(String group, Row... rows) {
    return Arrays.stream(rows).map(row -> row.written(group, 0)).toList();
  }

  private Written written(String group, int depth) {
    List<Word> words = words(syntax);
    List<Written> made =
        subcommands.stream().map(subcommand -> subcommand.written(group, depth + 1)).toList();
    String container = depth == 0 ? "" : words.get(0).text().toLowerCase(Locale.ROOT);
    String shownSyntax =
        made.isEmpty() || planner != null ? syntax : syntax + " subcommand [arg ...]";
    Command command =
        new Command(
            new Command.Names(
                container, words.get(depth).text().toLowerCase(Locale.ROOT), aliases, -1),
            arity(words, !made.isEmpty()),
            access,
            traits,
            keys.orElseGet(() -> hasKeys ? keys(words) : Keys.NONE),
            new Command.Description(group, since, complexity, shownSyntax, summary),
            made.stream().map(Written::command).toList(),
            queueable);
    return new Written(command, planner, made);
  }

  private record Word(String text, boolean optional) {}

  /** The words of a syntax; of required alternatives the first only. */
  private static List<Word> words(String syntax) {
    List<Word> words = new ArrayList<>();
    int depth = 0;
    boolean alternative = false;
    for (String text : syntax.replaceAll("([\\[\\]<>|])", " $1 ").trim().split(" +")) {
      switch (text) {
        case "[" -> depth++;
        case "]" -> depth--;
        case "|" -> alternative = depth == 0;
        case "<", ">" -> alternative = false;
        default -> {
          if (!alternative) {
            words.add(new Word(text, depth > 0));
          }
        }
      }
    }
    return words;
  }

  private int arity(List<Word> words, boolean container) {
    int required = (int) words.stream().filter(word -> !word.optional()).count();
    if (container) {
      return planner == null ? -2 : -1;
    }
    return words.stream().anyMatch(Word::optional) ? -required : required;
  }

  private static Keys keys(List<Word> words) {
    int first = 0;
    int last = 0;
    int step = 1;
    for (int i = 1; i < words.size(); i++) {
      if (!KEY_WORDS.contains(words.get(i).text())) {
        continue;
      }
      if (!words.get(i).optional()) {
        first = first == 0 ? i : first;
        last = i;
      } else {
        step = words.get(i + 1).text().equals("...") ? 1 : 2;
        last = -1;
      }
    }
    return first == 0 ? Keys.NONE : new Keys(first, last, step, 0);
  }
}

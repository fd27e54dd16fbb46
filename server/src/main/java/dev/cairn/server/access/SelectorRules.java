// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.access;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A {@link Selector} that is being made, rule by rule, each over those before it. Texts of errors
 * are Redis 7.0.15's. Rules are told again as Redis 7.2 does it: in their order, but for what a
 * later one made void.
 *
 * <pre>
 *   rule      ::= allkeys | ~* | resetkeys | ~pattern | %directions~pattern
 *               | allchannels | &amp;* | resetchannels | &amp;pattern
 *               | allcommands | +@all | nocommands | -@all
 *               | (+ | -) (command | command|subcommand | @category) | +command|firstArgument
 *   directions ::= R | W | RW | WR                     in any case
 * </pre>
 */
final class SelectorRules {
  private static final String AFTER_ALL_KEYS =
      "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have"
          + " any effect. Try 'resetkeys' to start with an empty list of patterns";
  private static final String AFTER_ALL_CHANNELS =
      "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not"
          + " have any effect. Try 'resetchannels' to start with an empty list of channels";

  private final Catalog catalog;
  private boolean allCommands;
  private boolean fromAll; // the command rules begin with +@all
  private long[] commands;
  private final Map<Integer, List<String>> firstArguments = new LinkedHashMap<>();
  private boolean allKeys;
  private final Map<String, Integer> keys = new LinkedHashMap<>();
  private boolean allChannels;
  private final List<String> channels = new ArrayList<>();
  private final List<String> commandRules = new ArrayList<>();

  /** One that allows nothing. */
  SelectorRules(Catalog catalog) {
    this.catalog = catalog;
    commands = catalog.none();
  }

  /** One that goes on from another. */
  static SelectorRules of(Selector from, Catalog catalog) {
    SelectorRules rules = new SelectorRules(catalog);
    rules.allCommands = from.allCommands();
    rules.fromAll = from.commandRules().get(0).equals("+@all");
    rules.commands = from.commands().clone();
    from.firstArguments()
        .forEach((id, words) -> rules.firstArguments.put(id, new ArrayList<>(words)));
    rules.allKeys = from.allKeys();
    from.keys().forEach(key -> rules.keys.put(key.pattern(), key.directions()));
    rules.allChannels = from.allChannels();
    rules.channels.addAll(from.channels());
    rules.commandRules.addAll(from.commandRules().subList(1, from.commandRules().size()));
    return rules;
  }

  Selector selector() {
    List<String> told = new ArrayList<>();
    told.add(fromAll ? "+@all" : "-@all");
    told.addAll(commandRules);
    Map<Integer, List<String>> arguments = new LinkedHashMap<>();
    firstArguments.forEach((id, words) -> arguments.put(id, List.copyOf(words)));
    return new Selector(
        allCommands,
        commands.clone(),
        Map.copyOf(arguments),
        allKeys,
        keys.entrySet().stream().map(key -> new KeyRule(key.getKey(), key.getValue())).toList(),
        allChannels,
        List.copyOf(channels),
        List.copyOf(told));
  }

  void apply(String rule) throws RuleException {
    switch (rule.toLowerCase(Locale.ROOT)) {
      case "allkeys", "~*" -> {
        allKeys = true;
        keys.clear();
      }
      case "resetkeys" -> {
        allKeys = false;
        keys.clear();
      }
      case "allchannels", "&*" -> {
        allChannels = true;
        channels.clear();
      }
      case "resetchannels" -> {
        allChannels = false;
        channels.clear();
      }
      case "allcommands", "+@all" -> everyCommand(true);
      case "nocommands", "-@all" -> everyCommand(false);
      default -> applyOther(rule);
    }
  }

  private void applyOther(String rule) throws RuleException {
    switch (rule.isEmpty() ? ' ' : rule.charAt(0)) {
      case '~', '%' -> key(rule);
      case '&' -> channel(rule.substring(1));
      case '+', '-' -> command(rule);
      default -> throw RuleException.syntax();
    }
  }

  private void everyCommand(boolean allowed) {
    allCommands = allowed;
    fromAll = allowed;
    commands = allowed ? catalog.all() : catalog.none();
    firstArguments.clear();
    commandRules.clear();
  }

  private void key(String rule) throws RuleException {
    if (allKeys) {
      throw new RuleException(AFTER_ALL_KEYS);
    }
    int directions = User.KeyUse.READ | User.KeyUse.WRITE;
    int at = 1;
    if (rule.charAt(0) == '%') {
      directions = 0;
      boolean ended = false;
      while (!ended && at < rule.length()) {
        char letter = Character.toUpperCase(rule.charAt(at++));
        int direction = letter == 'R' ? User.KeyUse.READ : letter == 'W' ? User.KeyUse.WRITE : 0;
        ended = letter == '~';
        if (!ended && (direction == 0 || (directions & direction) != 0)) {
          throw RuleException.syntax();
        }
        directions |= direction;
      }
      if (directions == 0) {
        throw RuleException.syntax();
      }
    }
    String pattern = withoutSpaces(rule.substring(at));
    int both = keys.merge(pattern, directions, (before, now) -> before | now);
    if (pattern.equals("*") && both == (User.KeyUse.READ | User.KeyUse.WRITE)) {
      // It would be told as ~*, which is all keys; behind that no other pattern could be read
      // again.
      allKeys = true;
      keys.clear();
    }
  }

  private void channel(String pattern) throws RuleException {
    if (allChannels) {
      throw new RuleException(AFTER_ALL_CHANNELS);
    }
    if (!channels.contains(withoutSpaces(pattern))) {
      channels.add(pattern);
    }
  }

  /** Rules are told again one behind the other, with spaces between them. */
  static String withoutSpaces(String text) throws RuleException {
    if (text.chars().anyMatch(c -> c == 0 || c == ' ' || (c >= '\t' && c <= '\r'))) {
      throw RuleException.syntax();
    }
    return text;
  }

  private void command(String rule) throws RuleException {
    boolean allowed = rule.charAt(0) == '+';
    String name = rule.substring(1).toLowerCase(Locale.ROOT);
    if (name.startsWith("@")) {
      long[] members = catalog.inCategory(name.substring(1));
      if (members == null) {
        throw RuleException.unknown();
      }
      change(members, allowed);
      tell(allowed, name);
      return;
    }
    int number = catalog.number(name);
    if (number >= 0) {
      change(catalog.family(number), allowed);
      tell(allowed, catalog.name(number));
    } else if (allowed && name.indexOf('|') >= 0) {
      firstArgument(rule.substring(1));
    } else {
      throw RuleException.unknown();
    }
  }

  private void change(long[] some, boolean allowed) {
    Catalog.change(commands, some, allowed);
    allCommands &= allowed;
    firstArguments.keySet().removeIf(number -> Catalog.has(some, number));
  }

  private void tell(boolean allowed, String name) {
    commandRules.removeIf(
        rule -> {
          String other = rule.substring(1);
          return other.equals(name) || other.startsWith(name + "|");
        });
    commandRules.add((allowed ? "+" : "-") + name);
  }

  private void firstArgument(String text) throws RuleException {
    int bar = text.lastIndexOf('|');
    String argument = text.substring(bar + 1);
    int number = catalog.number(text.substring(0, bar).toLowerCase(Locale.ROOT));
    if (number < 0) {
      throw RuleException.unknown();
    }
    if (catalog.isSubcommand(number)) {
      throw new RuleException("Allowing first-arg of a subcommand is not supported");
    }
    if (argument.isEmpty()) {
      throw RuleException.syntax();
    }
    if (catalog.isContainer(number)) {
      throw RuleException.unknown();
    }
    withoutSpaces(argument);
    List<String> known = firstArguments.computeIfAbsent(number, none -> new ArrayList<>());
    if (known.stream().noneMatch(argument::equalsIgnoreCase)) {
      known.add(argument);
      commandRules.add("+" + catalog.name(number) + "|" + argument);
    }
  }
}

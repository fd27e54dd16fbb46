// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.access;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The commands that rules are about, each with a number, its place in the list. A number holds as
 * long as the process: what outlives it has names.
 *
 * <p>Immutable. A set of commands is an array of longs, a bit a command.
 */
public final class Catalog {
  /** Redis' access categories, in the order in which ACL CAT tells them. */
  public static final List<String> CATEGORIES =
      List.of(
          "keyspace",
          "read",
          "write",
          "set",
          "sortedset",
          "list",
          "hash",
          "string",
          "bitmap",
          "hyperloglog",
          "geo",
          "stream",
          "pubsub",
          "admin",
          "fast",
          "slow",
          "blocking",
          "dangerous",
          "connection",
          "transaction",
          "scripting");

  private final List<Entry> entries;
  private final Map<String, Integer> numbers = new HashMap<>();
  private final List<List<Integer>> subcommands = new ArrayList<>();
  private final Map<String, long[]> byCategory = new HashMap<>();
  private final long[] open;

  /**
   * One command.
   *
   * @param container the name of the command that it is a subcommand of; empty: of none
   * @param name in small letters; of a subcommand its own word only
   * @param aliases other names for the same
   * @param categories without the at sign
   * @param open whether everybody may run it, who has not logged in too
   */
  public record Entry(
      String container, String name, List<String> aliases, Set<String> categories, boolean open) {
    /** {@code get}, {@code config|get}. */
    public String fullName() {
      return container.isEmpty() ? name : container + "|" + name;
    }
  }

  /**
   * Numbers commands.
   *
   * @param entries containers before their subcommands
   */
  public Catalog(List<Entry> entries) {
    this.entries = List.copyOf(entries);
    for (int number = 0; number < entries.size(); number++) {
      Entry entry = entries.get(number);
      subcommands.add(new ArrayList<>());
      numbers.put(entry.fullName(), number);
      String prefix = entry.container().isEmpty() ? "" : entry.container() + "|";
      for (String alias : entry.aliases()) {
        numbers.put(prefix + alias, number);
      }
      if (!entry.container().isEmpty()) {
        subcommands.get(numbers.get(entry.container())).add(number);
      }
    }
    CATEGORIES.forEach(category -> byCategory.put(category, members(category)));
    open = none();
    for (int number = 0; number < entries.size(); number++) {
      if (entries.get(number).open()) {
        set(open, number, true);
      }
    }
  }

  /** How many commands there are. */
  public int size() {
    return entries.size();
  }

  /** {@code get}, {@code config|get}. */
  public String name(int number) {
    return entries.get(number).fullName();
  }

  /** The number of a command, by its full name in small letters; -1: there is none. */
  public int number(String fullName) {
    return numbers.getOrDefault(fullName, -1);
  }

  /** Whether everybody may run it. */
  boolean isOpen(int number) {
    return has(open, number);
  }

  boolean isContainer(int number) {
    return !subcommands.get(number).isEmpty();
  }

  boolean isSubcommand(int number) {
    return !entries.get(number).container().isEmpty();
  }

  /** The command and, of a container, its subcommands. */
  long[] family(int number) {
    long[] family = none();
    set(family, number, true);
    subcommands.get(number).forEach(one -> set(family, one, true));
    return family;
  }

  /** The names of what is in a category, a subcommand by its full name; null: there is no such. */
  public List<String> named(String category) {
    return CATEGORIES.contains(category)
        ? entries.stream()
            .filter(entry -> entry.categories().contains(category))
            .map(Entry::fullName)
            .toList()
        : null;
  }

  /** What a rule about a category is about: its commands, and all of a container; null: no such. */
  long[] inCategory(String category) {
    return byCategory.get(category);
  }

  private long[] members(String category) {
    long[] members = none();
    for (int number = 0; number < entries.size(); number++) {
      if (entries.get(number).categories().contains(category)) {
        change(members, family(number), true);
      }
    }
    return members;
  }

  /** No command. */
  long[] none() {
    return new long[(entries.size() + Long.SIZE - 1) / Long.SIZE];
  }

  /** All commands. */
  long[] all() {
    long[] all = none();
    for (int number = 0; number < entries.size(); number++) {
      set(all, number, true);
    }
    return all;
  }

  static boolean has(long[] commands, int number) {
    return (commands[number / Long.SIZE] >>> number & 1) != 0;
  }

  private static void set(long[] commands, int number, boolean in) {
    if (in) {
      commands[number / Long.SIZE] |= 1L << number;
    } else {
      commands[number / Long.SIZE] &= ~(1L << number);
    }
  }

  /** Adds all of some commands to others, or takes them away. */
  static void change(long[] commands, long[] some, boolean in) {
    for (int i = 0; i < commands.length; i++) {
      commands[i] = in ? commands[i] | some[i] : commands[i] & ~some[i];
    }
  }
}

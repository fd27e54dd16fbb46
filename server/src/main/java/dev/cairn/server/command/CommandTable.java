// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.server.access.Catalog;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * All commands. Each stands once, as a {@link Row} beside the code that runs it; COMMAND, HELP and
 * docs/reference/commands.md are made from here. A new command costs a row, a planner and a
 * transcript.
 */
public final class CommandTable {
  private static final int NAME_LENGTH_MAX = 32;

  private static final List<Row.Written> WRITTEN =
      numbered(
          Stream.of(
                  StringCommands.ROWS,
                  BitCommands.ROWS,
                  KeyCommands.ROWS,
                  ExpiryCommands.ROWS,
                  ScanCommands.ROWS,
                  TransactionCommands.ROWS,
                  ConnectionCommands.ROWS,
                  ClientCommands.ROWS,
                  ServerCommands.ROWS,
                  KeyCommands.SERVER_ROWS,
                  NodeCommands.ROWS,
                  CommandCommands.ROWS,
                  ConfigCommands.ROWS,
                  SlowLogCommands.ROWS,
                  ClusterCommands.ROWS,
                  AclCommands.ROWS,
                  CairnCommands.ROWS)
              .flatMap(Collection::stream)
              .toList());

  private static final List<Command> ROWS = WRITTEN.stream().map(Row.Written::command).toList();
  private static final IdentityHashMap<Command, Plan.Planner> PLANNERS = planners();
  private static final Map<String, Command> BY_NAME = byName(ROWS);
  private static final Map<String, Map<String, Command>> SUBCOMMANDS = subcommands();
  private static final List<Command> BY_NUMBER =
      ROWS.stream()
          .flatMap(row -> Stream.concat(Stream.of(row), row.subcommands().stream()))
          .toList();
  private static final Catalog CATALOG =
      new Catalog(BY_NUMBER.stream().map(CommandTable::entry).toList());

  private CommandTable() {}

  /** All rows; containers hold their subcommands. */
  public static List<Command> rows() {
    return ROWS;
  }

  /** The commands as rights know them, each by its {@link Command#number}. */
  public static Catalog catalog() {
    return CATALOG;
  }

  private static Catalog.Entry entry(Command command) {
    return new Catalog.Entry(
        command.container(),
        command.name(),
        command.aliases(),
        command.categories().stream()
            .map(category -> category.substring(1))
            .collect(Collectors.toSet()),
        command.isOpen());
  }

  private static List<Row.Written> numbered(List<Row.Written> rows) {
    List<Row.Written> numbered = new ArrayList<>();
    int number = 0;
    for (Row.Written row : rows) {
      numbered.add(row.numbered(number));
      number += 1 + row.subcommands().size();
    }
    return List.copyOf(numbered);
  }

  /** All commands and subcommands, each at its {@link Command#number}. */
  static List<Command> byNumber() {
    return BY_NUMBER;
  }

  /** All names and aliases, sorted. */
  static List<String> names() {
    return List.copyOf(new TreeMap<>(BY_NAME).keySet());
  }

  static Command find(byte[] name) {
    return name.length > NAME_LENGTH_MAX ? null : find(Words.lower(name));
  }

  static Command find(String name) {
    return BY_NAME.get(name);
  }

  static Command find(Command container, byte[] subcommand) {
    return SUBCOMMANDS.getOrDefault(container.name(), Map.of()).get(Words.lower(subcommand));
  }

  /** What makes the plan of a command's calls. */
  static Plan.Planner planner(Command command) {
    return PLANNERS.get(command);
  }

  /** Whether it can be called; some containers can with a subcommand only. */
  static boolean isCalled(Command command) {
    return PLANNERS.containsKey(command);
  }

  /** By identity: a row is made once, and comparing two of them would compare all they say. */
  private static IdentityHashMap<Command, Plan.Planner> planners() {
    IdentityHashMap<Command, Plan.Planner> planners = new IdentityHashMap<>();
    Stream.concat(WRITTEN.stream(), WRITTEN.stream().flatMap(row -> row.subcommands().stream()))
        .filter(row -> row.planner() != null)
        .forEach(row -> planners.put(row.command(), row.planner()));
    return planners;
  }

  private static Map<String, Command> byName(List<Command> rows) {
    Map<String, Command> byName = new HashMap<>();
    for (Command row : rows) {
      byName.put(row.name(), row);
      for (String alias : row.aliases()) {
        byName.put(alias, row);
      }
    }
    return Map.copyOf(byName);
  }

  private static Map<String, Map<String, Command>> subcommands() {
    Map<String, Map<String, Command>> all = new HashMap<>();
    for (Command row : ROWS) {
      if (!row.subcommands().isEmpty()) {
        all.put(row.name(), byName(row.subcommands()));
      }
    }
    return all;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.server.command.Command.Access;
import dev.cairn.server.command.Command.Handler;
import dev.cairn.server.command.Command.Keys;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * All commands: the one place where a command is named. COMMAND, HELP and docs/commands.md are made
 * from it. A new command costs a row here, a handler and a transcript.
 */
public final class CommandTable {
  private static final String CONSTANT = "O(1)";

  private static final List<Command> ROWS =
      List.of(
          row(
              "get",
              2,
              Access.READ,
              Keys.ONE,
              "string",
              "1.0.0",
              CONSTANT,
              "GET key",
              "Returns the value of a key.",
              KeyCommands::get),
          aliased(
              "put",
              row(
                  "set",
                  -3,
                  Access.WRITE,
                  Keys.ONE,
                  "string",
                  "1.0.0",
                  CONSTANT,
                  "SET key value",
                  "Sets the value of a key. Redis' options (EX, NX, ...) are not there yet.",
                  KeyCommands::set)),
          aliased(
              "delete",
              row(
                  "del",
                  -2,
                  Access.WRITE,
                  Keys.ALL,
                  "generic",
                  "1.0.0",
                  "O(N) where N is the number of keys",
                  "DEL key [key ...]",
                  "Deletes keys; returns how many there were.",
                  KeyCommands::delete)),
          row(
              "unlink",
              -2,
              Access.WRITE,
              Keys.ALL,
              "generic",
              "4.0.0",
              "O(N) where N is the number of keys",
              "UNLINK key [key ...]",
              "The same as DEL.",
              KeyCommands::delete),
          row(
              "exists",
              -2,
              Access.READ,
              Keys.ALL,
              "generic",
              "1.0.0",
              "O(N) where N is the number of keys",
              "EXISTS key [key ...]",
              "Counts the keys that exist; a key named twice counts twice.",
              KeyCommands::exists),
          row(
              "mget",
              -2,
              Access.READ,
              Keys.ALL,
              "string",
              "1.0.0",
              "O(N) where N is the number of keys",
              "MGET key [key ...]",
              "Returns the values of keys, in their order.",
              KeyCommands::mget),
          row(
              "mset",
              -3,
              Access.WRITE,
              Keys.PAIRS,
              "string",
              "1.0.1",
              "O(N) where N is the number of keys",
              "MSET key value [key value ...]",
              "Sets the values of keys: atomic inside a partition, not over several.",
              KeyCommands::mset),
          row(
              "append",
              3,
              Access.WRITE,
              Keys.ONE,
              "string",
              "1.0.0",
              CONSTANT,
              "APPEND key value",
              "Adds to the end of a value; returns its length.",
              KeyCommands::append),
          row(
              "incr",
              2,
              Access.WRITE,
              Keys.ONE,
              "string",
              "1.0.0",
              CONSTANT,
              "INCR key",
              "Adds 1 to a whole number; a missing one is 0.",
              KeyCommands::incr),
          row(
              "incrby",
              3,
              Access.WRITE,
              Keys.ONE,
              "string",
              "1.0.0",
              CONSTANT,
              "INCRBY key increment",
              "Adds to a whole number; a missing one is 0.",
              KeyCommands::incrby),
          row(
              "decr",
              2,
              Access.WRITE,
              Keys.ONE,
              "string",
              "1.0.0",
              CONSTANT,
              "DECR key",
              "Subtracts 1 from a whole number; a missing one is 0.",
              KeyCommands::decr),
          row(
              "dbsize",
              1,
              Access.READ,
              Keys.NONE,
              "server",
              "1.0.0",
              "O(P) where P is the number of partitions",
              "DBSIZE",
              "Counts the keys: of the cluster; on the cluster port, of what the node leads.",
              KeyCommands::dbsize),
          row(
              "ping",
              -1,
              Access.NONE,
              Keys.NONE,
              "connection",
              "1.0.0",
              CONSTANT,
              "PING [message]",
              "Returns PONG, or the message.",
              ConnectionCommands::ping),
          row(
              "echo",
              2,
              Access.NONE,
              Keys.NONE,
              "connection",
              "1.0.0",
              CONSTANT,
              "ECHO message",
              "Returns the message.",
              ConnectionCommands::echo),
          row(
              "hello",
              -1,
              Access.NONE,
              Keys.NONE,
              "connection",
              "6.0.0",
              CONSTANT,
              "HELLO [protover [AUTH username password] [SETNAME clientname]]",
              "Switches the protocol to RESP 2 or 3. There are no users yet: AUTH is an error.",
              ConnectionCommands::hello),
          row(
              "auth",
              -2,
              Access.NONE,
              Keys.NONE,
              "connection",
              "1.0.0",
              CONSTANT,
              "AUTH [username] password",
              "There are no users yet: an error.",
              ConnectionCommands::auth),
          row(
              "quit",
              -1,
              Access.NONE,
              Keys.NONE,
              "connection",
              "1.0.0",
              CONSTANT,
              "QUIT",
              "Closes the connection once all before it is answered.",
              ConnectionCommands::quit),
          row(
              "reset",
              1,
              Access.NONE,
              Keys.NONE,
              "connection",
              "6.2.0",
              CONSTANT,
              "RESET",
              "Makes the connection as it was when it opened.",
              ConnectionCommands::reset),
          row(
              "select",
              2,
              Access.NONE,
              Keys.NONE,
              "connection",
              "1.0.0",
              CONSTANT,
              "SELECT index",
              "Accepts 0: there is one database.",
              ConnectionCommands::select),
          row(
              "readonly",
              1,
              Access.NONE,
              Keys.NONE,
              "cluster",
              "3.0.0",
              CONSTANT,
              "READONLY",
              "Accepted, changes nothing: reads are linearizable, at the leader.",
              ConnectionCommands::ok),
          row(
              "readwrite",
              1,
              Access.NONE,
              Keys.NONE,
              "cluster",
              "3.0.0",
              CONSTANT,
              "READWRITE",
              "Accepted, changes nothing.",
              ConnectionCommands::ok),
          row(
              "asking",
              1,
              Access.NONE,
              Keys.NONE,
              "cluster",
              "3.0.0",
              CONSTANT,
              "ASKING",
              "Accepted, changes nothing: slots never move key by key.",
              ConnectionCommands::ok),
          row(
              "time",
              1,
              Access.NONE,
              Keys.NONE,
              "server",
              "2.6.0",
              CONSTANT,
              "TIME",
              "Returns the node's time: seconds since 1970 and microseconds.",
              ServerCommands::time),
          row(
              "info",
              -1,
              Access.NONE,
              Keys.NONE,
              "server",
              "1.0.0",
              CONSTANT,
              "INFO [section ...]",
              "Sections server, clients, memory, replication, cluster, keyspace.",
              ServerCommands::info),
          container(
              "command",
              -1,
              "server",
              "2.8.13",
              "Returns all rows of the command table.",
              CommandCommands::all,
              sub(
                  "count",
                  2,
                  "server",
                  "2.8.13",
                  "COMMAND COUNT",
                  "Counts the commands.",
                  CommandCommands::count),
              sub(
                  "docs",
                  -2,
                  "server",
                  "7.0.0",
                  "COMMAND DOCS [command-name ...]",
                  "Documents commands.",
                  CommandCommands::docs),
              sub(
                  "getkeys",
                  -3,
                  "server",
                  "2.8.13",
                  "COMMAND GETKEYS command [arg ...]",
                  "Finds the keys in a command.",
                  CommandCommands::getkeys),
              sub(
                  "info",
                  -2,
                  "server",
                  "2.8.13",
                  "COMMAND INFO [command-name ...]",
                  "Returns rows of the command table.",
                  CommandCommands::info),
              sub(
                  "list",
                  2,
                  "server",
                  "7.0.0",
                  "COMMAND LIST",
                  "Returns the names of all commands.",
                  CommandCommands::list)),
          container(
              "config",
              -2,
              "server",
              "2.0.0",
              "Settings of the node.",
              null,
              sub(
                  "get",
                  -3,
                  "server",
                  "2.0.0",
                  "CONFIG GET parameter [parameter ...]",
                  "Returns settings whose names match glob patterns: a small set.",
                  ServerCommands::configGet)),
          container(
              "client",
              -2,
              "connection",
              "2.4.0",
              "About connections.",
              null,
              sub(
                  "getname",
                  2,
                  "connection",
                  "2.6.9",
                  "CLIENT GETNAME",
                  "Returns the connection's name.",
                  ConnectionCommands::clientGetname),
              sub(
                  "id",
                  2,
                  "connection",
                  "5.0.0",
                  "CLIENT ID",
                  "Returns the connection's id.",
                  ConnectionCommands::clientId),
              sub(
                  "info",
                  2,
                  "connection",
                  "6.2.0",
                  "CLIENT INFO",
                  "Describes this connection.",
                  ConnectionCommands::clientInfo),
              sub(
                  "list",
                  -2,
                  "connection",
                  "2.4.0",
                  "CLIENT LIST",
                  "Describes this connection only.",
                  ConnectionCommands::clientInfo),
              sub(
                  "no-evict",
                  3,
                  "connection",
                  "7.0.0",
                  "CLIENT NO-EVICT ON | OFF",
                  "Accepted, changes nothing.",
                  ConnectionCommands::onOrOff),
              sub(
                  "no-touch",
                  3,
                  "connection",
                  "7.2.0",
                  "CLIENT NO-TOUCH ON | OFF",
                  "Accepted, changes nothing.",
                  ConnectionCommands::onOrOff),
              sub(
                  "setinfo",
                  4,
                  "connection",
                  "7.2.0",
                  "CLIENT SETINFO LIB-NAME libname | LIB-VER libver",
                  "Names the client's library.",
                  ConnectionCommands::clientSetinfo),
              sub(
                  "setname",
                  3,
                  "connection",
                  "2.6.9",
                  "CLIENT SETNAME connection-name",
                  "Names the connection.",
                  ConnectionCommands::clientSetname)),
          container(
              "cluster",
              -2,
              "cluster",
              "3.0.0",
              "The topology, as Redis Cluster tells it.",
              null,
              sub(
                  "info",
                  2,
                  "cluster",
                  "3.0.0",
                  "CLUSTER INFO",
                  "Says whether all slots are served.",
                  ClusterCommands::info),
              sub(
                  "keyslot",
                  3,
                  "cluster",
                  "3.0.0",
                  "CLUSTER KEYSLOT key",
                  "Returns the slot of a key.",
                  ClusterCommands::keyslot),
              sub(
                  "myid",
                  2,
                  "cluster",
                  "3.0.0",
                  "CLUSTER MYID",
                  "Returns this node's id.",
                  ClusterCommands::myid),
              sub(
                  "nodes",
                  2,
                  "cluster",
                  "3.0.0",
                  "CLUSTER NODES",
                  "Lists nodes, with the slots that each leads.",
                  ClusterCommands::nodes),
              sub(
                  "shards",
                  2,
                  "cluster",
                  "7.0.0",
                  "CLUSTER SHARDS",
                  "Lists partitions, with their nodes.",
                  ClusterCommands::shards),
              sub(
                  "slots",
                  2,
                  "cluster",
                  "3.0.0",
                  "CLUSTER SLOTS",
                  "Lists ranges of slots, the leader first.",
                  ClusterCommands::slots)),
          container(
              "cairn",
              -2,
              "cairn",
              "0.1.0",
              "What Redis has no words for.",
              null,
              sub(
                  "replicas",
                  3,
                  "cairn",
                  "0.1.0",
                  "CAIRN REPLICAS ON | OFF",
                  "RESP3: says in a reply attribute which node served, and after a write of one key which replicas have it.",
                  CairnCommands::replicas),
              sub(
                  "status",
                  2,
                  "cairn",
                  "0.1.0",
                  "CAIRN STATUS",
                  "Returns the cluster's state as JSON.",
                  CairnCommands::status),
              sub(
                  "topology",
                  2,
                  "cairn",
                  "0.1.0",
                  "CAIRN TOPOLOGY",
                  "Returns nodes and partitions.",
                  CairnCommands::topology)));

  private static final Map<String, Command> BY_NAME = byName(ROWS);
  private static final Map<String, Map<String, Command>> SUBCOMMANDS = subcommands();

  private CommandTable() {}

  /** All rows; containers hold their subcommands. */
  public static List<Command> rows() {
    return ROWS;
  }

  /** All names and aliases, sorted. */
  static List<String> names() {
    return List.copyOf(new TreeMap<>(BY_NAME).keySet());
  }

  static Command find(byte[] name) {
    return name.length > 32 ? null : find(Commands.lower(name));
  }

  static Command find(String lowerName) {
    return BY_NAME.get(lowerName);
  }

  static Command find(Command container, byte[] subcommand) {
    return SUBCOMMANDS.get(container.name()).get(Commands.lower(subcommand));
  }

  private static Command row(
      String name,
      int arity,
      Access access,
      Keys keys,
      String group,
      String since,
      String complexity,
      String syntax,
      String summary,
      Handler handler) {
    return new Command(
        name,
        List.of(),
        arity,
        access,
        complexity.equals(CONSTANT),
        keys,
        group,
        since,
        complexity,
        syntax,
        summary,
        List.of(),
        handler);
  }

  private static Command aliased(String alias, Command row) {
    return new Command(
        row.name(),
        List.of(alias),
        row.arity(),
        row.access(),
        row.fast(),
        row.keys(),
        row.group(),
        row.since(),
        row.complexity(),
        row.syntax(),
        row.summary(),
        List.of(),
        row.handler());
  }

  private static Command sub(
      String name,
      int arity,
      String group,
      String since,
      String syntax,
      String summary,
      Handler handler) {
    return row(
        name, arity, Access.NONE, Keys.NONE, group, since, CONSTANT, syntax, summary, handler);
  }

  /** A container; HELP is added to its subcommands. */
  private static Command container(
      String name,
      int arity,
      String group,
      String since,
      String summary,
      Handler handler,
      Command... subcommands) {
    List<Command> all = new ArrayList<>(List.of(subcommands));
    String upper = name.toUpperCase(Locale.ROOT);
    all.add(
        sub(
            "help",
            2,
            group,
            since,
            upper + " HELP",
            "Prints this.",
            call -> ConnectionCommands.help(call, find(name))));
    return new Command(
        name,
        List.of(),
        arity,
        Access.NONE,
        false,
        Keys.NONE,
        group,
        since,
        CONSTANT,
        handler == null ? upper + " subcommand [arg ...]" : upper,
        summary,
        List.copyOf(all),
        handler);
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

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What the shell understands: name, arguments, and what HELP says. */
enum ShellVerb {
  PUT(
      "KEY VALUE",
      "store a value",
      List.of(
          "Stores VALUE under KEY, replacing what was there.",
          "Prints one line for each live replica: OK once it has the write on disk, behind if it did",
          "not make that within 200 ms. The write is safe on a majority either way.",
          "Quote what has spaces: PUT greeting \"hello world\". Escapes in double quotes: \\n \\t \\\\ \\\""
              + " \\xHH."),
      "SET"),
  GET(
      "KEY",
      "read a value",
      List.of(
          "Prints VALUE and the value, or NOT_FOUND, and the node that answered.",
          "A value with bytes that cannot be printed is shown in double quotes with escapes.")),
  DELETE(
      "KEY",
      "remove a key",
      List.of(
          "Removes KEY. Prints one line for each live replica, as PUT does,",
          "or NOT_FOUND from the leader if there was no such key."),
      "DEL"),
  CONSISTENCY(
      "READ|WRITE LEVEL",
      "how much the reads or writes that follow wait for",
      List.of(
          "READ one: any replica's own state, perhaps out of date; works where no majority is left.",
          "READ quorum: the latest acknowledged value. READ all: and every replica has caught up to it.",
          "WRITE quorum: on disk on a majority. WRITE all: on every replica; refused while one is down.")),
  STATUS(
      "",
      "is the cluster healthy, and what to do if not",
      List.of("Prints what './cairn status' prints.")),
  HELP(
      "[COMMAND]",
      "this list, or more about one command; of those that are not here a node is asked",
      List.of(
          "Tells of any command of the nodes too, such as HELP EXPIRE; COMMAND LIST names all of them.")),
  EXIT("", "leave (Ctrl-D does too)", List.of(), "QUIT");

  private final String arguments;
  private final String summary;
  private final List<String> details;
  private final List<String> aliases;

  ShellVerb(String arguments, String summary, List<String> details, String... aliases) {
    this.arguments = arguments;
    this.summary = summary;
    this.details = details;
    this.aliases = List.of(aliases);
  }

  String usage() {
    return arguments.isEmpty() ? name() : name() + " " + arguments;
  }

  /** How many arguments it needs; HELP's is optional. */
  int argumentsMin() {
    return arguments.isEmpty() || arguments.startsWith("[") ? 0 : argumentsMax();
  }

  int argumentsMax() {
    return arguments.isEmpty() ? 0 : arguments.split(" ").length;
  }

  static Optional<ShellVerb> named(String word) {
    String upper = word.toUpperCase(Locale.ROOT);
    for (ShellVerb verb : values()) {
      if (verb.name().equals(upper) || verb.aliases.contains(upper)) {
        return Optional.of(verb);
      }
    }
    return Optional.empty();
  }

  /**
   * Whether the nodes' own command is meant, and not the shell's with a client that goes on with
   * other nodes: in a transaction, or where Redis' name has options or several keys behind it.
   */
  boolean isForNode(String typed, int arguments, boolean inTransaction) {
    if (redisName().isEmpty()) {
      return false;
    }
    return inTransaction
        || (this != GET && arguments > argumentsMax() && typed.equalsIgnoreCase(redisName().get()));
  }

  /** The words as the nodes know the command. */
  List<byte[]> forNode(List<byte[]> words) {
    List<byte[]> renamed = new java.util.ArrayList<>(words);
    redisName().ifPresent(name -> renamed.set(0, NodeConnection.bytes(name)));
    return renamed;
  }

  private Optional<String> redisName() {
    return switch (this) {
      case PUT -> Optional.of("SET");
      case GET -> Optional.of("GET");
      case DELETE -> Optional.of("DEL");
      case CONSISTENCY, STATUS, HELP, EXIT -> Optional.empty();
    };
  }

  /** What HELP with this verb prints. */
  List<String> help() {
    List<String> lines = new java.util.ArrayList<>();
    lines.add(usage() + "  -  " + summary);
    details.forEach(line -> lines.add("  " + line));
    if (!aliases.isEmpty()) {
      lines.add("  Also: " + String.join(", ", aliases));
    }
    return lines;
  }

  /** What HELP alone prints. */
  static List<String> helpOfAll() {
    List<String> lines = new java.util.ArrayList<>();
    for (ShellVerb verb : values()) {
      lines.add(String.format("  %-16s %s", verb.usage(), verb.summary));
    }
    lines.add(
        "  Every other command of the nodes runs too: INCR, EXPIRE, SCAN, MULTI ... HELP COMMAND tells of one,");
    lines.add("  COMMAND LIST names all.");
    return lines;
  }
}

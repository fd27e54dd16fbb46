// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.protocol.Consistency;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Carries out one line after the other. Where lines come from is {@link ShellCommand}'s matter. */
final class Shell {
  private final Session session;
  private final Consumer<String> out;
  private int exitStatus = ExitStatus.DONE;
  private boolean ended;

  /**
   * A shell.
   *
   * @param out takes the lines that are no answer of a node: help and mistakes
   */
  Shell(Session session, Consumer<String> out) {
    this.session = session;
    this.out = out;
  }

  /** Whether the user asked to leave. */
  boolean ended() {
    return ended;
  }

  /** The status of the last command that failed or whose outcome is unknown; 0 if none. */
  int exitStatus() {
    return exitStatus;
  }

  void run(byte[] line) {
    int status = statusOf(line);
    if (status >= ExitStatus.ERROR) {
      exitStatus = status;
    }
  }

  private int statusOf(byte[] line) {
    List<byte[]> words;
    try {
      words = Words.of(line);
    } catch (Words.MalformedException malformed) {
      return mistake(malformed.getMessage());
    }
    if (words.isEmpty()) {
      return ExitStatus.DONE;
    }
    String name = new String(words.get(0), StandardCharsets.UTF_8);
    Optional<ShellVerb> verb = ShellVerb.named(name);
    if (verb.isEmpty() || verb.get().isForNode(name, words.size() - 1, session.inTransaction())) {
      return session
          .command(verb.map(known -> known.forNode(words)).orElse(words))
          .orElseGet(
              () ->
                  mistake(
                      "Unknown command "
                          + Printed.value(words.get(0))
                          + ". HELP lists the commands."));
    }
    List<byte[]> arguments = words.subList(1, words.size());
    return wrongCount(verb.get(), arguments.size())
        .map(this::mistake)
        .orElseGet(() -> run(verb.get(), arguments));
  }

  private int run(ShellVerb verb, List<byte[]> arguments) {
    return switch (verb) {
      case PUT -> session.put(arguments.get(0), arguments.get(1));
      case GET -> session.get(arguments.get(0));
      case DELETE -> session.delete(arguments.get(0));
      case CONSISTENCY -> consistency(arguments);
      case STATUS -> session.status();
      case HELP -> help(arguments);
      case EXIT -> {
        ended = true;
        yield ExitStatus.DONE;
      }
    };
  }

  private static Optional<String> wrongCount(ShellVerb verb, int count) {
    if (count < verb.argumentsMin()) {
      return Optional.of("Missing argument. Usage: " + verb.usage());
    }
    if (count > verb.argumentsMax()) {
      String hint = verb.argumentsMax() == 0 ? "" : " (quote what has spaces: \"a b\")";
      return Optional.of("Too many arguments. Usage: " + verb.usage() + hint);
    }
    return Optional.empty();
  }

  private int consistency(List<byte[]> arguments) {
    String kind = new String(arguments.get(0), StandardCharsets.UTF_8);
    boolean read = kind.equalsIgnoreCase("READ");
    if (!read && !kind.equalsIgnoreCase("WRITE")) {
      return mistake("READ or WRITE? Usage: " + ShellVerb.CONSISTENCY.usage());
    }
    Optional<Consistency> level =
        ConsistencyOption.parse(new String(arguments.get(1), StandardCharsets.UTF_8), read);
    if (level.isEmpty()) {
      return mistake("The level must be " + ConsistencyOption.levels(read) + ".");
    }
    if (read) {
      session.readConsistency(level.get());
    } else {
      session.writeConsistency(level.get());
    }
    return ExitStatus.DONE;
  }

  private int help(List<byte[]> arguments) {
    if (arguments.isEmpty()) {
      ShellVerb.helpOfAll().forEach(out);
      return ExitStatus.DONE;
    }
    String name = new String(arguments.get(0), StandardCharsets.UTF_8);
    Optional<ShellVerb> verb = ShellVerb.named(name);
    if (verb.isEmpty()) {
      return session.commandDocs(name);
    }
    verb.get().help().forEach(out);
    return ExitStatus.DONE;
  }

  private int mistake(String line) {
    out.accept(line);
    return ExitStatus.ERROR;
  }
}

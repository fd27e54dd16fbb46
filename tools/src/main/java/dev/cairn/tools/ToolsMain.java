// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/**
 * The command line for people. {@code cairn node} and {@code cairn log} belong to the server's own
 * main; the {@code ./cairn} script tells them apart.
 */
@Command(
    name = "cairn",
    mixinStandardHelpOptions = true,
    versionProvider = ToolsMain.Version.class,
    scope = CommandLine.ScopeType.INHERIT,
    synopsisSubcommandLabel = "COMMAND",
    description = "A distributed, replicated, durable key-value store.",
    footer = {
      "",
      "On the node's side (each has its own --help):",
      "  node    Run one node: cairn node 5000",
      "  log     Print a node's write-ahead log: cairn log --data DIR",
      "  cert    Write certificates for a trial: cairn cert ca",
      "",
      "Exit status 141, of any command: whoever read its output left before the end.",
      "",
      "First time: cairn demo",
      "More about a command: cairn COMMAND --help"
    },
    subcommands = {
      ShellCommand.class,
      PutCommand.class,
      GetCommand.class,
      DeleteCommand.class,
      StatusCommand.class,
      LoadCommand.class,
      ExportCommand.class,
      ImportCommand.class,
      BenchCommand.class,
      DemoCommand.class
    })
public final class ToolsMain implements Runnable {
  /** The commands of the server's own main. */
  private static final List<String> NODE_COMMANDS = List.of("node", "log", "cert");

  private final Streams streams;
  @Spec private CommandSpec spec;

  ToolsMain(Streams streams) {
    this.streams = streams;
  }

  /** Runs one command and ends the process with its exit status. */
  public static void main(String[] arguments) {
    System.exit(run(Streams.ofProcess(), arguments));
  }

  /** Runs one command; its exit status. */
  static int run(Streams streams, String... arguments) {
    PrintWriter out = new PrintWriter(streams.out(), true, StandardCharsets.UTF_8);
    PrintWriter err = new PrintWriter(streams.err(), true, StandardCharsets.UTF_8);
    return new CommandLine(new ToolsMain(streams))
        .setOut(out)
        .setErr(err)
        .setUsageHelpAutoWidth(true)
        .setParameterExceptionHandler(ToolsMain::misused)
        .setExecutionExceptionHandler(ToolsMain::failed)
        .setExecutionStrategy(ToolsMain::executed)
        .execute(arguments);
  }

  /** Runs the command, or prints its help. */
  private static int executed(CommandLine.ParseResult parsed) {
    try {
      return new CommandLine.RunLast().execute(parsed);
    } catch (Streams.OutputFailedException helpUnread) {
      return unread(helpUnread, parsed.commandSpec().commandLine());
    }
  }

  Streams streams() {
    return streams;
  }

  @Override
  public void run() {
    spec.commandLine().usage(streams.out());
  }

  private static int misused(CommandLine.ParameterException mistake, String[] arguments) {
    CommandLine command = mistake.getCommandLine();
    command.getErr().println(mistake.getMessage());
    suggestions(command, arguments).ifPresent(command.getErr()::println);
    command
        .getErr()
        .println("How to use it: " + command.getCommandSpec().qualifiedName() + " --help");
    return ExitStatus.ERROR;
  }

  /**
   * What was meant, where an option or a command is mistyped: looked for in what was typed, since
   * what is missing is reported first.
   */
  private static Optional<String> suggestions(CommandLine command, String... arguments) {
    CommandSpec spec = command.getCommandSpec();
    if (spec.parent() == null) {
      List<String> commands = new ArrayList<>(spec.subcommands().keySet());
      commands.addAll(NODE_COMMANDS);
      return arguments.length == 0 || spec.subcommands().containsKey(arguments[0])
          ? Optional.empty()
          : Nearest.to(arguments[0], commands).map(name -> "Did you mean: cairn " + name + "?");
    }
    return Arrays.stream(arguments)
        .takeWhile(argument -> !argument.equals("--"))
        .filter(argument -> argument.startsWith("--"))
        .map(argument -> argument.split("=", 2)[0])
        .filter(option -> !spec.optionsMap().containsKey(option))
        .flatMap(option -> Nearest.to(option, spec.optionsMap().keySet()).stream())
        .map(option -> "Did you mean: " + option + "?")
        .findFirst();
  }

  private static int failed(
      Exception failure, CommandLine command, CommandLine.ParseResult arguments) {
    if (failure instanceof Streams.OutputFailedException output) {
      return unread(output, command);
    }
    String message = failure.getMessage() == null ? failure.toString() : failure.getMessage();
    command.getErr().println("cairn " + command.getCommandName() + ": " + message);
    return ExitStatus.ERROR;
  }

  /** Nobody reads the results any more, or they could not be written. */
  private static int unread(Streams.OutputFailedException failure, CommandLine command) {
    if (failure.readerLeft()) {
      return ExitStatus.OUTPUT_CLOSED;
    }
    command
        .getErr()
        .println(
            command.getCommandSpec().qualifiedName()
                + ": cannot write the output: "
                + failure.getMessage());
    return ExitStatus.ERROR;
  }

  /** The version that the build wrote into the jar. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = ToolsMain.class.getPackage().getImplementationVersion();
      return new String[] {"cairn " + (version == null ? "0 (not from a jar)" : version)};
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
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
      BenchCommand.class,
      DemoCommand.class
    })
public final class ToolsMain implements Runnable {
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
        .execute(arguments);
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
    CommandLine.UnmatchedArgumentException.printSuggestions(mistake, command.getErr());
    command
        .getErr()
        .println("How to use it: " + command.getCommandSpec().qualifiedName() + " --help");
    return ExitStatus.ERROR;
  }

  private static int failed(
      Exception failure, CommandLine command, CommandLine.ParseResult arguments) {
    String message = failure.getMessage() == null ? failure.toString() : failure.getMessage();
    command.getErr().println("cairn " + command.getCommandName() + ": " + message);
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

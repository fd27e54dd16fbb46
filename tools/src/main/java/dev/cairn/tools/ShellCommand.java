// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jline.reader.Candidate;
import org.jline.reader.Completer;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.DefaultParser;
import org.jline.reader.impl.history.DefaultHistory;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParentCommand;

/** The interactive shell; reads lines from a pipe too. */
@Command(
    name = "shell",
    description = {
      "Interactive shell: PUT, GET, DELETE, STATUS, HELP, EXIT, and every command that the nodes have"
          + " (docs/reference/commands.md).",
      "Reads commands from a pipe too, without a prompt.",
      "History: ~/.cairn_history (mode 0600; lines with values are not written)."
    },
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:every command was carried out (a missing key is an answer too)",
      "2:the last command that failed changed nothing",
      "3:the outcome of the last command that failed is unknown"
    })
final class ShellCommand implements Callable<Integer> {
  private static final int LINE_BYTES_MAX = 64 * 1024 * 1024;
  private static final String PROMPT = "> ";

  @ParentCommand private ToolsMain tools;
  @Mixin private ClusterOptions cluster;

  @Override
  public Integer call() throws IOException {
    return TerminalCheck.input()
        ? interactive(cluster)
        : piped(tools.streams(), cluster, LINE_BYTES_MAX);
  }

  /** Carries out the lines of standard input. */
  static int piped(Streams streams, ClusterOptions cluster, int lineBytesMax) throws IOException {
    Consumer<String> out = streams.out()::println;
    try (Session session = new Session(cluster, out, out)) {
      Shell shell = new Shell(session, out);
      ByteLines lines = new ByteLines(streams.in(), lineBytesMax);
      Optional<ByteLines.Line> line = lines.next();
      while (line.isPresent() && !shell.ended()) {
        if (line.get().tooLong()) {
          out.accept("Line " + line.get().number() + " is too long: skipped.");
          return ExitStatus.ERROR;
        }
        shell.run(line.get().bytes());
        line = lines.next();
      }
      return shell.exitStatus();
    }
  }

  /** Prompts at the terminal until the user leaves. */
  static int interactive(ClusterOptions cluster) throws IOException {
    try (Terminal terminal =
        TerminalBuilder.builder().system(true).encoding(StandardCharsets.UTF_8).build()) {
      Consumer<String> out =
          line -> {
            terminal.writer().println(line);
            terminal.writer().flush();
          };
      try (Session session = new Session(cluster, out, out)) {
        out.accept(
            "Cairn shell on " + cluster.nodes().get(0) + ". HELP lists the commands, EXIT leaves.");
        Shell shell = new Shell(session, out);
        converse(terminal, shell);
        return shell.exitStatus();
      }
    } catch (UncheckedIOException terminalGone) {
      return ExitStatus.ERROR;
    }
  }

  private static void converse(Terminal terminal, Shell shell) {
    ShellHistory history = ShellHistory.ofUser();
    LineReader reader = reader(terminal, history);
    Thread main = Thread.currentThread();
    // While a command runs, Ctrl-C ends the command; at the prompt JLine handles it.
    terminal.handle(Terminal.Signal.INT, signal -> main.interrupt());
    while (!shell.ended()) {
      try {
        String line = reader.readLine(PROMPT);
        history.add(line);
        shell.run(line.getBytes(StandardCharsets.UTF_8));
      } catch (UserInterruptException lineAbandoned) {
        // A new prompt.
      } catch (EndOfFileException left) {
        return;
      }
      Thread.interrupted();
    }
  }

  private static LineReader reader(Terminal terminal, ShellHistory file) {
    DefaultParser parser = new DefaultParser();
    parser.setEscapeChars(new char[0]);
    parser.setQuoteChars(new char[0]);
    LineReader reader =
        LineReaderBuilder.builder()
            .terminal(terminal)
            .appName("cairn")
            .parser(parser)
            .completer(completer())
            .history(new DefaultHistory())
            .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
            .option(LineReader.Option.BRACKETED_PASTE, true)
            .build();
    file.load().forEach(line -> reader.getHistory().add(line));
    return reader;
  }

  private static Completer completer() {
    return (reader, line, candidates) -> {
      boolean ofHelp =
          line.wordIndex() == 1
              && ShellVerb.named(line.words().get(0)).filter(ShellVerb.HELP::equals).isPresent();
      if (line.wordIndex() > 0 && !ofHelp) {
        return;
      }
      boolean lower = !line.word().isEmpty() && Character.isLowerCase(line.word().charAt(0));
      for (ShellVerb verb : ShellVerb.values()) {
        candidates.add(new Candidate(lower ? verb.name().toLowerCase(Locale.ROOT) : verb.name()));
      }
    };
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.server.access.Users;
import dev.cairn.server.operation.EntryDescription;
import dev.cairn.server.replication.WrittenLogDump;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** {@code cairn log}: a node's write-ahead log in readable lines. Values are never shown. */
final class LogCommand {
  static final String NAME = "log";

  /** Where in the data folder the log lies. */
  static final String FOLDER = "store.log";

  /** What a shell says of a command that SIGPIPE ended. */
  static final int STATUS_OUTPUT_CLOSED = 141;

  private LogCommand() {}

  static CommandSpec spec() {
    CommandSpec spec = CommandSpec.create().name(NAME).mixinStandardHelpOptions(true);
    spec.versionProvider(new Release());
    spec.usageMessage()
        .description(
            "Prints the write-ahead log of a node, one line an entry; the node may be running.")
        .exitCodeListHeading("%nExit status:%n")
        .exitCodeList(
            Map.of("0", "all of it was printed", "2", "there is no log, or it cannot be read"));
    spec.addOption(
        OptionSpec.builder("--data")
            .type(String.class)
            .arity("1")
            .required(true)
            .paramLabel("DIR")
            .description("The node's data folder, relative to the checkout, such as data/5000.")
            .build());
    return spec;
  }

  /**
   * Prints the log; the exit status.
   *
   * @param out told of each write that fails: whoever reads may leave before the end
   */
  static int run(ParseResult parsed, Path checkout, OutputStream out) throws StartException {
    String data = parsed.matchedOptionValue("--data", "");
    Path folder = checkout.resolve(data).resolve(FOLDER).toAbsolutePath();
    Writer lines = new BufferedWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8));
    try {
      WrittenLogDump.print(folder, line -> print(lines, line), LogCommand::describe);
      print(lines, "");
      return 0;
    } catch (UncheckedIOException unread) {
      String why = String.valueOf(unread.getCause().getMessage());
      if (why.toLowerCase(Locale.ROOT).contains("pipe")) {
        return STATUS_OUTPUT_CLOSED;
      }
      throw new StartException("cannot write the output: " + why, unread);
    } catch (IOException | IllegalStateException e) {
      throw new StartException(e.getMessage(), e);
    }
  }

  /** A line; an empty one sends what is held back. */
  private static void print(Writer out, String line) {
    try {
      if (line.isEmpty()) {
        out.flush();
      } else {
        out.write(line);
        out.write(System.lineSeparator());
      }
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  /**
   * The meta group's entries are JSON documents or rights, the partitions' begin with their format.
   * Hashes of passwords are not shown.
   */
  private static String describe(byte[] entry) {
    if (Users.isChange(entry)) {
      return "RIGHTS "
          + new String(entry, StandardCharsets.ISO_8859_1)
              .replaceAll("#[0-9a-f]{64}", "#(redacted)")
              .strip()
              .replace("\n", "; ");
    }
    return entry.length > 0 && entry[0] == '{'
        ? "CLUSTER " + new String(entry, StandardCharsets.UTF_8)
        : EntryDescription.of(entry);
  }
}

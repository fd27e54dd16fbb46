// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.server.partition.EntryDescription;
import dev.cairn.server.raft.LogDump;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** {@code cairn log}: a node's write-ahead log in readable lines. Values are never shown. */
final class LogCommand {
  static final String NAME = "log";

  /** Where in the data folder the log lies. */
  static final String FOLDER = "store.log";

  private LogCommand() {}

  static CommandSpec spec() {
    CommandSpec spec = CommandSpec.create().name(NAME).mixinStandardHelpOptions(true);
    spec.versionProvider(new Release());
    spec.usageMessage()
        .description(
            "Prints the write-ahead log of a node, one line an entry; the node may be running.");
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

  static void run(ParseResult parsed, Path checkout, PrintStream out) throws StartException {
    String data = parsed.matchedOptionValue("--data", "");
    try {
      LogDump.print(
          checkout.resolve(data).resolve(FOLDER).toAbsolutePath(), out, LogCommand::describe);
    } catch (IOException | IllegalStateException e) {
      throw new StartException(e.getMessage(), e);
    }
  }

  /** The meta group's entries are JSON documents, the partitions' begin with their format. */
  private static String describe(byte[] entry) {
    return entry.length > 0 && entry[0] == '{'
        ? "CLUSTER " + new String(entry, StandardCharsets.UTF_8)
        : EntryDescription.of(entry);
  }
}

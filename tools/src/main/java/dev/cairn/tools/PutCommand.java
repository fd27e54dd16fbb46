// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.protocol.Limits;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** One PUT. */
@Command(
    name = "put",
    description = "Store one value. Prints one line for each live replica.",
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:stored, on disk on a majority",
      "2:an error; nothing was stored",
      "3:unknown: it may or may not have been stored"
    })
final class PutCommand implements Callable<Integer> {
  @ParentCommand private ToolsMain tools;
  @Mixin private ClusterOptions cluster;
  @Spec private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "KEY", description = "The key, 1 byte to 64 KiB.")
  private String key;

  @Parameters(
      index = "1",
      paramLabel = "VALUE",
      description = "The value; - reads it from standard input, byte for byte.")
  private String value;

  @Option(
      names = "--consistency",
      paramLabel = "LEVEL",
      description =
          "How much the write waits for: quorum or all (default: as the nodes are configured).")
  private String consistency;

  @Override
  public Integer call() throws IOException {
    CommandLine commandLine = spec.commandLine();
    byte[] keyBytes = KeyArgument.bytes(key, commandLine);
    byte[] valueBytes =
        value.equals("-")
            ? tools.streams().in().readNBytes(Limits.VALUE_BYTES_MAX_DEFAULT + 1)
            : KeyArgument.bytes(value, commandLine);
    try (Session session =
        new Session(cluster, tools.streams()::tell, tools.streams().err()::println)) {
      ConsistencyOption.write(consistency, spec.commandLine()).ifPresent(session::writeConsistency);
      return session.put(keyBytes, valueBytes);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** One DELETE. */
@Command(
    name = "delete",
    description = "Remove one key. Prints one line for each live replica.",
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:removed",
      "1:there was no such key",
      "2:an error; nothing was removed",
      "3:unknown: it may or may not have been removed"
    })
final class DeleteCommand implements Callable<Integer> {
  @ParentCommand private ToolsMain tools;
  @Mixin private ClusterOptions cluster;
  @Spec private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "KEY", description = "The key.")
  private String key;

  @Option(
      names = "--consistency",
      paramLabel = "LEVEL",
      description =
          "How much the write waits for: quorum or all (default: as the nodes are configured).")
  private String consistency;

  @Override
  public Integer call() {
    byte[] keyBytes = KeyArgument.bytes(key, spec.commandLine());
    try (Session session =
        new Session(cluster, tools.streams()::tell, tools.streams().err()::println)) {
      ConsistencyOption.write(consistency, spec.commandLine()).ifPresent(session::writeConsistency);
      return session.delete(keyBytes);
    }
  }
}

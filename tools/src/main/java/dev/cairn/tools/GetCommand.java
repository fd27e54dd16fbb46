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

/** One GET. */
@Command(
    name = "get",
    description = "Print one value as it is, and a line feed.",
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {"0:found", "1:no such key (said on standard error)", "2:an error"})
final class GetCommand implements Callable<Integer> {
  @ParentCommand private ToolsMain tools;
  @Mixin private ClusterOptions cluster;
  @Spec private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "KEY", description = "The key.")
  private String key;

  @Option(names = "--raw", description = "No line feed after the value: byte for byte.")
  private boolean raw;

  @Option(
      names = "--consistency",
      paramLabel = "LEVEL",
      description =
          "How much the read waits for: one, quorum or all (default: as the nodes are configured).")
  private String consistency;

  @Override
  public Integer call() {
    byte[] keyBytes = KeyArgument.bytes(key, spec.commandLine());
    Streams streams = tools.streams();
    try (Session session = new Session(cluster, streams.out()::println, streams.err()::println)) {
      ConsistencyOption.read(consistency, spec.commandLine()).ifPresent(session::readConsistency);
      return session.get(
          keyBytes,
          value -> {
            streams.out().write(value, 0, value.length);
            if (!raw) {
              streams.out().write('\n');
            }
            streams.out().flush();
          });
    }
  }
}

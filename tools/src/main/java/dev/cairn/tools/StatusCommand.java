// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.client.CairnClient;
import dev.cairn.client.CairnException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** The state of the cluster. */
@Command(
    name = "status",
    description = "Is the cluster healthy, what to do if not, and what it can still lose.",
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {"0:healthy", "1:not healthy", "2:no node could be asked"})
final class StatusCommand implements Callable<Integer> {
  @ParentCommand private ToolsMain tools;
  @Mixin private ClusterOptions cluster;

  @Option(
      names = "--json",
      description = "Print the document as the node sent it (docs/reference/formats.md).")
  private boolean json;

  @Override
  public Integer call() {
    try (CairnClient client = cluster.client().build()) {
      String document = client.status();
      StatusDocument status = StatusDocument.parse(document);
      if (json) {
        tools.streams().out().println(document);
      } else {
        StatusText.of(status).forEach(tools.streams().out()::println);
      }
      return status.healthy() ? ExitStatus.DONE : ExitStatus.NOT_FOUND;
    } catch (CairnException failed) {
      tools.streams().err().println(Failure.of(failed, cluster.nodes()).line());
      return ExitStatus.ERROR;
    }
  }
}

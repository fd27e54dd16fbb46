// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParentCommand;

/** Stores what export wrote. */
@Command(
    name = "import",
    description = {
      "Store every record of an export (./cairn export), with its expiry; packed with gzip or not.",
      "Keys that stand there already are replaced, others stay. A record expires at the moment it"
          + " would have in the cluster that it came from; one that has by this machine's clock is"
          + " passed over, and counted.",
      "It can be run again: storing the same record twice changes nothing. Ctrl-C says how to go on.",
      "An export of a format that this version does not know is refused before anything is stored."
    },
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:every record is stored, or has expired",
      "1:some were not stored, some lines held no record, or the export is not whole",
      "2:nothing was begun: no such file, no export, another format, no node reachable",
      "3:of some it is unknown whether they were stored",
      "130:interrupted"
    })
final class ImportCommand implements Callable<Integer> {
  @ParentCommand private ToolsMain tools;
  @Mixin private ClusterOptions cluster;
  @Mixin private LoadOptions options;

  @Override
  public Integer call() throws IOException, InterruptedException {
    options.check();
    try (Pairs records = open()) {
      return new LoadRun(tools.streams(), cluster, options, OutputStream.nullOutputStream())
          .run(records);
    }
  }

  private Pairs open() throws IOException {
    try {
      return new ExportReader(options.open(tools.streams()));
    } catch (IOException refused) {
      throw new IOException(
          options.source() + " cannot be imported: " + refused.getMessage(), refused);
    }
  }
}

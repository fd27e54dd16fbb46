// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Stores the pairs of a file. */
@Command(
    name = "load",
    description = {
      "Store every pair of a file: KEY TAB VALUE, or one {\"key\": ..., \"value\": ...} a line;"
          + " packed with gzip or not.",
      "It can be run again: storing the same pair twice changes nothing. Ctrl-C says how to go on.",
      "Pairs are stored without an expiry. What export wrote is read by import."
    },
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:every pair is stored",
      "1:some were not stored, or some lines held no pair",
      "2:nothing was begun: no such file, no node reachable",
      "3:of some it is unknown whether they were stored",
      "130:interrupted"
    })
final class LoadCommand implements Callable<Integer> {
  @ParentCommand private ToolsMain tools;
  @Mixin private ClusterOptions cluster;
  @Mixin private LoadOptions options;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      defaultValue = "AUTO",
      description =
          "TSV or JSON; AUTO (the default) takes JSON when the first line begins with a brace.")
  private PairReader.Format format;

  @Option(
      names = "--acknowledged",
      paramLabel = "FILE",
      description = "Write the key of each stored pair there, one a line.")
  private Path acknowledged;

  @Override
  public Integer call() throws IOException, InterruptedException {
    options.check();
    try (OutputStream keys =
            acknowledged == null
                ? OutputStream.nullOutputStream()
                : new BufferedOutputStream(Files.newOutputStream(acknowledged));
        Pairs pairs = new PairReader(options.open(tools.streams()), format)) {
      return new LoadRun(tools.streams(), cluster, options, keys).run(pairs);
    }
  }
}

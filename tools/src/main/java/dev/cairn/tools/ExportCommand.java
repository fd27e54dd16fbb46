// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.client.CairnClient;
import dev.cairn.client.CairnException;
import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.Topology;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Writes all keys, or those with a prefix, in their order. */
@Command(
    name = "export",
    description = {
      "Write every key with its value and expiry as JSON Lines, in the order of keys (docs/reference/formats.md);"
          + " ./cairn import stores them, in another cluster or another version too.",
      "Each record is as a read of it at that moment was, linearizable. The export as a whole is not of"
          + " one moment: what is written meanwhile may be in it or not.",
      "FILE grows as FILE.part, and replaces FILE once it is whole. Interrupted, run the same command"
          + " again: it goes on where FILE.part ends. FILE.gz is packed with gzip."
    },
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:every record is written",
      "1:not all of it: the cluster could not be read, or the file not be written; it can be gone on with",
      "2:nothing was begun: no node reachable, FILE.part is of another export",
      "130:interrupted",
      "141:nobody read the output to its end"
    })
final class ExportCommand implements Callable<Integer> {
  private static final Duration ATTEMPT_MIN = Duration.ofSeconds(10);

  @ParentCommand private ToolsMain tools;
  @Mixin private ClusterOptions cluster;
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "FILE", description = "The file or FIFO; - writes to standard output.")
  private String file;

  @Option(
      names = "--prefix",
      paramLabel = "PREFIX",
      defaultValue = "",
      description = "Only keys that begin with this (default: all).")
  private String prefix;

  @Option(
      names = "--after",
      paramLabel = "KEY",
      description =
          "Only keys past this one, as an interrupted export names it: in double quotes with escapes"
              + " where it cannot be printed. For standard output; a file goes on by itself.")
  private String after;

  @Option(names = "--anew", description = "Begin anew, whatever FILE.part holds.")
  private boolean anew;

  @Option(
      names = "--consistency",
      paramLabel = "LEVEL",
      defaultValue = "quorum",
      description =
          "How much each read waits for: quorum or all; one reads any replica's own state, perhaps out"
              + " of date, where no majority is left (default: quorum).")
  private String consistency;

  @Option(
      names = "--give-up",
      paramLabel = "SECONDS",
      defaultValue = "60",
      description = "Stop when a partition could not be read for so long (default: 60).")
  private double giveUpSeconds;

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (!(giveUpSeconds >= 1 && giveUpSeconds <= 86_400)) {
      throw misuse("--give-up must be 1 to 86400 seconds");
    }
    Consistency level = ConsistencyOption.read(consistency, spec.commandLine()).orElseThrow();
    byte[] prefixBytes = KeyArgument.bytes(prefix, spec.commandLine());
    byte[] afterBytes = after == null ? new byte[0] : afterKey();
    Topology topology;
    try (CairnClient client = cluster.client().build()) {
      topology = client.topology();
    } catch (CairnException unreachable) {
      tools.streams().err().println(Failure.of(unreachable, cluster.nodes()).line());
      return ExitStatus.ERROR;
    }
    if (topology.partitions().isEmpty()) {
      tools
          .streams()
          .err()
          .println("The cluster has not formed yet: ./cairn status says what it waits for.");
      return ExitStatus.ERROR;
    }
    try (CairnClient client = client(level);
        ExportFile target = target()) {
      return new ExportRun(tools.streams(), client, target, prefixBytes, afterBytes, anew)
          .run(toStream() ? "" : file, topology);
    }
  }

  private boolean toStream() {
    return file.equals("-") || (Files.exists(Path.of(file)) && !Files.isRegularFile(Path.of(file)));
  }

  private ExportFile target() throws IOException {
    if (file.equals("-")) {
      return ExportFile.to(tools.streams().out());
    }
    if (Files.isDirectory(Path.of(file))) {
      throw misuse(file + " is a folder");
    }
    if (toStream()) {
      return ExportFile.to(new Streams.Strict(Files.newOutputStream(Path.of(file))));
    }
    if (after != null) {
      throw misuse("--after is for standard output: a file goes on by itself");
    }
    return ExportFile.at(Path.of(file));
  }

  private byte[] afterKey() {
    byte[] typed = KeyArgument.bytes(after, spec.commandLine());
    if (!after.startsWith("\"")) {
      return typed;
    }
    try {
      return Words.of(typed).get(0);
    } catch (Words.MalformedException malformed) {
      throw misuse("--after: " + malformed.getMessage());
    }
  }

  private CommandLine.ParameterException misuse(String why) {
    return new CommandLine.ParameterException(spec.commandLine(), why);
  }

  private CairnClient client(Consistency level) {
    Duration giveUp = Duration.ofMillis(Math.round(giveUpSeconds * 1000));
    Duration attempt =
        cluster.timeout().compareTo(ATTEMPT_MIN) < 0 ? ATTEMPT_MIN : cluster.timeout();
    return CairnClient.builder()
        .nodes(cluster.nodes())
        .security(cluster.security())
        .deadline(giveUp)
        .retryTime(giveUp)
        .attemptTimeout(attempt.compareTo(giveUp) < 0 ? attempt : giveUp)
        .connectTimeout(cluster.timeout())
        .readConsistency(level)
        .build();
  }
}

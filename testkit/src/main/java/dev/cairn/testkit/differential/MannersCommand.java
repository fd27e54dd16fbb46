// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.differential;

import dev.cairn.testkit.ProcessCluster;
import dev.cairn.testkit.RedisServer;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The probes as a command: {@code .ci/testkit-run dev.cairn.testkit.differential.MannersCommand
 * --only reply}.
 */
@Command(
    name = "manners",
    mixinStandardHelpOptions = true,
    description =
        "Ask the redis-server of this machine and a node some hundred small things, and compare"
            + " every byte of the answers.",
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {"0:no difference that is not known", "1:differences, each printed"})
public final class MannersCommand implements Callable<Integer> {
  @Option(
      names = "--only",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "Only what has this in its name.")
  private String only;

  /** Runs it. */
  public static void main(String[] arguments) {
    System.exit(new CommandLine(new MannersCommand()).execute(arguments));
  }

  @Override
  public Integer call() throws Exception {
    List<Probe> probes = Probe.all().stream().filter(probe -> probe.name().contains(only)).toList();
    try (RedisServer redis = RedisServer.start();
        ProcessCluster cluster =
            ProcessCluster.of(1).options("--replication-factor", "1").start()) {
      cluster.awaitHealthy();
      List<String> differences = Manners.compare(() -> cluster.connect(0), redis::connect, probes);
      differences.forEach(System.out::println);
      System.out.printf("%d probes, %d differences%n", probes.size(), differences.size());
      return differences.isEmpty() && !probes.isEmpty() ? 0 : 1;
    }
  }
}

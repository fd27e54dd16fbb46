// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.longrun;

import dev.cairn.testkit.ProcessCluster;
import dev.cairn.testkit.fault.Fault;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The long run as a command: {@code .ci/faults --minutes 60 --seed 7}. */
@Command(
    name = "faults",
    mixinStandardHelpOptions = true,
    description =
        "Drive three nodes on this machine, break them again and again, and decide whether what clients"
            + " were told is linearizable. It lasts until all of --minutes, --each and"
            + " --operations are reached.",
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:no violation",
      "1:violations, each printed with its evidence",
      "2:it could not be begun",
      "3:void: more than 1 %% of the outcomes are unknown, or less was done than was asked for",
      "143:told to end before it was done: no verdict"
    })
public final class LongRunCommand implements Callable<Integer> {
  @Option(
      names = "--minutes",
      paramLabel = "N",
      defaultValue = "60",
      description = "At least for so long (default: 60).")
  private double minutes;

  @Option(
      names = "--minutes-max",
      paramLabel = "N",
      description = "At most for so long; a run that then has less than was asked for fails.")
  private Double minutesMax;

  @Option(
      names = "--each",
      paramLabel = "N",
      defaultValue = "0",
      description = "Until each fault was injected so often (default: 0).")
  private int each;

  @Option(
      names = "--operations",
      paramLabel = "N",
      defaultValue = "0",
      description = "Until clients have asked for so much (default: 0).")
  private long operations;

  @Option(
      names = "--all",
      description =
          "Every fault, also those that need root, gcc, iptables and libfaketime: power loss, failing, slow and"
              + " full disks, networks of iptables, wall clocks.")
  private boolean all;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Of all choices; taken from the clock unless given, and printed.")
  private Long seed;

  @Option(
      names = "--only",
      paramLabel = "NAME",
      description = "Only faults whose name contains this; may be given more than once.")
  private List<String> only = new ArrayList<>();

  @Option(names = "--clients", paramLabel = "N", defaultValue = "24", description = "Default: 24.")
  private int clients;

  @Option(
      names = "--pause",
      paramLabel = "MILLIS",
      defaultValue = "12",
      description = "Longest pause of a client between two requests (default: 12).")
  private int pauseMillis;

  @Option(
      names = "--report",
      paramLabel = "FILE",
      description = "Also write the table there, as Markdown.")
  private Path report;

  @Option(
      names = "--logs",
      paramLabel = "DIR",
      description = "Where the nodes' logs go when there are violations (default: .).")
  private Path logs = Path.of(".");

  /** Runs it. */
  public static void main(String[] arguments) {
    System.exit(new CommandLine(new LongRunCommand()).execute(arguments));
  }

  @Override
  public Integer call() throws IOException {
    long chosen = Optional.ofNullable(seed).orElseGet(System::nanoTime);
    Scene scene = all ? Scene.withAllFaults(chosen) : Scene.withoutRights();
    List<Fault> faults = chosenOf(scene.faults());
    if (faults.isEmpty()) {
      System.err.println("no fault is named so");
      return 2;
    }
    List<Fault> beside = chosenOf(scene.beside());
    System.out.printf(
        "seed %d, %s; beside them %s%n",
        chosen,
        faults.stream().map(Fault::name).toList(),
        beside.stream().map(Fault::name).toList());
    PrintStream out =
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    Thread silence = silenceAtExit(out);
    try (ProcessCluster cluster = scene.cluster().start()) {
      LongRun.Plan plan =
          LongRun.Plan.of(chosen, faults)
              .beside(beside)
              .lasting(ofMinutes(minutes))
              .rounds(each)
              .operations(operations)
              .clients(clients, Duration.ofMillis(pauseMillis));
      if (minutesMax != null) {
        plan = plan.atMost(ofMinutes(minutesMax));
      }
      Report result;
      try {
        result = LongRun.run(cluster, plan, out);
      } finally {
        Runtime.getRuntime().removeShutdownHook(silence); // an exception when it runs already
      }
      out.println();
      out.println(result.markdown());
      if (report != null) {
        Files.writeString(report, result.markdown(), StandardCharsets.UTF_8);
      }
      if (!result.violations().isEmpty()) {
        saveLogs(cluster);
        return 1;
      }
      return result.isVoid() || result.isLessThan(plan) ? 3 : 0;
    }
  }

  /**
   * Says nothing more, once this process is told to end: its nodes are killed then, and what
   * clients see of that proves nothing.
   */
  private static Thread silenceAtExit(PrintStream out) {
    Thread hook =
        new Thread(
            () -> {
              out.println("told to end before it was done: no verdict");
              out.close();
            },
            "long-run-silence");
    Runtime.getRuntime().addShutdownHook(hook);
    return hook;
  }

  private static Duration ofMinutes(double minutes) {
    return Duration.ofMillis((long) (minutes * 60_000));
  }

  private List<Fault> chosenOf(List<Fault> faults) {
    return faults.stream()
        .filter(fault -> only.isEmpty() || only.stream().anyMatch(fault.name()::contains))
        .toList();
  }

  private void saveLogs(ProcessCluster cluster) throws IOException {
    Files.createDirectories(logs);
    for (int node : cluster.indexes()) {
      Path file = logs.resolve("node-" + node + ".log");
      Files.writeString(file, cluster.node(node).log(), StandardCharsets.UTF_8);
      System.out.println("log of node " + node + ": " + file.toAbsolutePath());
    }
  }
}

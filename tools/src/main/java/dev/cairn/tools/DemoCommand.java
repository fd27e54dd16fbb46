// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Three nodes, a tour, then the shell. */
@Command(
    name = "demo",
    description = {
      "Start three nodes on this machine, show what they do, kill one, lose nothing; then a shell.",
      "Data and logs are in a temporary folder that is removed at the end. Without a terminal on"
          + " standard input the demo ends after the tour."
    },
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:every check held",
      "1:a check did not hold; the folder is kept",
      "2:the nodes could not be started",
      "130:interrupted; nothing is left running"
    })
final class DemoCommand implements Callable<Integer> {
  private static final int NODES = 3;

  /** The ports for peers and for cluster-aware clients lie 10000 and 20000 higher. */
  private static final int PORT_MAX = 45_535;

  private static final int LOG_LINES_MAX = 20;

  @ParentCommand private ToolsMain tools;
  @Spec private CommandSpec spec;

  @Option(
      names = "--ports",
      paramLabel = "A,B,C",
      split = ",",
      defaultValue = "5000,5001,5002",
      description =
          "Client ports of the three nodes (default: 5000,5001,5002). Each node also takes the ports"
              + " 10000 and 20000 higher.")
  private List<Integer> ports;

  @Option(
      names = "--start-timeout",
      paramLabel = "SECONDS",
      defaultValue = "90",
      description = "How long the cluster may take to become healthy (default: 90).")
  private int startTimeoutSeconds;

  @Option(
      names = "--tls",
      description =
          "Nodes and clients speak TLS, by certificates that are made for the demo in its folder.")
  private boolean tls;

  @Option(names = "--plant-lost-write", hidden = true)
  private boolean plantLostWrite;

  @Option(names = "--program", hidden = true)
  private List<String> program;

  @Override
  public Integer call() throws IOException, InterruptedException {
    check();
    Optional<Integer> taken = DemoCluster.portInUse(ports);
    if (taken.isPresent()) {
      tools.streams().err().println(inUse(taken.get()));
      return ExitStatus.ERROR;
    }
    PrintStream out = tools.streams().out();
    try (DemoCluster cluster = new DemoCluster(program(), ports)) {
      out.println(
          "Cairn demo: three nodes on this machine, data in "
              + cluster.folder()
              + " (removed at the end). Ctrl-C ends it.");
      if (tls) {
        cluster.secure();
        out.println(tryIt(cluster));
      }
      int status = tour(cluster, out);
      if (status != ExitStatus.ERROR && TerminalCheck.input()) {
        converse(cluster, out);
      }
      return status;
    }
  }

  /** What another terminal may say meanwhile. */
  private static String tryIt(DemoCluster cluster) {
    return "All ports speak TLS. In another terminal: redis-cli -p %d --tls --cacert %s GET mykey"
        .formatted(cluster.nodes().get(0).port(), cluster.folder().resolve("certs/ca.crt"));
  }

  private int tour(DemoCluster cluster, PrintStream out) throws IOException, InterruptedException {
    try {
      Duration startTimeout = Duration.ofSeconds(startTimeoutSeconds);
      if (new DemoTour(cluster, out, plantLostWrite, startTimeout).run()) {
        return ExitStatus.DONE;
      }
      keep(cluster);
      return ExitStatus.NOT_FOUND;
    } catch (DemoTour.NotStartedException notStarted) {
      tools.streams().err().println(notStarted.getMessage());
      keep(cluster);
      return ExitStatus.ERROR;
    }
  }

  /** Shows what the nodes said last, and leaves everything for whoever looks into it. */
  private void keep(DemoCluster cluster) {
    PrintStream err = tools.streams().err();
    cluster.keepFolder();
    for (int port : ports) {
      err.println("---- last lines of " + cluster.log(port));
      cluster.logTail(port, LOG_LINES_MAX).forEach(err::println);
    }
    err.println("---- data and logs are kept in " + cluster.folder());
  }

  private void converse(DemoCluster cluster, PrintStream out) throws IOException {
    out.println();
    out.println("Your turn: the three nodes run until you leave. Try PUT, GET, DELETE, STATUS.");
    ShellCommand.interactive(
        ClusterOptions.of(
            cluster.nodes().stream().map(Object::toString).collect(Collectors.joining(",")),
            cluster.security()));
    out.println("Stopping the three nodes.");
  }

  private void check() {
    boolean valid =
        ports.size() == NODES
            && ports.stream().distinct().count() == NODES
            && ports.stream().allMatch(port -> port >= 1 && port <= PORT_MAX);
    if (!valid) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "--ports needs three different ports from 1 to " + PORT_MAX);
    }
  }

  private static String inUse(int port) {
    String airPlay =
        port == 5000
            ? " On macOS it is the AirPlay Receiver: turn it off in System Settings, General,"
                + " AirDrop & Handoff."
            : "";
    return "Port "
        + port
        + " is in use: stop what uses it, or choose others, such as"
        + " './cairn demo --ports 6000,6001,6002'."
        + airPlay;
  }

  private List<String> program() {
    if (program != null) {
      return program;
    }
    String home = System.getenv("CAIRN_HOME");
    if (home == null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "CAIRN_HOME is not set: run the demo as './cairn demo'");
    }
    return List.of(Path.of(home, "cairn").toString());
  }
}

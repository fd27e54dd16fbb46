// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.client.Address;
import dev.cairn.tools.bench.Bench;
import dev.cairn.tools.bench.BenchCsv;
import dev.cairn.tools.bench.BenchJson;
import dev.cairn.tools.bench.BenchPlot;
import dev.cairn.tools.bench.BenchResult;
import dev.cairn.tools.bench.BenchSettings;
import dev.cairn.tools.bench.Distribution;
import dev.cairn.tools.bench.Kind;
import dev.cairn.tools.bench.Progress;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Measures throughput and latency. */
@Command(
    name = "bench",
    description = {
      "Measure throughput and latency of any server that speaks Redis' protocol: Cairn on either"
          + " port, Redis, Redis Cluster.",
      "Without --rate each client sends its next operation when its last one was answered. With"
          + " --rate operations start on a schedule, and the latency of each counts from its place"
          + " in it, so that waiting behind a slow answer is counted too.",
      "It writes keys that begin with the prefix, and leaves them there."
    },
    footerHeading = "%nFor example:%n",
    footer = {
      "  cairn bench --load --workload b",
      "  cairn bench --nodes 127.0.0.1:25000 --cluster --workload set --rate 5000",
      "  cairn bench --nodes 127.0.0.1:6379 --cluster --wait 1 --pids 71,72,73"
    },
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:done",
      "1:nothing could be measured, or there was no connection",
      "2:wrong use",
      "3:done, but there were errors or connections lost",
      "130:interrupted; what was measured so far is printed"
    })
final class BenchCommand implements Callable<Integer> {
  private static final int NOTHING_MEASURED = 1;
  private static final int WITH_ERRORS = 3;
  private static final int PROGRESS_WAITING_MAX = 100;
  private static final int PIDS_MAX = 1_000;
  private static final long INTERRUPT_SECONDS_MAX = 30;
  private static final Pattern DURATION = Pattern.compile("(\\d+(?:\\.\\d+)?)(ms|s|m)?");

  @ParentCommand private ToolsMain tools;
  @Spec private CommandSpec spec;

  @Option(
      names = "--nodes",
      paramLabel = "HOST:PORT,...",
      defaultValue = "${env:CAIRN_NODES:-" + ClusterOptions.DEFAULT_NODES + "}",
      description =
          "Whom to ask: connections go to all of them in turn, or with --cluster to the masters that"
              + " one of them tells (default: CAIRN_NODES, or "
              + ClusterOptions.DEFAULT_NODES
              + ").")
  private String nodes;

  @CommandLine.Mixin private final SecurityOptions security = new SecurityOptions();

  @Option(
      names = "--cluster",
      description =
          "Ask CLUSTER SLOTS, send each key to the master of its slot, follow MOVED. Each client has"
              + " a connection to each master. With Cairn: name its cluster port, such as"
              + " 127.0.0.1:25000.")
  private boolean cluster;

  @Option(
      names = "--clients",
      paramLabel = "N",
      defaultValue = "64",
      description = "Clients at once, 1 to 10000 (default: 64).")
  private int clients;

  @Option(
      names = "--pipeline",
      paramLabel = "N",
      defaultValue = "1",
      description = "Operations that each client has in flight, 1 to 1000 (default: 1).")
  private int pipeline;

  @Option(
      names = "--rate",
      paramLabel = "N",
      description = "Start N operations a second in all, whether or not others were answered.")
  private Double rate;

  @Option(
      names = "--workload",
      paramLabel = "NAME",
      description =
          "set (the default) or get, uniform; or YCSB's a (50 %% get, 50 %% set, zipfian), b (95 %%"
              + " get, 5 %% set, zipfian), c (get, zipfian), d (95 %% get, 5 %% insert, latest), f"
              + " (50 %% get, 50 %% read-modify-write, zipfian).")
  private String workload;

  @Option(
      names = "--mix",
      paramLabel = "KIND=SHARE,...",
      description =
          "Shares of get, set, insert and rmw instead of a workload, such as get=95,set=5; uniform"
              + " unless --distribution says otherwise.")
  private String mix;

  @Option(
      names = "--distribution",
      paramLabel = "NAME",
      description =
          "How often each key is asked for: uniform, zipfian (exponent 0.99) or latest, instead of"
              + " the workload's own.")
  private String distribution;

  @Option(
      names = "--keys",
      paramLabel = "N",
      defaultValue = "100000",
      description = "Keys, 1 to 1000000000 (default: 100000).")
  private int keys;

  @Option(
      names = "--key-prefix",
      paramLabel = "TEXT",
      defaultValue = "bench:",
      description = "In front of each key's number of 12 digits (default: bench:).")
  private String keyPrefix;

  @Option(
      names = "--value-bytes",
      paramLabel = "N",
      defaultValue = "100",
      description = "Bytes of a value, 0 to 16777216 (default: 100); random letters.")
  private int valueBytes;

  @Option(
      names = "--wait",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Send WAIT N 1000 behind each write; it is done when N replicas have confirmed it, and an"
              + " error (TOO_FEW_REPLICAS) if fewer do within a second.")
  private int waitReplicas;

  @Option(names = "--load", description = "Write all keys once before anything is measured.")
  private boolean load;

  @Option(
      names = "--warm-up",
      paramLabel = "TIME",
      defaultValue = "30s",
      description = "How long to run before it counts: 30s (the default), 500ms, 2m.")
  private String warmUp;

  @Option(
      names = "--seconds",
      paramLabel = "TIME",
      defaultValue = "30",
      description = "How long to measure (default: 30).")
  private String seconds;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "10",
      description =
          "An operation without an answer for so long is an error, and its connection is opened anew"
              + " (default: 10).")
  private double timeoutSeconds;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Of everything that is drawn; printed (default: another one each time).")
  private Long seed;

  @Option(
      names = "--pids",
      paramLabel = "PID,...",
      description = "Processes whose CPU an operation is measured, from /proc (Linux).")
  private String pids;

  @Option(names = "--csv", paramLabel = "FILE", description = "Write the result as CSV there.")
  private Path csv;

  @Option(names = "--json", paramLabel = "FILE", description = "Write the result as JSON there.")
  private Path json;

  @Option(
      names = "--plot",
      paramLabel = "FILE.svg",
      description = "Draw latency by percentile there.")
  private Path plot;

  @Override
  public Integer call() throws IOException, InterruptedException {
    BenchSettings settings;
    Bench bench;
    BlockingQueue<Progress> progress = new ArrayBlockingQueue<>(PROGRESS_WAITING_MAX);
    try {
      settings = settings();
      // What does not fit is not shown: the generator never waits for a terminal.
      bench = new Bench(settings, progress::offer);
      for (Path file : files()) {
        checkWritable(file);
      }
    } catch (IllegalArgumentException wrong) {
      throw misuse(wrong);
    }
    PrintStream err = tools.streams().err();
    BenchText.of(settings).forEach(err::println);
    CountDownLatch printed = new CountDownLatch(1);
    Thread onInterrupt = new Thread(() -> interrupted(bench, printed), "cairn-bench-interrupt");
    Runtime.getRuntime().addShutdownHook(onInterrupt);
    try {
      return report(run(bench, progress));
    } finally {
      printed.countDown();
      try {
        Runtime.getRuntime().removeShutdownHook(onInterrupt);
      } catch (IllegalStateException interruptedAlready) {
        // The process ends with 130.
      }
    }
  }

  /** Ctrl-C: measures no more, and waits until what there is has been printed. */
  private static void interrupted(Bench bench, CountDownLatch printed) {
    bench.stop();
    try {
      printed.await(INTERRUPT_SECONDS_MAX, TimeUnit.SECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Runs on a thread of its own, while this one shows how far it is; null if that failed. */
  private BenchResult run(Bench bench, BlockingQueue<Progress> progress)
      throws InterruptedException {
    FutureTask<BenchResult> task = new FutureTask<>(bench::run);
    Thread generator = new Thread(task, "cairn-bench");
    generator.setDaemon(true);
    generator.start();
    PrintStream err = tools.streams().err();
    boolean terminal = TerminalCheck.error();
    try {
      while (!task.isDone() || !progress.isEmpty()) {
        Progress next = progress.poll(100, TimeUnit.MILLISECONDS);
        if (next != null) {
          err.print(terminal ? "\r\u001b[K" + next.line() : next.line() + System.lineSeparator());
          err.flush();
        }
      }
      if (terminal) {
        err.print("\r\u001b[K");
        err.flush();
      }
      return task.get();
    } catch (ExecutionException failed) {
      if (failed.getCause() instanceof IOException noConnection) {
        err.println("cairn bench: " + noConnection.getMessage());
        return null;
      }
      if (failed.getCause() instanceof IllegalArgumentException wrong) {
        throw misuse(wrong);
      }
      throw new IllegalStateException(failed.getCause());
    } finally {
      bench.stop();
    }
  }

  private int report(BenchResult result) throws IOException {
    if (result == null) {
      return NOTHING_MEASURED;
    }
    BenchText.of(result).forEach(tools.streams()::tell);
    if (csv != null) {
      Files.write(csv, BenchCsv.lines(result));
    }
    if (json != null) {
      Files.writeString(json, BenchJson.document(result) + "\n");
    }
    if (plot != null) {
      Files.writeString(plot, BenchPlot.svg(result));
    }
    if (result.all().count() == 0) {
      return NOTHING_MEASURED;
    }
    return result.errorCount() > 0 || result.connectionsLost() > 0 ? WITH_ERRORS : ExitStatus.DONE;
  }

  // ---- Options ----

  private BenchSettings settings() {
    check(workload == null || mix == null, "--workload or --mix, not both");
    String name = workload == null ? "set" : workload.toLowerCase(Locale.ROOT);
    Map<Kind, Integer> shares;
    try {
      shares = mix == null ? BenchSettings.sharesOf(name) : BenchSettings.sharesIn(mix);
    } catch (IllegalArgumentException wrong) {
      throw mix == null ? wrong : new IllegalArgumentException("--mix: " + wrong.getMessage());
    }
    check(rate == null || rate > 0, "--rate must be 0.01 to 10000000 operations a second");
    return new BenchSettings(
        nodes(),
        cluster,
        clients,
        pipeline,
        rate == null ? 0 : rate,
        mix == null ? name : "mix",
        shares,
        distribution == null
            ? (mix == null ? BenchSettings.distributionOf(name) : Distribution.UNIFORM)
            : distribution(distribution),
        keys,
        keyPrefix,
        valueBytes,
        waitReplicas,
        load,
        seconds("--warm-up", warmUp),
        seconds("--seconds", seconds),
        timeoutSeconds,
        seed == null ? new SplittableRandom().nextLong(1, 1_000_000_000) : seed,
        pids(),
        security.security(NodeUrls.of(nodes)));
  }

  private List<Address> nodes() {
    try {
      return Address.parseList(NodeUrls.of(nodes).addresses());
    } catch (IllegalArgumentException malformed) {
      throw new IllegalArgumentException("--nodes: " + malformed.getMessage(), malformed);
    }
  }

  private static Distribution distribution(String text) {
    for (Distribution known : Distribution.values()) {
      if (known.name().equalsIgnoreCase(text)) {
        return known;
      }
    }
    throw new IllegalArgumentException(
        "--distribution must be uniform, zipfian or latest, not '" + text + "'");
  }

  /** {@code 30}, {@code 30s}, {@code 500ms}, {@code 2m}. */
  private static double seconds(String option, String text) {
    Matcher duration = DURATION.matcher(text);
    check(
        duration.matches(),
        option + " must be a time such as 30s, 500ms or 2m, not '" + text + "'");
    double number = Double.parseDouble(duration.group(1));
    String unit = duration.group(2) == null ? "s" : duration.group(2);
    return switch (unit) {
      case "ms" -> number / 1000;
      case "m" -> number * 60;
      default -> number;
    };
  }

  private List<Long> pids() {
    List<Long> found = new ArrayList<>();
    if (pids != null) {
      for (String pid : pids.split(",", -1)) {
        check(
            pid.strip().matches("\\d{1,10}"),
            "--pids must be numbers such as 71,72, not '" + pid + "'");
        found.add(Long.parseLong(pid.strip()));
      }
      check(found.size() <= PIDS_MAX, "--pids may name at most " + PIDS_MAX);
    }
    return found;
  }

  private List<Path> files() {
    List<Path> files = new ArrayList<>();
    for (Path file : new Path[] {csv, json, plot}) {
      if (file != null) {
        files.add(file);
      }
    }
    return files;
  }

  /** Before a minute is spent on what cannot be kept. */
  private static void checkWritable(Path file) {
    Path folder = file.toAbsolutePath().getParent();
    check(
        folder != null
            && Files.isDirectory(folder)
            && !Files.isDirectory(file)
            && (Files.exists(file) ? Files.isWritable(file) : Files.isWritable(folder)),
        "cannot write to " + file);
  }

  private static void check(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalArgumentException(otherwise);
    }
  }

  private CommandLine.ParameterException misuse(IllegalArgumentException wrong) {
    return new CommandLine.ParameterException(spec.commandLine(), wrong.getMessage(), wrong);
  }
}

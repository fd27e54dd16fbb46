// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.client.CairnClient;
import dev.cairn.client.CairnException;
import dev.cairn.tools.PairReader.Pair;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Stores the pairs of a file. */
@Command(
    name = "load",
    description = {
      "Store every pair of a file: KEY TAB VALUE, or one {\"key\": ..., \"value\": ...} a line;"
          + " packed with gzip or not.",
      "It can be run again: storing the same pair twice changes nothing. Ctrl-C says how to go on."
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
  private static final int COMPLAINTS_MAX = 20;
  private static final Duration DEADLINE = Duration.ofSeconds(10);

  @ParentCommand private ToolsMain tools;
  @Mixin private ClusterOptions cluster;
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "FILE", description = "The file; - reads standard input.")
  private String file;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      defaultValue = "AUTO",
      description =
          "TSV or JSON; AUTO (the default) takes JSON when the first line begins with a brace.")
  private PairReader.Format format;

  @Option(
      names = "--in-flight",
      paramLabel = "N",
      defaultValue = "256",
      description = "Pairs sent and not yet answered, 1 to 100000 (default: 256).")
  private int inFlight;

  @Option(
      names = "--rate",
      paramLabel = "N",
      defaultValue = "0",
      description = "At most N pairs a second; 0 (the default) is no limit.")
  private double perSecond;

  @Option(
      names = "--skip",
      paramLabel = "N",
      defaultValue = "0",
      description = "Pass over the first N lines: how to go on after an interruption.")
  private long skip;

  @Option(
      names = "--retry-unknown",
      negatable = true,
      defaultValue = "true",
      fallbackValue = "true",
      description =
          "Whether a pair whose outcome is unknown is stored again, until it is certain (the default)."
              + " Say --no-retry-unknown when others write the same keys meanwhile.")
  private boolean retryUnknown;

  @Option(
      names = "--give-up",
      paramLabel = "SECONDS",
      defaultValue = "60",
      description = "Stop when nothing could be stored for so long (default: 60).")
  private double giveUpSeconds;

  @Option(
      names = "--acknowledged",
      paramLabel = "FILE",
      description = "Write the key of each stored pair there, one a line.")
  private Path acknowledged;

  @Override
  public Integer call() throws IOException, InterruptedException {
    check(inFlight >= 1 && inFlight <= 100_000, "--in-flight must be 1 to 100000");
    check(perSecond >= 0, "--rate must not be negative");
    check(skip >= 0, "--skip must not be negative");
    check(giveUpSeconds > 0, "--give-up must be positive");
    boolean standardInput = file.equals("-");
    long size = standardInput ? -1 : Files.size(path());
    try (InputStream source = standardInput ? tools.streams().in() : Files.newInputStream(path());
        PairReader reader = new PairReader(source, format);
        OutputStream keys =
            acknowledged == null
                ? OutputStream.nullOutputStream()
                : new BufferedOutputStream(Files.newOutputStream(acknowledged));
        CairnClient client = client()) {
      client.topology();
      return load(reader, size, keys, client);
    } catch (CairnException unreachable) {
      tools.streams().err().println(Failure.of(unreachable, cluster.nodes()).line());
      return ExitStatus.ERROR;
    }
  }

  private Path path() {
    Path path = Path.of(file);
    check(Files.isRegularFile(path) && Files.isReadable(path), "no file to read at " + path);
    return path;
  }

  private void check(boolean holds, String otherwise) {
    if (!holds) {
      throw new CommandLine.ParameterException(spec.commandLine(), otherwise);
    }
  }

  private CairnClient client() {
    return CairnClient.builder()
        .nodes(cluster.nodes())
        .deadline(DEADLINE)
        .retryTime(cluster.timeout())
        .attemptTimeout(cluster.timeout())
        .connectTimeout(cluster.timeout())
        .inFlightMax(inFlight + 1)
        .inFlightBytesMax(Long.MAX_VALUE)
        .build();
  }

  private int load(PairReader reader, long size, OutputStream keys, CairnClient client)
      throws IOException, InterruptedException {
    Complaints complaints = new Complaints(tools.streams().err(), keys);
    Loader loader =
        new Loader(
            client,
            new Loader.Options(
                inFlight, perSecond, retryUnknown, (long) (giveUpSeconds * 1_000_000_000L)),
            complaints);
    CountDownLatch ended = new CountDownLatch(1);
    Thread onInterrupt = new Thread(() -> interrupted(loader, ended), "cairn-load-interrupt");
    Runtime.getRuntime().addShutdownHook(onInterrupt);
    long startNanos = System.nanoTime();
    try (LoadProgress progress =
        new LoadProgress(
            tools.streams().err(),
            TerminalCheck.error(),
            loader::stored,
            () -> size <= 0 ? -1 : Math.min(1.0, reader.bytesRead() / (double) size))) {
      progress.start();
      loader.run(reader, skip);
    } finally {
      ended.countDown();
      keys.flush();
    }
    try {
      Runtime.getRuntime().removeShutdownHook(onInterrupt);
    } catch (IllegalStateException interruptedAlready) {
      return ExitStatus.ERROR;
    }
    return summary(loader, complaints, (System.nanoTime() - startNanos) / 1e9);
  }

  /** Ctrl-C: lets what is in flight end, then says how to go on. */
  private void interrupted(Loader loader, CountDownLatch ended) {
    loader.stop();
    try {
      ended.await(DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    tools.streams().err().println();
    tools.streams().err().println("Interrupted. " + counts(loader) + ".");
    tools.streams().err().println(goOn(loader));
  }

  private static String goOn(Loader loader) {
    return loader.failed() + loader.unknown() == 0
        ? "To go on, run the same command with --skip " + loader.settledLine() + "."
        : "To go on, run the same command again: some pairs up to line "
            + loader.settledLine()
            + " are not stored.";
  }

  private int summary(Loader loader, Complaints complaints, double seconds) {
    PrintStream err = tools.streams().err();
    if (complaints.unsaid() > 0) {
      err.println("... and " + complaints.unsaid() + " more.");
    }
    tools
        .streams()
        .out()
        .printf(
            Locale.ROOT,
            "%s in %.1f s (%,.0f/s).%n",
            counts(loader),
            seconds,
            loader.stored() / Math.max(0.001, seconds));
    if (loader.gaveUp()) {
      err.printf(Locale.ROOT, "Gave up: nothing could be stored for %.0f s. ", giveUpSeconds);
      err.println("'./cairn status' shows which nodes to start. " + goOn(loader));
    }
    if (loader.unknown() > 0) {
      return ExitStatus.UNKNOWN;
    }
    return loader.failed() + loader.malformed() > 0 || loader.gaveUp()
        ? ExitStatus.NOT_FOUND
        : ExitStatus.DONE;
  }

  private static String counts(Loader loader) {
    return String.format(
        Locale.ROOT,
        "Stored %,d, failed %,d, unknown %,d%s",
        loader.stored(),
        loader.failed(),
        loader.unknown(),
        loader.malformed() == 0
            ? ""
            : String.format(Locale.ROOT, ", lines without a pair %,d", loader.malformed()));
  }

  /** Reports the first lines that failed, counts the others, and writes the acknowledged keys. */
  private static final class Complaints implements Loader.Listener {
    private final PrintStream err;
    private final OutputStream keys; // guarded by itself
    private final AtomicInteger count = new AtomicInteger();

    Complaints(PrintStream err, OutputStream keys) {
      this.err = err;
      this.keys = keys;
    }

    int unsaid() {
      return Math.max(0, count.get() - COMPLAINTS_MAX);
    }

    @Override
    public void stored(Pair pair) {
      try {
        synchronized (keys) {
          keys.write(pair.key());
          keys.write('\n');
        }
      } catch (IOException full) {
        complain("line " + pair.lineNumber() + ": stored, but not noted: " + full.getMessage());
      }
    }

    @Override
    public void failed(long lineNumber, String why) {
      complain("line " + lineNumber + ": " + why);
    }

    @Override
    public void unknown(Pair pair, String why) {
      complain("line " + pair.lineNumber() + ": outcome unknown: " + why);
    }

    private void complain(String line) {
      if (count.getAndIncrement() < COMPLAINTS_MAX) {
        err.println(line);
      }
    }
  }
}

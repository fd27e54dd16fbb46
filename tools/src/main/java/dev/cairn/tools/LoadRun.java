// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.client.CairnClient;
import dev.cairn.client.CairnException;
import dev.cairn.tools.Pairs.Pair;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.time.Clock;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One run of {@code load} or {@code import}: stores pairs, shows how far it is, says what became of
 * them, and how to go on where it was interrupted.
 */
final class LoadRun {
  private static final int COMPLAINTS_MAX = 20;
  private static final Duration DEADLINE = Duration.ofSeconds(10);

  private final Streams streams;
  private final ClusterOptions cluster;
  private final LoadOptions options;
  private final OutputStream keys;

  /**
   * A run that has not begun.
   *
   * @param keys takes the key of each pair that is stored, one a line
   */
  LoadRun(Streams streams, ClusterOptions cluster, LoadOptions options, OutputStream keys) {
    this.streams = streams;
    this.cluster = cluster;
    this.options = options;
    this.keys = keys;
  }

  /** Stores all pairs; the exit status. */
  int run(Pairs pairs) throws IOException, InterruptedException {
    try (CairnClient client = client()) {
      client.topology();
      return load(pairs, client);
    } catch (CairnException unreachable) {
      streams.err().println(Failure.of(unreachable, cluster.nodes()).line());
      return ExitStatus.ERROR;
    }
  }

  private CairnClient client() {
    return CairnClient.builder()
        .nodes(cluster.nodes())
        .security(cluster.security())
        .deadline(DEADLINE)
        .retryTime(cluster.timeout())
        .attemptTimeout(cluster.timeout())
        .connectTimeout(cluster.timeout())
        .inFlightMax(options.loader().inFlightMax() + 1)
        .inFlightBytesMax(Long.MAX_VALUE)
        .build();
  }

  private int load(Pairs pairs, CairnClient client) throws IOException, InterruptedException {
    Complaints complaints = new Complaints(streams.err(), keys);
    Loader loader = new Loader(client, options.loader(), Clock.systemUTC(), complaints);
    long size = options.size();
    CountDownLatch ended = new CountDownLatch(1);
    Thread onInterrupt = new Thread(() -> interrupted(loader, ended), "cairn-load-interrupt");
    Runtime.getRuntime().addShutdownHook(onInterrupt);
    long startNanos = System.nanoTime();
    try (LoadProgress progress =
        new LoadProgress(
            streams.err(),
            TerminalCheck.error(),
            "stored",
            loader::stored,
            () -> size <= 0 ? -1 : Math.min(1.0, pairs.bytesRead() / (double) size))) {
      progress.start();
      loader.run(pairs, options.skip());
    } finally {
      ended.countDown();
      keys.flush();
    }
    try {
      Runtime.getRuntime().removeShutdownHook(onInterrupt);
    } catch (IllegalStateException interruptedAlready) {
      return ExitStatus.ERROR;
    }
    return summary(loader, pairs, complaints, (System.nanoTime() - startNanos) / 1e9);
  }

  /** Ctrl-C: lets what is in flight end, then says how to go on. */
  private void interrupted(Loader loader, CountDownLatch ended) {
    loader.stop();
    try {
      ended.await(DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    streams.err().println();
    streams.err().println("Interrupted. " + counts(loader) + ".");
    streams.err().println(goOn(loader));
  }

  private static String goOn(Loader loader) {
    return loader.failed() + loader.unknown() == 0
        ? "To go on, run the same command with --skip " + loader.settledLine() + "."
        : "To go on, run the same command again: some pairs up to line "
            + loader.settledLine()
            + " are not stored.";
  }

  private int summary(Loader loader, Pairs pairs, Complaints complaints, double seconds) {
    PrintStream err = streams.err();
    if (complaints.unsaid() > 0) {
      err.println("... and " + complaints.unsaid() + " more.");
    }
    streams.tell(
        String.format(
            Locale.ROOT,
            "%s in %.1f s (%,.0f/s).",
            counts(loader),
            seconds,
            loader.stored() / Math.max(0.001, seconds)));
    if (loader.gaveUp()) {
      err.printf(
          Locale.ROOT,
          "Gave up: nothing could be stored for %.0f s. ",
          options.loader().giveUpNanos() / 1e9);
      err.println("'./cairn status' shows which nodes to start. " + goOn(loader));
    }
    boolean cut = false;
    if (!loader.gaveUp() && pairs.endedBadly().isPresent()) {
      cut = true;
      err.println(options.source() + " is not whole: " + pairs.endedBadly().get() + ".");
    }
    if (loader.unknown() > 0) {
      return ExitStatus.UNKNOWN;
    }
    return loader.failed() + loader.malformed() > 0 || loader.gaveUp() || cut
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
        also("expired before", loader.expired())
            + also("lines without a pair", loader.malformed()));
  }

  private static String also(String what, long count) {
    return count == 0 ? "" : String.format(Locale.ROOT, ", %s %,d", what, count);
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

// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.HdrHistogram.Histogram;

/** One run: connects, writes all keys if asked to, warms up, measures. On the thread that calls. */
public final class Bench {
  private static final double PROGRESS_SECONDS = 1;
  private static final int LOAD_PIPELINE = 16;

  private final BenchSettings settings;
  private final Consumer<Progress> listener;
  private final ProcessCpu processes;
  private volatile boolean stopping;

  // Of the phase that runs.
  private long phaseNanos;
  private long lastProgressNanos;
  private CpuMark windowBegin;

  /**
   * A run that has not begun.
   *
   * @param listener told about once a second, on the thread that runs; must not block
   * @throws IllegalArgumentException one of the processes is not there
   */
  public Bench(BenchSettings settings, Consumer<Progress> listener) {
    this.settings = settings;
    this.listener = listener;
    this.processes = new ProcessCpu(Path.of("/proc"), settings.pids());
  }

  /** Ends soon with what was measured so far. May be called by any thread. */
  public void stop() {
    stopping = true;
  }

  /**
   * Runs to the end.
   *
   * @throws IOException nothing can be measured: no connection, or no key can be written
   * @throws IllegalArgumentException so many connections do not fit into memory
   */
  public BenchResult run() throws IOException {
    SplittableRandom random = new SplittableRandom(settings.seed());
    Requests requests =
        new Requests(
            settings.keyPrefix(), settings.valueBytes(), settings.waitReplicas(), random.split());
    int inFlight =
        settings.load() ? Math.max(LOAD_PIPELINE, settings.pipeline()) : settings.pipeline();
    try (Network network = new Network(settings, requests, inFlight)) {
      network.connect();
      Measurement load = new Measurement(Long.MIN_VALUE, Long.MAX_VALUE);
      if (settings.load()) {
        load(network, load);
      }
      return measure(network, random, load);
    }
  }

  private void load(Network network, Measurement measurement) throws IOException {
    Pacing pacing = new Pacing.ClosedLoop(Long.MAX_VALUE);
    Driver driver =
        new Driver(
            pacing,
            new Loading(settings.keys()),
            measurement,
            network,
            settings.clients(),
            Math.max(LOAD_PIPELINE, settings.pipeline()));
    StallCheck stall = new StallCheck(measurement, 2 * settings.timeoutSeconds());
    begin();
    network.run(
        driver,
        now -> {
          if (stopping) {
            pacing.stop(now);
          }
          progress(Progress.Phase.LOAD, now, 0, measurement);
        },
        stall::isStalled);
    if (stall.stalled) {
      throw new IOException(
          "no key could be written for "
              + 2 * settings.timeoutSeconds()
              + " s"
              + measurement.errors().values().stream()
                  .findFirst()
                  .map(error -> ": " + error.firstLine)
                  .orElse(""));
    }
  }

  /** Notices that nothing succeeds any more. */
  private static final class StallCheck {
    private final Measurement measurement;
    private final long nanosMax;
    private long last = -1;
    private long sinceNanos;
    private boolean stalled;

    StallCheck(Measurement measurement, double secondsMax) {
      this.measurement = measurement;
      this.nanosMax = (long) (secondsMax * 1e9);
    }

    boolean isStalled(long nowNanos) {
      if (measurement.succeeded() != last) {
        last = measurement.succeeded();
        sinceNanos = nowNanos;
      }
      stalled = nowNanos - sinceNanos > nanosMax;
      return stalled;
    }
  }

  private BenchResult measure(Network network, SplittableRandom random, Measurement load)
      throws IOException {
    Mix mix = mix(random); // before the clock starts: it takes a while the first time
    begin();
    long from = phaseNanos + (long) (settings.warmUpSeconds() * 1e9);
    long to = from + (long) (settings.seconds() * 1e9);
    long abandonAfter = (long) (settings.timeoutSeconds() * 1e9) + 1_000_000_000;
    Pacing pacing =
        settings.isClosedLoop()
            ? new Pacing.ClosedLoop(to)
            : new Pacing.FixedRate(phaseNanos, settings.ratePerSecond(), to);
    Measurement measurement = new Measurement(from, to);
    Driver driver =
        new Driver(pacing, mix, measurement, network, settings.clients(), settings.pipeline());
    windowBegin = null;
    long[] stoppedAt = {to};
    network.run(
        driver,
        now -> {
          if (stopping && now < stoppedAt[0]) {
            stoppedAt[0] = now;
            pacing.stop(now);
            measurement.endAt(now);
          }
          if (now >= from && windowBegin == null) {
            windowBegin = CpuMark.take(processes);
          }
          progress(
              now < from ? Progress.Phase.WARM_UP : Progress.Phase.MEASURE, now, from, measurement);
        },
        now -> now > stoppedAt[0] + abandonAfter);
    driver.abandon(Network.TIMEOUT, "no answer when the run had ended");
    CpuMark end = CpuMark.take(processes);
    return result(network, driver, from, load, end);
  }

  private Mix mix(SplittableRandom random) {
    Insertions insertions = new Insertions(settings.keys());
    return new Mix(
        settings.shares(),
        KeyChooser.of(settings.distribution(), settings.keys(), insertions, random.split()),
        insertions,
        random.split());
  }

  private void begin() {
    phaseNanos = System.nanoTime();
    lastProgressNanos = phaseNanos;
  }

  private void progress(
      Progress.Phase phase, long nowNanos, long measuredFromNanos, Measurement measurement) {
    double since = (nowNanos - lastProgressNanos) / 1e9;
    if (since < PROGRESS_SECONDS - 0.025) {
      return;
    }
    lastProgressNanos = nowNanos;
    boolean measuring = phase == Progress.Phase.MEASURE;
    listener.accept(
        new Progress(
            phase,
            (nowNanos - (measuring ? measuredFromNanos : phaseNanos)) / 1e9,
            measuring ? settings.seconds() : settings.warmUpSeconds(),
            measurement.succeeded(),
            settings.keys(),
            measurement.takeInterval(since)));
  }

  private BenchResult result(
      Network network, Driver driver, long from, Measurement load, CpuMark end) {
    Measurement measurement = driver.measurement();
    double seconds = measurement.seconds();
    Histogram all = Measurement.histogram();
    List<BenchResult.OfKind> kinds = new ArrayList<>();
    measurement
        .latencies()
        .forEach(
            (kind, latencies) -> {
              all.add(latencies);
              kinds.add(new BenchResult.OfKind(kind.text(), latencies, seconds));
            });
    CpuMark begin = windowBegin == null ? end : windowBegin;
    return new BenchResult(
        settings,
        network.servers(),
        seconds,
        stopping,
        kinds,
        new BenchResult.OfKind("all", all, seconds),
        errors(load, measurement),
        measurement.notFound(),
        measurement.moved(),
        load.connectionsLost() + measurement.connectionsLost(),
        driver.pacing().neverStarted(from),
        driver.pacing().oldestWaitNanos() / 1e9,
        end.since(begin, !settings.pids().isEmpty()));
  }

  private static List<BenchResult.Errors> errors(Measurement load, Measurement measurement) {
    Map<String, BenchResult.Errors> merged = new TreeMap<>();
    for (Measurement part : List.of(load, measurement)) {
      part.errors()
          .forEach(
              (code, error) ->
                  merged.merge(
                      code,
                      new BenchResult.Errors(code, error.count, error.firstLine),
                      (a, b) ->
                          new BenchResult.Errors(code, a.count() + b.count(), a.firstLine())));
    }
    return List.copyOf(merged.values());
  }

  /** CPU times at one moment. */
  private record CpuMark(long nanos, double own, double servers, Optional<String> problem) {
    static CpuMark take(ProcessCpu processes) {
      double servers = 0;
      Optional<String> problem = Optional.empty();
      try {
        servers = processes.seconds();
      } catch (IOException gone) {
        problem = Optional.of(gone.getMessage());
      }
      return new CpuMark(System.nanoTime(), ProcessCpu.ownSeconds(), servers, problem);
    }

    BenchResult.Cpu since(CpuMark begin, boolean withServers) {
      Optional<String> anyProblem = begin.problem.or(() -> problem);
      return new BenchResult.Cpu(
          withServers && anyProblem.isEmpty()
              ? OptionalDouble.of(servers - begin.servers)
              : OptionalDouble.empty(),
          anyProblem,
          own - begin.own,
          (nanos - begin.nanos) / 1e9);
    }
  }
}

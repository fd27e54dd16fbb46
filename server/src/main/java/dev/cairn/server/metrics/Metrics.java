// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.metrics;

import com.sun.management.OperatingSystemMXBean;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.distribution.CountAtBucket;
import io.micrometer.core.instrument.search.Search;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * What one node has measured since it started: made once by the node, handed to whoever measures.
 *
 * <p>Counting takes no lock and allocates nothing; what only has to be known when somebody asks is
 * asked for then ({@link #gauge}, {@link #gauges}). Names and labels stand in {@link Metric}.
 *
 * <p>A node whose disk was full closes its parts and opens them anew: what was asked for under a
 * name before is then asked of the new parts. Counters go on.
 *
 * <p>Threads: any.
 */
public final class Metrics implements AutoCloseable {
  /** Prometheus' text format. */
  public static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private static final double NANOS_PER_SECOND = 1e9;

  /** The buckets of durations. */
  static final long[] BOUNDS_MICROS = {
    100,
    250,
    500,
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    10_000_000
  };

  private static final Duration[] DURATIONS = micros(BOUNDS_MICROS);
  private static final double[] COUNTS = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096};
  private static final double[] BYTES = {
    256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20
  };

  private final PrometheusMeterRegistry registry = newRegistry();
  private final Map<Metric, Runnable> refreshers = new ConcurrentHashMap<>();
  private final Map<Meter.Id, Object> asked =
      new ConcurrentHashMap<>(); // the registry holds it weakly
  private boolean measuresProcess; // guarded by this
  private final List<AutoCloseable> binders = new ArrayList<>(); // guarded by this
  private final CommandMetrics commands = new CommandMetrics(this);
  private final SinceReset sinceReset = new SinceReset(this);
  private final Samples samples = new Samples(this, System::nanoTime);

  /** Something that only grows. */
  public static final class Count {
    private final Counter counter;

    private Count(Counter counter) {
      this.counter = counter;
    }

    /** Counts one. */
    public void increment() {
      counter.increment();
    }

    /** Counts several. */
    public void add(long amount) {
      counter.increment((double) amount);
    }

    /** How many it has counted. */
    public long sum() {
      return (long) counter.count();
    }
  }

  /** How long something takes. */
  public static final class Latency {
    private final Timer timer;

    private Latency(Timer timer) {
      this.timer = timer;
    }

    /** Records one, nanoseconds. */
    public void record(long nanos) {
      timer.record(nanos, TimeUnit.NANOSECONDS);
    }

    long count() {
      return timer.count();
    }

    long nanos() {
      return (long) timer.totalTime(TimeUnit.NANOSECONDS);
    }

    /** How many took at most as long as each of {@link #BOUNDS_MICROS}. */
    long[] within() {
      CountAtBucket[] buckets = timer.takeSnapshot().histogramCounts();
      long[] within = new long[BOUNDS_MICROS.length];
      for (int i = 0; i < within.length; i++) {
        for (CountAtBucket bucket : buckets) {
          if (Math.round(bucket.bucket(TimeUnit.MICROSECONDS)) == BOUNDS_MICROS[i]) {
            within[i] = (long) bucket.count();
          }
        }
      }
      return within;
    }
  }

  /** How large something is. */
  public static final class Sizes {
    private final DistributionSummary summary;

    private Sizes(DistributionSummary summary) {
      this.summary = summary;
    }

    /** Records one. */
    public void record(long size) {
      summary.record((double) size);
    }
  }

  /**
   * Without two of Micrometer's own metrics that break Prometheus' naming rules. Filtered before
   * anything is registered, or Micrometer warns in each node's log.
   */
  private static PrometheusMeterRegistry newRegistry() {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    registry
        .config()
        .meterFilter(MeterFilter.denyNameStartsWith("process.cpu.time"))
        .meterFilter(MeterFilter.denyNameStartsWith("system.cpu.count"));
    return registry;
  }

  /**
   * One line of a metric whose labels come and go.
   *
   * @param labels values, in the order of the metric's labels
   */
  public record Row(List<String> labels, double value) {
    /** A row with one label. */
    public static Row of(Object label, double value) {
      return new Row(List.of(String.valueOf(label)), value);
    }
  }

  /** What a gauge says now; 0 where nobody keeps it. */
  public double value(Metric metric, String... labels) {
    require(metric, Metric.Kind.GAUGE);
    Gauge gauge = registry.find(metric.metricName()).tags(tags(metric, List.of(labels))).gauge();
    return gauge == null ? 0 : gauge.value();
  }

  /** What the lines of a gauge come to, of all labels; 0 where nobody keeps it. */
  public double sum(Metric metric) {
    require(metric, Metric.Kind.GAUGE);
    return registry.find(metric.metricName()).gauges().stream().mapToDouble(Gauge::value).sum();
  }

  /** What a counter has counted; 0 where nobody keeps it. */
  public long count(Metric metric, String... labels) {
    require(metric, Metric.Kind.COUNTER);
    Search search = registry.find(metric.metricName()).tags(tags(metric, List.of(labels)));
    Counter own = search.counter();
    FunctionCounter other = search.functionCounter();
    return (long) (own != null ? own.count() : other != null ? other.count() : 0);
  }

  /** What a counter has counted under all labels. */
  long countedOf(Metric metric) {
    return (long)
        registry.find(metric.metricName()).counters().stream().mapToDouble(Counter::count).sum();
  }

  /** The labels under which a counter is kept. */
  List<List<String>> labelsOf(Metric metric) {
    return registry.find(metric.metricName()).counters().stream()
        .map(counter -> metric.labels().stream().map(counter.getId()::getTag).toList())
        .toList();
  }

  /** The counters as CONFIG RESETSTAT wants them. */
  public SinceReset sinceReset() {
    return sinceReset;
  }

  /** What is looked at now and then. */
  public Samples samples() {
    return samples;
  }

  /** Commands, by name and result. */
  public CommandMetrics commands() {
    return commands;
  }

  /** A counter; the same one for the same labels. */
  public Count counter(Metric metric, String... labels) {
    require(metric, Metric.Kind.COUNTER);
    return new Count(
        Counter.builder(metric.metricName())
            .description(metric.help())
            .tags(tags(metric, List.of(labels)))
            .register(registry));
  }

  /** A histogram of durations; the same one for the same labels. */
  public Latency latency(Metric metric, String... labels) {
    require(metric, Metric.Kind.DURATION);
    return new Latency(
        Timer.builder(metric.metricName())
            .description(metric.help())
            .tags(tags(metric, List.of(labels)))
            .serviceLevelObjectives(DURATIONS)
            .register(registry));
  }

  /** A histogram of counts or bytes. */
  public Sizes sizes(Metric metric) {
    return new Sizes(
        DistributionSummary.builder(metric.metricName())
            .description(metric.help())
            .serviceLevelObjectives(metric.kind() == Metric.Kind.BYTES ? BYTES : COUNTS)
            .register(registry));
  }

  /** A value that is asked for when somebody looks. Must not block. */
  public void gauge(Metric metric, DoubleSupplier value, String... labels) {
    require(metric, Metric.Kind.GAUGE);
    forget(metric, labels);
    Gauge.builder(metric.metricName(), value, DoubleSupplier::getAsDouble)
        .description(metric.help())
        .tags(tags(metric, List.of(labels)))
        .strongReference(true)
        .register(registry);
  }

  /** Values whose labels come and go, asked for when somebody looks. Must not block. */
  public void gauges(Metric metric, Supplier<List<Row>> rows) {
    require(metric, Metric.Kind.GAUGE);
    registry.find(metric.metricName()).meters().forEach(registry::remove);
    MultiGauge gauge =
        MultiGauge.builder(metric.metricName()).description(metric.help()).register(registry);
    refreshers.put(
        metric,
        () ->
            gauge.register(
                rows.get().stream()
                    .map(row -> MultiGauge.Row.of(tags(metric, row.labels()), row.value()))
                    .toList(),
                true));
  }

  /** A counter that somebody else keeps. */
  public void counted(Metric metric, DoubleSupplier count, String... labels) {
    require(metric, Metric.Kind.COUNTER);
    forget(metric, labels);
    FunctionCounter counter =
        FunctionCounter.builder(metric.metricName(), count, DoubleSupplier::getAsDouble)
            .description(metric.help())
            .tags(tags(metric, List.of(labels)))
            .register(registry);
    asked.put(counter.getId(), count);
  }

  /** Durations whose count and sum somebody else keeps. */
  public void timed(Metric metric, LongSupplier count, DoubleSupplier seconds) {
    require(metric, Metric.Kind.SUMMARY);
    forget(metric);
    FunctionTimer timer =
        FunctionTimer.builder(
                metric.metricName(),
                count,
                LongSupplier::getAsLong,
                ignored -> seconds.getAsDouble(),
                TimeUnit.SECONDS)
            .description(metric.help())
            .register(registry);
    asked.put(timer.getId(), count);
  }

  private void forget(Metric metric, String... labels) {
    registry
        .find(metric.metricName())
        .tags(tags(metric, List.of(labels)))
        .meters()
        .forEach(registry::remove);
  }

  /**
   * Measures the JVM and the process too, under Micrometer's names. Once.
   *
   * <p>Without two that break its naming rules ({@link #newRegistry}); the processor time comes
   * under the name that Prometheus gives it.
   */
  public synchronized void measureProcess() {
    if (measuresProcess) {
      return;
    }
    measuresProcess = true;
    if (ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system) {
      FunctionCounter.builder(
              "process.cpu.seconds", system, bean -> bean.getProcessCpuTime() / NANOS_PER_SECOND)
          .description("Processor time of this process in all its threads, seconds.")
          .register(registry);
    }
    List<MeterBinder> process =
        List.of(
            new JvmMemoryMetrics(),
            new JvmGcMetrics(),
            new JvmThreadMetrics(),
            new ClassLoaderMetrics(),
            new ProcessorMetrics(),
            new FileDescriptorMetrics(),
            new UptimeMetrics());
    for (MeterBinder binder : process) {
      binder.bindTo(registry);
      if (binder instanceof AutoCloseable closeable) {
        binders.add(closeable);
      }
    }
  }

  /** Everything, in Prometheus' text format. */
  public synchronized byte[] scrape() {
    refreshers.values().forEach(Runnable::run);
    ByteArrayOutputStream out = new ByteArrayOutputStream(64 << 10);
    try {
      registry.scrape(out, CONTENT_TYPE);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory does not fail
    }
    return out.toByteArray();
  }

  @Override
  public synchronized void close() throws IOException {
    for (AutoCloseable binder : binders) {
      try {
        binder.close();
      } catch (Exception e) {
        throw new IOException("a measurement of the JVM could not be ended", e);
      }
    }
    registry.close();
  }

  private static void require(Metric metric, Metric.Kind kind) {
    if (metric.kind() != kind) {
      throw new IllegalArgumentException(metric + " is a " + metric.kind() + ", not a " + kind);
    }
  }

  private static Tags tags(Metric metric, List<String> values) {
    if (values.size() != metric.labels().size()) {
      throw new IllegalArgumentException(metric + " has labels " + metric.labels());
    }
    List<Tag> tags = new ArrayList<>(values.size());
    for (int i = 0; i < values.size(); i++) {
      tags.add(Tag.of(metric.labels().get(i), values.get(i)));
    }
    return Tags.of(tags);
  }

  private static Duration[] micros(long... micros) {
    Duration[] durations = new Duration[micros.length];
    for (int i = 0; i < micros.length; i++) {
      durations[i] = Duration.ofNanos(micros[i] * 1000);
    }
    return durations;
  }
}

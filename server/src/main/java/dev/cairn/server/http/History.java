// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.metrics.CommandMetrics;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last {@value #POINTS} moments of the whole cluster as this node saw it, one each {@value
 * #EVERY_MILLIS} ms: a quarter of an hour, for a page that is opened now ({@code /v1/history}).
 *
 * <p>Memory: {@value #POINTS} points of {@value #FIGURES} numbers, taken when the node starts; and
 * the last report of each node.
 *
 * <p>A moment of which nothing is known has no figures, so that a chart shows a gap and no zero:
 * the first after the node's start, one that comes late because the node stood still, and one in
 * which no node's report is younger than the one before. A node that began anew, or is down, adds
 * nothing to a moment.
 *
 * <p>Thread: {@link #sample} is called by one thread, {@code http-history}; the rest by any.
 */
final class History implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(History.class);

  static final int EVERY_MILLIS = 3_000;
  static final int POINTS = 300;

  /** After so long without a moment the node stood still: what it counts since is no rate. */
  private static final long LATE_MILLIS = 7_500;

  private static final int FIGURES = 5;
  private static final String[] NAMES = {"reads", "writes", "failed", "p50Millis", "p99Millis"};

  private final Supplier<Map<String, NodeReport.Figures>> reports;
  private final LongSupplier nanoTime;
  private final ScheduledExecutorService executor;

  private Map<String, NodeReport.Figures> before = Map.of(); // owned by the thread that samples
  private boolean begun;

  private final long[] atNanos = new long[POINTS]; // these are guarded by this
  private final double[][] figures = new double[POINTS][FIGURES]; // NaN: not known
  private long taken;

  /**
   * Takes no moment yet.
   *
   * @param reports what each node that is up last told, by its id; must not block for long
   */
  History(Supplier<Map<String, NodeReport.Figures>> reports, LongSupplier nanoTime) {
    this.reports = reports;
    this.nanoTime = nanoTime;
    this.executor =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "http-history");
              thread.setDaemon(true);
              return thread;
            });
  }

  /** Takes moments from now on. */
  void start() {
    executor.scheduleWithFixedDelay(this::sampleOrSayWhy, 0, EVERY_MILLIS, TimeUnit.MILLISECONDS);
  }

  private void sampleOrSayWhy() {
    try {
      sample();
    } catch (RuntimeException bug) {
      log.error("a moment of the charts is missing: report this as a bug", bug);
    }
  }

  /** Takes one moment. */
  void sample() {
    Map<String, NodeReport.Figures> now = Map.copyOf(reports.get());
    Moment moment = new Moment();
    now.forEach((id, figures) -> moment.add(figures, before.get(id)));
    before = now;
    keep(nanoTime.getAsLong(), moment);
  }

  private synchronized void keep(long nanos, Moment moment) {
    boolean late = begun && nanos - atNanos[last()] > LATE_MILLIS * 1_000_000;
    begun = true;
    int place = (int) (taken++ % POINTS);
    atNanos[place] = nanos;
    moment.write(figures[place], late);
  }

  private int last() {
    return (int) ((taken - 1) % POINTS);
  }

  /** {@code GET /v1/history}. */
  void answer(HttpCall call) {
    call.target().allowOnly(Set.of());
    call.answer(HttpAnswer.json(200, document()));
  }

  synchronized ObjectNode document() {
    long now = nanoTime.getAsLong();
    ObjectNode document = HttpAnswer.object().put("everyMillis", EVERY_MILLIS);
    ArrayNode points = document.putArray("points");
    for (long i = Math.max(0, taken - POINTS); i < taken; i++) {
      int place = (int) (i % POINTS);
      ObjectNode point =
          points.addObject().put("millisAgo", Math.max(0, (now - atNanos[place]) / 1_000_000));
      for (int figure = 0; figure < FIGURES; figure++) {
        double value = figures[place][figure];
        if (Double.isNaN(value)) {
          point.putNull(NAMES[figure]);
        } else {
          point.put(NAMES[figure], Math.round(value * 1000) / 1000.0);
        }
      }
    }
    return document;
  }

  @Override
  public void close() {
    executor.shutdownNow();
  }

  /**
   * What the nodes did since the moment before. Each report is of its own moment, so each node has
   * its own rate by its own clock, and the rates are added up.
   */
  private static final class Moment {
    private boolean known;
    private final double[] rates = new double[3];
    private double[] boundsMillis = {}; // the last bucket has none
    private long[] within = {};

    void add(NodeReport.Figures now, NodeReport.Figures then) {
      if (then == null || now.upMillis() <= then.upMillis()) {
        return; // not seen before, begun anew, or without a new report
      }
      known = true;
      double seconds = (now.upMillis() - then.upMillis()) / 1000.0;
      CommandMetrics.Totals more = now.answered();
      CommandMetrics.Totals less = then.answered();
      rates[0] += (more.reads() - less.reads()) / seconds;
      rates[1] += (more.writes() - less.writes()) / seconds;
      rates[2] += (more.failed() - less.failed()) / seconds;
      if (within.length == 0) {
        within = new long[more.within().size()];
        boundsMillis = new double[Math.max(0, within.length - 1)];
      }
      for (int i = 0; i < Math.min(within.length, more.within().size()); i++) {
        CommandMetrics.Bucket bucket = more.within().get(i);
        if (i < boundsMillis.length) {
          boundsMillis[i] = bucket.micros() / 1000.0;
        }
        within[i] += bucket.count() - (i < less.within().size() ? less.within().get(i).count() : 0);
      }
    }

    void write(double[] to, boolean late) {
      boolean told = known && !late;
      for (int i = 0; i < rates.length; i++) {
        to[i] = told ? rates[i] : Double.NaN;
      }
      boolean any = told && within.length > 0 && within[within.length - 1] > 0;
      to[rates.length] = any ? StatsDocument.millis(boundsMillis, within, 0.5) : Double.NaN;
      to[rates.length + 1] = any ? StatsDocument.millis(boundsMillis, within, 0.99) : Double.NaN;
    }
  }
}

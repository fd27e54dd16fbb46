// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/**
 * A result as a picture: latency by percentile, a line for each kind of operation. Both axes are
 * logarithmic, the horizontal one in the distance to 100 %, so that 99 % and 99.99 % are as far
 * apart as 0 % and 99 %, and a latency that only one in ten thousand meets can be seen (as
 * HdrHistogram's own plots). SVG without script; colours for light and dark surroundings.
 */
public final class BenchPlot {
  private static final int WIDTH = 860;
  private static final int HEIGHT = 480;
  private static final int LEFT = 76;
  private static final int RIGHT = 24;
  private static final int TOP = 84;
  private static final int BOTTOM = 56;
  private static final int DECADES_MAX = 7;
  private static final int STEPS_PER_DECADE = 24;

  private final BenchResult result;
  private final int decades; // of the distance to 100 %
  private final int lowest; // power of ten of a millisecond
  private final int highest;
  private final StringBuilder svg = new StringBuilder();

  private BenchPlot(BenchResult result) {
    this.result = result;
    double most = Math.max(10.0, (double) result.all().count());
    decades = Math.max(2, Math.min(DECADES_MAX, (int) Math.floor(Math.log10(most))));
    double least = Double.MAX_VALUE;
    double greatest = 0;
    for (BenchResult.OfKind kind : result.kinds()) {
      least = Math.min(least, Math.max(1e-3, kind.latencies().getMinNonZeroValue() / 1e6));
      greatest = Math.max(greatest, kind.maxMillis());
    }
    lowest = least == Double.MAX_VALUE ? -1 : (int) Math.floor(Math.log10(least));
    highest = Math.max(lowest + 1, (int) Math.ceil(Math.log10(Math.max(1e-3, greatest))));
  }

  /** The picture. */
  public static String svg(BenchResult result) {
    return new BenchPlot(result).draw();
  }

  private String draw() {
    add(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\""
            + " aria-labelledby=\"title\">",
        WIDTH, HEIGHT);
    add("<title id=\"title\">%s</title>", escaped("Latency by percentile: " + subtitle()));
    svg.append(STYLE);
    add("<rect class=\"ground\" width=\"%d\" height=\"%d\"/>", WIDTH, HEIGHT);
    add("<text class=\"head\" x=\"%d\" y=\"28\">Latency by percentile</text>", LEFT);
    add("<text x=\"%d\" y=\"48\">%s</text>", LEFT, escaped(subtitle()));
    grid();
    legend();
    for (int i = 0; i < result.kinds().size(); i++) {
      line(result.kinds().get(i), i);
    }
    return svg.append("</svg>\n").toString();
  }

  private String subtitle() {
    BenchSettings settings = result.settings();
    return String.format(
        Locale.ROOT,
        "%s, %s, %,.0f ops/s, %,d keys, values of %,d bytes",
        settings.workload(),
        settings.isClosedLoop()
            ? settings.clients() + " clients x " + settings.pipeline()
            : String.format(Locale.ROOT, "%,.0f ops/s asked for", settings.ratePerSecond()),
        result.all().perSecond(),
        settings.keys(),
        settings.valueBytes());
  }

  private void grid() {
    for (int decade = 0; decade <= decades; decade++) {
      double x = x(Math.pow(10, -decade));
      add(
          "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>",
          x, x, TOP, HEIGHT - BOTTOM);
      add(
          "<text class=\"middle\" x=\"%.1f\" y=\"%d\">%s</text>",
          x, HEIGHT - BOTTOM + 18, percent(decade));
    }
    for (int power = lowest; power <= highest; power++) {
      double y = y(Math.pow(10, power));
      add(
          "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>",
          LEFT, WIDTH - RIGHT, y, y);
      add("<text class=\"end\" x=\"%d\" y=\"%.1f\">%s</text>", LEFT - 8, y + 4, millis(power));
    }
    add(
        "<text class=\"middle\" x=\"%d\" y=\"%d\">share of operations that were this fast or"
            + " faster</text>",
        (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14);
  }

  private void legend() {
    double x = LEFT;
    for (int i = 0; i < result.kinds().size(); i++) {
      BenchResult.OfKind kind = result.kinds().get(i);
      String text =
          String.format(
              Locale.ROOT,
              "%s: p50 %.2f, p99 %.2f, max %.2f ms",
              kind.name(),
              kind.millis(50),
              kind.millis(99),
              kind.maxMillis());
      add("<line class=\"line s%d\" x1=\"%.1f\" x2=\"%.1f\" y1=\"68\" y2=\"68\"/>", i, x, x + 18);
      add("<text x=\"%.1f\" y=\"72\">%s</text>", x + 24, text);
      x += 36 + text.length() * 7.2;
    }
  }

  private void line(BenchResult.OfKind kind, int series) {
    Histogram latencies = kind.latencies();
    List<String> points = new ArrayList<>();
    // Not further than one operation is a share of.
    double smallest = Math.max(Math.pow(10, -decades), 1.0 / Math.max(1, kind.count()));
    int steps = (int) Math.ceil(-Math.log10(smallest) * STEPS_PER_DECADE);
    for (int step = 0; step <= steps; step++) {
      double distance = Math.max(smallest, Math.pow(10, -(double) step / STEPS_PER_DECADE));
      double millis = Math.max(1e-3, latencies.getValueAtPercentile(100 * (1 - distance)) / 1e6);
      points.add(String.format(Locale.ROOT, "%.1f,%.1f", x(distance), y(millis)));
    }
    add("<polyline class=\"line s%d\" points=\"%s\"/>", series, String.join(" ", points));
  }

  /** Of a distance to 100 %, 1 to 10^-decades. */
  private double x(double distance) {
    return LEFT + (WIDTH - LEFT - RIGHT) * -Math.log10(distance) / decades;
  }

  private double y(double millis) {
    double share = (Math.log10(millis) - lowest) / (highest - lowest);
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share;
  }

  private static String percent(int decade) {
    return switch (decade) {
      case 0 -> "0 %";
      case 1 -> "90 %";
      case 2 -> "99 %";
      default -> "99." + "9".repeat(decade - 2) + " %";
    };
  }

  private static String millis(int power) {
    if (power >= 3) {
      return "1" + "0".repeat(power - 3) + " s";
    }
    return power >= 0 ? "1" + "0".repeat(power) + " ms" : "0." + "0".repeat(-power - 1) + "1 ms";
  }

  private void add(String format, Object... values) {
    svg.append(String.format(Locale.ROOT, format, values)).append('\n');
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }

  private static final String STYLE =
      """
      <style>
        svg { --ground: #ffffff; --ink: #24292f; --grid: #d8dee4;
              --s0: #0b62c4; --s1: #c2410c; --s2: #15803d; --s3: #7e22ce; }
        @media (prefers-color-scheme: dark) {
          svg { --ground: #0d1117; --ink: #d6dde5; --grid: #30363d;
                --s0: #6cb0ff; --s1: #ff9d66; --s2: #62d083; --s3: #d2a8ff; }
        }
        .ground { fill: var(--ground); }
        text { fill: var(--ink); font: 13px system-ui, sans-serif; }
        .head { font-size: 17px; font-weight: 600; }
        .middle { text-anchor: middle; }
        .end { text-anchor: end; }
        .grid { stroke: var(--grid); }
        .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
        .s0 { stroke: var(--s0); } .s1 { stroke: var(--s1); stroke-dasharray: 8 3; }
        .s2 { stroke: var(--s2); stroke-dasharray: 2 3; } .s3 { stroke: var(--s3); stroke-dasharray: 10 3 2 3; }
      </style>
      """;
}

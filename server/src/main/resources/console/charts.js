// SPDX-License-Identifier: Apache-2.0
// Two charts over the last 15 minutes, drawn by uPlot (uplot.js, with its licence beside it).

import { setText } from './dom.js';
import { duration, rate } from './format.js';

/** What is shown, and how many points of it are kept at most: the node's, and then one a second. */
const SHOWN_SECONDS = 900;
const POINTS_MAX = 1200;

/** After so long without a figure the line is broken: nobody looked. */
const GAP_SECONDS = 10;
const WINDOW_MIN_SECONDS = 60;

/** A history of figures and the chart of it. */
class Chart {
  #box;
  #now;
  #options;
  #data;
  #plot = null;
  #hovered = null;
  #describedAt = 0;

  /**
   * @param {Element} box where to draw
   * @param {Element} now where the current figures stand
   * @param {object} options series: name, colour (a CSS variable), dash, fill; format of a figure;
   *     scale and axis of uPlot
   */
  constructor(box, now, options) {
    this.#box = box;
    this.#now = now;
    this.#options = options;
    this.#data = [[], ...options.series.map(() => [])];
    box.setAttribute('role', 'img');
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', () => this.draw());
    new ResizeObserver(() => this.#resize()).observe(box);
    this.#tell();
  }

  /** Adds a moment: seconds since 1970, and a figure (or null) for each series. */
  add(seconds, figures) {
    const [times] = this.#data;
    if (times.length > 0 && seconds <= times.at(-1)) {
      return; // this machine's clock was set back a little; for more the past is asked for anew
    }
    if (times.length > 0 && seconds - times.at(-1) > GAP_SECONDS) {
      this.#push(times.at(-1) + 1, figures.map(() => null));
    }
    this.#push(seconds, figures);
    while (times.length > POINTS_MAX || times[0] < seconds - SHOWN_SECONDS) {
      this.#data.forEach((of) => of.shift());
    }
    this.#plot?.setData(this.#data);
    this.#tell();
  }

  #push(seconds, figures) {
    [seconds, ...figures].forEach((figure, i) => this.#data[i].push(figure));
  }

  /** Shows these moments and no others: times, and then the figures of each series at them. */
  replace(data) {
    this.#data = data;
    this.#hovered = null;
    this.#plot?.setData(this.#data);
    this.#describedAt = 0;
    this.#tell();
  }

  /** Draws from scratch: the colours or the size are others. */
  draw() {
    const width = this.#box.clientWidth;
    if (width === 0) {
      return; // not shown now; the observer calls again
    }
    this.#plot?.destroy();
    const css = getComputedStyle(document.body);
    const colour = (name) => css.getPropertyValue(name).trim();
    const font = `11px ${css.fontFamily}`;
    const axis = {
      stroke: colour('--muted'),
      font,
      grid: { stroke: colour('--line'), width: 1, filter: this.#options.axis.filter },
      ticks: { show: false },
    };
    this.#plot = new globalThis.uPlot(
      {
        width,
        height: this.#box.clientHeight,
        padding: [8, 26, 0, 0],
        legend: { show: false },
        cursor: { points: { size: 7 }, drag: { x: false, y: false }, y: false },
        scales: {
          x: { time: true, range: (plot, min, max) => [Math.min(min, max - WINDOW_MIN_SECONDS), max] },
          y: this.#options.scale,
        },
        axes: [
          { ...axis, size: 26, gap: 8, grid: { show: false }, space: 90, values: (plot, splits) => splits.map(clock) },
          { ...axis, size: 52, gap: 6, ...this.#options.axis },
        ],
        series: [
          {},
          ...this.#options.series.map((series) => ({
            stroke: colour(series.colour),
            width: series.width ?? 1.75,
            dash: series.dash,
            fill: series.fill ? `${colour(series.colour)}${series.fill}` : undefined,
            points: { show: false },
          })),
        ],
        hooks: {
          setCursor: [
            (plot) => {
              this.#hovered = plot.cursor.idx ?? null;
              this.#tell();
            },
          ],
        },
      },
      this.#data,
      this.#box,
    );
  }

  #resize() {
    if (this.#plot && this.#box.clientWidth > 0) {
      this.#plot.setSize({ width: this.#box.clientWidth, height: this.#box.clientHeight });
    } else {
      this.draw();
    }
  }

  /** The figures at the pointer or now, beside the title; and in words for who does not see it. */
  #tell() {
    const last = this.#data[0].length - 1;
    const at = this.#hovered !== null && this.#hovered <= last ? this.#hovered : last;
    this.#options.series.forEach((series, i) => {
      const item = (this.#now.children[i] ?? this.#now.appendChild(document.createElement('span')));
      item.className = `now ${series.colour.slice(2)}`;
      setText(item, `${series.name} ${at < 0 ? '–' : this.#options.format(this.#data[i + 1][at])}`);
    });
    if (Date.now() - this.#describedAt > 10_000) {
      this.#describedAt = last < 0 ? 0 : Date.now();
      const figures = this.#options.series.map(
        (series, i) => `${series.name} ${last < 0 ? 'not known yet' : this.#options.format(this.#data[i + 1][last])}`,
      );
      this.#box.setAttribute('aria-label', `Chart of the last 15 minutes. Now: ${figures.join(', ')}.`);
    }
  }
}

const clock = (seconds) =>
  new Date(seconds * 1000).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** Both charts. */
export class Charts {
  #rates;
  #latency;
  #before = null;
  #until = 0;

  constructor(ratesBox, ratesNow, latencyBox, latencyNow) {
    this.#rates = new Chart(ratesBox, ratesNow, {
      format: (n) => (n === null || n === undefined ? '–' : rate(n)),
      scale: { range: (plot, min, max) => [0, Math.max(10, (max ?? 0) * 1.15)] },
      axis: { filter: (plot, splits) => splits, values: (plot, splits) => splits.map((n) => (n >= 1000 ? `${n / 1000}k` : `${n}`)), space: 34 },
      series: [
        { name: 'reads', colour: '--reads', fill: '22' },
        { name: 'writes', colour: '--writes', fill: '22' },
        { name: 'failed', colour: '--bad', dash: [3, 3] },
      ],
    });
    this.#latency = new Chart(latencyBox, latencyNow, {
      format: duration,
      scale: {
        distr: 3,
        range: (plot, min, max) => (min > 0 ? [Math.min(min / 1.5, 0.0005), Math.max(max * 1.5, 0.01)] : [0.0005, 0.1]),
      },
      axis: {
        space: 24,
        filter: (plot, splits) => splits.map((n) => (decade(n) ? n : null)),
        values: (plot, splits) => splits.map((n) => (n === null ? null : duration(n).replace(/(\.\d)0 /, '$1 '))),
      },
      series: [
        { name: 'median', colour: '--median' },
        { name: 'p99', colour: '--tail' },
      ],
    });
  }

  /** Draws from scratch: after the colours were changed. */
  draw() {
    this.#rates.draw();
    this.#latency.draw();
  }

  /** When the last moment was that they show, seconds since 1970; 0: none. */
  get shownUntil() {
    return this.#until;
  }

  /**
   * Shows what the node has kept of the past, and goes on from there. By this machine's clock, whatever the node's says.
   *
   * @param {object[]} points of the document of /v1/history; figures that are null are a gap
   */
  past(points) {
    const now = Date.now() / 1000;
    const times = points.map(({ millisAgo }) => now - millisAgo / 1000);
    const seconds = (millis) => (millis === null ? null : millis / 1000);
    this.#rates.replace([times, points.map((point) => point.reads), points.map((point) => point.writes), points.map((point) => point.failed)]);
    this.#latency.replace([[...times], points.map((point) => seconds(point.p50Millis)), points.map((point) => seconds(point.p99Millis))]);
    this.#before = null;
    this.#until = now;
  }

  /**
   * Adds what the nodes have counted; the charts show what came since the last time. Each node's report is of its
   * own moment, so each has its own rate by its own clock, and the rates are added up.
   *
   * @param {object[]} nodes of the document of /v1/cluster
   */
  add(nodes) {
    const rates = { reads: 0, writes: 0, failed: 0 };
    let known = false;
    const within = new Map(); // bound in seconds → how many took at most so long, since the last time
    const before = this.#before;
    this.#before = new Map(nodes.filter((node) => node.up && node.within).map((node) => [node.id, node]));
    if (before === null) {
      return;
    }
    for (const [id, node] of this.#before) {
      const then = before.get(id);
      if (!then || node.upMillis < then.upMillis) {
        continue; // not seen before, or begun anew: what it counted since is not known
      }
      if (node.upMillis === then.upMillis) {
        // No new report: it goes on as it did.
        node.lately = then.lately;
      } else {
        const seconds = (node.upMillis - then.upMillis) / 1000;
        node.lately = {
          reads: (node.reads - then.reads) / seconds,
          writes: (node.writes - then.writes) / seconds,
          failed: (node.failed - then.failed) / seconds,
          within: node.within.map(({ micros, count }, i) => [micros === null ? Infinity : micros / 1e6, count - (then.within[i]?.count ?? 0)]),
        };
      }
      known ||= node.lately !== undefined;
      for (const name of Object.keys(rates)) {
        rates[name] += node.lately?.[name] ?? 0;
      }
      for (const [bound, count] of node.lately?.within ?? []) {
        within.set(bound, (within.get(bound) ?? 0) + count);
      }
    }
    if (!known) {
      return; // no node has told anything new: that is no zero
    }
    const now = Date.now() / 1000;
    this.#until = now;
    this.#rates.add(now, [rates.reads, rates.writes, rates.failed]);
    const buckets = [...within].sort(([a], [b]) => a - b).map(([seconds, count]) => ({ seconds, count }));
    this.#latency.add(now, [quantile(buckets, 0.5), quantile(buckets, 0.99)]);
  }
}

const decade = (n) => Math.abs(Math.log10(n) - Math.round(Math.log10(n))) < 1e-6;

/**
 * A quantile by linear interpolation within its bucket, as Prometheus' histogram_quantile does; null where
 * nothing was counted. Pure.
 */
export function quantile(buckets, q) {
  const total = buckets.at(-1)?.count ?? 0;
  if (total <= 0) {
    return null;
  }
  const rank = q * total;
  const at = buckets.findIndex((bucket) => bucket.count >= rank);
  const { seconds, count } = buckets[at];
  const from = at > 0 ? buckets[at - 1] : { seconds: 0, count: 0 };
  return Number.isFinite(seconds) ? from.seconds + ((seconds - from.seconds) * (rank - from.count)) / (count - from.count) : from.seconds;
}

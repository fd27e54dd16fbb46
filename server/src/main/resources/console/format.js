// SPDX-License-Identifier: Apache-2.0
// Figures for people. Each function is pure.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** 12,345 */
export const count = (n) => whole.format(n);

/** One thing, or several: '1 node', '3 nodes'. */
export const several = (n, noun, plural = `${noun}s`) => `${count(n)} ${n === 1 ? noun : plural}`;

/** A rate: one decimal below ten. */
export const rate = (n) => (n < 10 ? tenth : whole).format(n);

/** 0.4 ms, 12 ms, 1.2 s */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) {
    return '–';
  }
  const millis = seconds * 1000;
  if (millis >= 1000) {
    return `${tenth.format(seconds)} s`;
  }
  return `${millis < 1 ? millis.toFixed(2) : (millis < 10 ? tenth : whole).format(millis)} ms`;
}

/** 512 B, 1.5 KiB, 2 GiB */
export function bytes(n) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let value = n;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${(value < 10 && unit > 0 ? tenth : whole).format(value)} ${units[unit]}`;
}

/** The two largest units of a time: 3 d 4 h, 12 min 5 s. */
export function age(seconds) {
  const units = [
    ['d', 86400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ];
  const s = Math.max(0, Math.floor(seconds));
  const first = units.findIndex(([, size]) => s >= size);
  if (first < 0) {
    return '0 s';
  }
  const [name, size] = units[first];
  const rest = units[first + 1];
  const more = rest ? Math.floor((s % size) / rest[1]) : 0;
  return `${Math.floor(s / size)} ${name}${more > 0 ? ` ${more} ${rest[0]}` : ''}`;
}

/** Names of nodes as short as they stay clear: ports alone where there is one host. */
export function shortNames(names) {
  const hosts = new Set(names.map((name) => name.slice(0, name.lastIndexOf(':'))));
  return new Map(names.map((name) => [name, hosts.size === 1 ? name.slice(name.lastIndexOf(':') + 1) : name]));
}

/** Where a node's client port is found: what it announces, which may be another place than its name says. */
export const authority = ({ host, clientPort }) => `${host.includes(':') ? `[${host}]` : host}:${clientPort}`;

/** 'a', 'a and b', 'a, b and c' */
export function listed(words) {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

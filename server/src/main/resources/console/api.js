// SPDX-License-Identifier: Apache-2.0
// What the console asks its node, always the one that the page came from. docs/reference/http.md describes the
// answers. A node that does not answer in time is Gone.

import { Mistake, percent, unbase64, utf8 } from './bytes.js';

/** How long a node may take before it is held to be gone, milliseconds. */
const STATE_TIMEOUT_MILLIS = 1500;
const KEYS_TIMEOUT_MILLIS = 15_000;

/** The longest value that is read into the page whole; of a longer one, its beginning. */
export const WHOLE_MAX = 1 << 20;
const BEGINNING = 1 << 16;

/** An answer that says what is wrong: a problem document (RFC 9457). */
export class Problem extends Error {
  constructor(status, detail, type = '') {
    super(detail);
    this.status = status;
    this.type = type;
  }
}

/** No answer: none in time, or no connection. */
export class Gone extends Error {
  constructor(failure) {
    super(failure.message);
    this.late = failure.name === 'TimeoutError';
  }
}

/** Asks; an answer that is not good is a Problem, but for 404 where that is an answer. */
async function ask(path, { timeoutMillis = KEYS_TIMEOUT_MILLIS, mayMiss = false, ...options } = {}) {
  let response;
  try {
    // The header has the node answer 401 so that the browser opens no dialog of its own.
    const headers = { 'X-Requested-With': 'console', ...options.headers };
    response = await fetch(path, { ...options, headers, cache: 'no-store', signal: AbortSignal.timeout(timeoutMillis) });
  } catch (failure) {
    throw new Gone(failure);
  }
  if (!response.ok && !(mayMiss && response.status === 404)) {
    const problem = await response.json().catch(() => null);
    throw new Problem(response.status, problem?.detail ?? `the node answered ${response.status}`, problem?.type);
  }
  return response;
}

async function bodyOf(response, how) {
  try {
    return await response[how]();
  } catch (failure) {
    throw new Gone(failure);
  }
}

async function json(path, options) {
  return bodyOf(await ask(path, options), 'json');
}

/** The cluster's state: the document of docs/reference/formats.md. */
export const status = () => json('/v1/cluster', { timeoutMillis: STATE_TIMEOUT_MILLIS });

/** Who one is, and what one may do. */
export const session = () => json('/v1/session', { timeoutMillis: STATE_TIMEOUT_MILLIS });

/** Ends the session at the node; one that is over already is ended. */
export async function logOut() {
  try {
    await ask('/v1/session', { method: 'DELETE' });
  } catch (failure) {
    if (failure.status !== 401) {
      throw failure;
    }
  }
}

/** The last 15 minutes, as this node saw them. */
export const history = () => json('/v1/history', { timeoutMillis: STATE_TIMEOUT_MILLIS });

/** The commands of all nodes that took long, the latest first. */
export async function slowLog() {
  return (await json('/v1/slowlog', { timeoutMillis: STATE_TIMEOUT_MILLIS })).entries;
}

/**
 * Keys under a prefix, in their order over the whole cluster.
 *
 * @param {string|null} cursor of the page before; null: from the first key on
 * @returns {Promise<{keys: Uint8Array[], cursor: string|null}>} cursor: null at the end
 */
export async function list(prefix, cursor, limit) {
  const page = await json(`/v1/kv?prefix=${percent(prefix)}&limit=${limit}${cursor === null ? '' : `&cursor=${cursor}`}`);
  const keys = page.keys.map(({ key, keyBase64 }) => (key === undefined ? unbase64(keyBase64) : utf8(key)));
  return { keys, cursor: page.cursor };
}

/** Where a key's value is. */
export function pathOf(key) {
  const path = percent(key);
  if (path === '.' || path === '..') {
    throw new Mistake(`Browsers ask for another path than that of the key ${path}, however it is written: use ./cairn get.`);
  }
  return `/v1/kv/${path}`;
}

/**
 * Reads a key.
 *
 * @returns {Promise<{bytes: Uint8Array, version: string, expiresAtMillis: number|null, size: number,
 *     whole: boolean}|null>} null if there is none; of a value longer than WHOLE_MAX its beginning
 */
export async function get(key) {
  let response;
  try {
    response = await ask(pathOf(key), { mayMiss: true, headers: { Range: `bytes=0-${WHOLE_MAX - 1}` } });
  } catch (problem) {
    if (problem.status !== 416) {
      throw problem;
    }
    response = await ask(pathOf(key), { mayMiss: true }); // empty: there is no first byte
  }
  if (response.status === 404) {
    return null;
  }
  const bytes = new Uint8Array(await bodyOf(response, 'arrayBuffer'));
  const size = Number(response.headers.get('Content-Range')?.split('/')[1] ?? bytes.length);
  const ttl = response.headers.get('Cairn-TTL-Millis');
  return {
    bytes: size > bytes.length ? bytes.subarray(0, BEGINNING) : bytes,
    version: response.headers.get('ETag'),
    expiresAtMillis: ttl === null ? null : Date.now() + Number(ttl),
    size,
    whole: size === bytes.length,
  };
}

/**
 * Writes a key, if it is still what was read.
 *
 * @param {string|null} version what was read; null: there must be no such key
 * @param {number|'keep'|'none'} ttl seconds, or as it was, or none
 */
export async function put(key, value, { version, ttl }) {
  await changing(`${pathOf(key)}${ttl === 'none' ? '' : `?ttl=${ttl}`}`, {
    method: 'PUT',
    body: value,
    headers: version === null ? { 'If-None-Match': '*' } : { 'If-Match': version },
  });
}

async function remove(key, version) {
  await changing(pathOf(key), { method: 'DELETE', headers: { 'If-Match': version } });
}

export { remove as delete };

/** A key that is gone is not the one that was read. */
async function changing(path, options) {
  const response = await ask(path, { ...options, mayMiss: true });
  if (response.status === 404) {
    throw new Problem(412, 'the key is not there');
  }
}

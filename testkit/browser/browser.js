// SPDX-License-Identifier: Apache-2.0
// A browser for the tests, and what is a fault of a page whatever it is asked for.

import assert from 'node:assert/strict';
import axe from 'axe-core';
import { chromium } from 'playwright-core';

export const DESKTOP = { width: 1440, height: 1000 };
export const PHONE = { width: 390, height: 844 };

/** CHROMIUM: where it is, /usr/bin/chromium unless set. */
export function launch(...args) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...args,
    ],
  });
}

/**
 * The faults of a page, as they come: it says an error, or asks a host that is none of its own. The browser itself says
 * so where a node cannot be reached, or answers with a 4xx.
 *
 * @param {string[]} own origins that it may ask
 * @param {(url: string) => boolean} down whether what is there may be down
 * @param {number[]} mayAnswer statuses that a test is about
 */
export function faultsOf(page, own, { down = () => false, mayAnswer = [] } = {}) {
  const faults = [];
  page.on('pageerror', (error) => faults.push(`error: ${error.stack}`));
  page.on('console', (message) => {
    const from = message.location().url;
    const unreached = /^Failed to load resource: net::ERR_/.test(message.text()) && down(from);
    const answered = mayAnswer.some((status) => message.text().startsWith(`Failed to load resource: the server responded with a status of ${status} `));
    if (['error', 'warning'].includes(message.type()) && !unreached && !answered) {
      faults.push(`${message.type()}: ${message.text()} (${from})`);
    }
  });
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (!own.includes(origin) && protocol !== 'blob:' && protocol !== 'data:') {
      faults.push(`a request to another host: ${request.url()}`);
    }
  });
  return faults;
}

/** No serious fault for who cannot see it, and nothing beside the window. */
export async function isAccessible(page, what) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  assert.deepEqual(serious.map(({ id, nodes }) => `${what}: ${id} ${nodes[0].html}`), []);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(overflow <= 0, `${what} is ${overflow} px wider than the window`);
}

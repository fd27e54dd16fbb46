// SPDX-License-Identifier: Apache-2.0
// The console in a real browser, against three nodes. One cluster and one browser serve all tests, which
// run in the order in which they stand; each begins and ends with three nodes up.
//
// CHROMIUM: the browser, /usr/bin/chromium unless set.
// SCREENSHOTS: a folder; pictures of the console go there.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { DESKTOP, PHONE, faultsOf, isAccessible, launch } from './browser.js';
import { Cluster, until } from './cluster.js';

const PORTS = [7300, 7301, 7302];
const SECONDS_TO_FOLLOW = 3; // from when the page's node says so until the page shows it
const shipped = (name) => readFileSync(new URL(`../../server/src/main/resources/console/${name}`, import.meta.url));

const cluster = new Cluster(PORTS);
let browser;

before(async () => {
  const started = cluster.start();
  browser = await launch();
  await started;
});

after(async () => {
  await browser?.close();
  await cluster.stop();
});

/** Where a node is: what its name says, and what it announces. */
const origins = (port) => [`http://${cluster.name(port)}`, cluster.announced(port)];
const isAt = (port) => (url) => origins(port).includes(url.origin);
const isAtAnother = (port) => (url) => PORTS.filter((one) => one !== port).some((one) => url.origin === cluster.announced(one));

/** A test with a page of its own. Fails if that has faults (faultsOf), but for nodes in mayBeDown and statuses in mayAnswer. */
function inPage(name, { port = PORTS[0], mayBeDown = [], mayAnswer = [], ...options }, body) {
  test(name, { timeout: 180_000 }, async () => {
    const context = await browser.newContext({ viewport: DESKTOP, colorScheme: 'light', ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    const down = (url) => mayBeDown.flatMap(origins).some((origin) => url.startsWith(`${origin}/`));
    const faults = faultsOf(page, PORTS.flatMap(origins), { down, mayAnswer });
    try {
      await page.goto(cluster.url(port));
      await body(page);
      assert.deepEqual(faults, []);
    } finally {
      await context.close();
    }
  });
}

const sentence = (page) => page.locator('#sentence');
const shows = (page, text, seconds = 30) => page.waitForFunction(([id, words]) => document.getElementById(id).textContent.includes(words), ['sentence', text], { timeout: seconds * 1000 });
const go = (page, view) => page.getByRole('navigation').getByRole('link', { name: view }).click();

/** What the page shows of the cluster, from the page alone: words, cards and picture. */
const picture = (page) =>
  page.evaluate(() => {
    const places = (selector, is) => [...document.querySelectorAll(selector)].flatMap((element, i) => (is(element) ? [i] : []));
    return {
      up: Number(document.getElementById('sentence').textContent.match(/(\d+) of \d+ nodes? (?:is|are) up/)?.[1]),
      well: document.getElementById('health').dataset.level === 'ok',
      cardsDown: places('.node', (card) => card.dataset.state === 'down'),
      lanesDown: places('.lane', (lane) => lane.classList.contains('down')),
      arcsDown: document.querySelectorAll('.arc[data-role^=down]').length,
      beads: [...document.querySelectorAll('.bead')].map((bead) => (bead.classList.contains('lost') ? null : Number(bead.dataset.colour))),
    };
  });

/** The same, as a node tells it. */
function told(status) {
  const lane = (name) => status.nodes.findIndex((node) => node.name === name);
  const down = status.nodes.flatMap((node, i) => (node.up ? [] : [i]));
  const voters = status.partitionList.flatMap(({ replicas, witness }) => [...replicas, witness]);
  return {
    up: status.nodes.length - down.length,
    well: status.healthy,
    cardsDown: down,
    lanesDown: down,
    arcsDown: voters.filter((voter) => !voter.up).length,
    beads: status.partitionList.map(({ leader }) => (leader === null ? null : lane(leader))),
  };
}

/**
 * Awaits that the page's node tells something, and holds the page to show all of it soon.
 *
 * @returns {Promise<number>} when the page did, milliseconds since 1970
 */
async function follows(page, what, condition) {
  await until(`the node says: ${what}`, async () => condition(told(await cluster.status(PORTS[0]))));
  let last;
  try {
    await until(`the page shows: ${what}`, async () => {
      last = [await picture(page), told(await cluster.status(PORTS[0]))];
      return condition(last[0]) && isDeepStrictEqual(...last);
    }, { seconds: SECONDS_TO_FOLLOW });
  } catch (late) {
    assert.deepEqual(...last, late.message);
    throw late;
  }
  return Date.now();
}

/** Has the page see the cluster's state with something in it changed. */
async function withState(page, change) {
  await page.route('**/v1/cluster', async (route) => {
    const response = await route.fetch();
    const status = await response.json();
    change(status);
    await route.fulfill({ response, json: status });
  });
}

async function openKey(page, prefix, key) {
  await go(page, 'Keys');
  await page.getByLabel('Keys that begin with').fill(prefix);
  await page.getByRole('button', { name: 'List' }).click();
  await page.getByRole('button', { name: key, exact: true }).click();
  await page.getByRole('heading', { name: key, exact: true }).waitFor();
}

/** Does something while others write and read, through every node and in every partition. */
async function underLoad(body) {
  let going = true;
  const clients = Array.from({ length: 6 }, async (_, client) => {
    for (let turn = 0; going; turn++) {
      const key = `load:${client}:${turn % 10}`;
      await cluster.key(PORTS[turn % 3], key, { method: 'PUT', body: `${turn}` });
      await cluster.key(PORTS[(turn + 1) % 3], key);
      await cluster.key(PORTS[(turn + 2) % 3], key);
      await new Promise((resolve) => setTimeout(resolve, 10 + 10 * Math.sin(turn / 40)));
    }
  });
  try {
    await body();
  } finally {
    going = false;
    await Promise.all(clients);
  }
}

test('what is shipped of others is what they published', () => {
  const published = (path) => readFileSync(fileURLToPath(new URL(`node_modules/${path}`, import.meta.url)));
  for (const [ours, theirs] of [
    ['uplot.js', 'uplot/dist/uPlot.iife.min.js'],
    ['uplot.css', 'uplot/dist/uPlot.min.css'],
    ['uplot-license.txt', 'uplot/LICENSE'],
    ['inter.woff2', '@fontsource-variable/inter/files/inter-latin-wght-normal.woff2'],
    ['inter-license.txt', '@fontsource-variable/inter/LICENSE'],
  ]) {
    assert.ok(shipped(ours).equals(published(theirs)), ours);
  }
});

inPage('three nodes are shown: sentence, ring, table, cards', {}, async (page) => {
  await shows(page, 'All is well: 3 of 3 nodes are up');
  assert.match(await page.locator('#reserve').textContent(), /Nothing to do\. It can lose any one node/);
  assert.equal(await page.locator('.lane').count(), 3);
  assert.equal(await page.locator('.sector').count(), 6);
  // Just after the start leaders still move to where they belong, and a partition has none for a moment.
  await until('each partition is led by its first replica', async () =>
    (await cluster.status(PORTS[0])).partitionList.every(({ leader, replicas }) => leader === replicas[0].node),
  );
  await follows(page, 'all is well', ({ well }) => well);
  assert.equal(await page.locator('.arc[data-role=leads]').count(), 6);
  assert.equal(await page.locator('.arc[data-role=copy], .arc[data-role=lags]').count(), 6);
  assert.equal(await page.locator('.arc[data-role=witness]').count(), 6);
  await page.getByRole('button', { name: 'Show as table' }).click();
  assert.equal(await page.locator('#ring-table tbody tr').count(), 6);
  await until('the cards say what the node told last', async () => {
    const answer = await page.waitForResponse('**/v1/cluster');
    const { nodes } = await answer.json();
    await page.waitForTimeout(50); // drawn by then, or looked at again
    const cards = await page.locator('.node').allTextContents();
    return isDeepStrictEqual(cards, nodes.map((node) => cardOf(node, PORTS[0])));
  });
});

const size = (n) => {
  const unit = ['B', 'KiB', 'MiB', 'GiB', 'TiB'][Math.floor(Math.log2(n) / 10)];
  const value = n / 2 ** (10 * Math.floor(Math.log2(n) / 10));
  return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value).toLocaleString('en')} ${unit}`;
};

function time(millis) {
  const seconds = Math.floor(millis / 1000);
  const rest = seconds % 60 === 0 ? '' : ` ${seconds % 60} s`;
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min${rest}`;
}

/** The whole text of the card of a node that is up. */
function cardOf(node, self) {
  const copies = `${node.replicas} ${node.replicas === 1 ? 'copy' : 'copies'}`;
  const witnesses = `${node.witnesses} ${node.witnesses === 1 ? 'witness' : 'witnesses'}`;
  return [
    `${node.name}up`,
    `Leads ${node.leads}, ${copies}, ${witnesses}`,
    `Disk${size(node.diskFreeBytes)} free of ${size(node.diskBytes)}`,
    `Heap${size(node.heapUsedBytes)} of ${size(node.heapMaxBytes)}`,
    `Memory${size(node.residentBytes)}`,
    `Up for${time(node.upMillis)}`,
    `Version${node.version}`,
    node.name === cluster.name(self) ? 'This console' : 'Open its console',
  ].join('');
}

inPage('a copy that lags is shown so, and no longer when it has caught up', {}, async (page) => {
  let lag = 5000;
  let copy;
  await withState(page, ({ partitionList: [first] }) => {
    copy = first.replicas.find(({ node }) => node !== first.leader);
    copy.lag = lag;
    copy.counts = lag === 0;
  });
  await page.locator('.arc[data-role=lags]').waitFor({ state: 'attached' });
  assert.equal(await page.locator('.arc[data-role=lags]').count(), 1);
  await page.getByRole('button', { name: 'Show as table' }).click();
  const row = page.locator('#ring-table tbody tr').first();
  assert.match(await row.textContent(), new RegExp(`${copy.node.split(':')[1]} \\(lags by 5,000\\)`));
  await page.locator('.sector .hit').first().hover();
  await page.locator('.centre-small', { hasText: 'lags by 5,000' }).waitFor();
  await isAccessible(page, 'a copy that lags');
  lag = 0;
  await page.locator('.arc[data-role=lags]').waitFor({ state: 'detached' });
  assert.doesNotMatch(await row.textContent(), /lags/);
});

inPage('a node that is heard and not reached is neither called up nor down', {}, async (page) => {
  let reached = false;
  await withState(page, (status) => {
    const { name } = status.nodes[2];
    status.nodes[2].reached = reached;
    status.nodes[2].up = reached;
    for (const { replicas, witness } of status.partitionList) {
      [...replicas, witness].filter(({ node }) => node === name).forEach((voter) => (voter.up = reached));
    }
    if (!reached) {
      status.healthy = false;
      status.problems = [{ name: 'node-unreached', subject: name, state: 'set', ageMillis: 61_000, text: `Node ${name} is not reached.` }];
    }
  });
  await shows(page, 'Every key is served, but not all is well: 2 of 3 nodes are up');
  assert.match(await page.locator('#todo').textContent(), /is not reached\. \(node-unreached for 1 min 1 s\)/);
  assert.equal(await page.locator('.node-state').nth(2).textContent(), 'not reached');
  await page.getByRole('button', { name: 'Show as table' }).click();
  assert.match(await page.locator('#ring-table').textContent(), /\(not reached\)/);
  await isAccessible(page, 'a node that is not reached');
  reached = true;
  await shows(page, 'All is well');
});

inPage('a node that serves nothing says so, hides what was, and offers another', {}, async (page) => {
  await shows(page, 'All is well');
  assert.ok(await page.locator('#who').isHidden(), 'nobody has to log in');
  let closed = true;
  await withState(page, (status) => {
    if (closed) {
      ['nodes', 'partitionList', 'partitions', 'replicationFactor'].forEach((name) => delete status[name]);
      const problem = { name: 'node-closed', subject: status.answeredBy, state: 'set', ageMillis: 61_000, text: 'It serves nothing just now: its disk is full.' };
      Object.assign(status, { clusterId: '', epoch: 0, healthy: false, problems: [problem] });
    }
  });
  const button = page.getByRole('button', { name: /Go on through 127\.0\.0\.1:730[12]/ });
  await shows(page, 'This node serves nothing just now.');
  await button.waitFor();
  assert.match(await page.locator('#todo').textContent(), /its disk is full\. \(node-closed for 1 min 1 s\)/);
  assert.ok(await page.locator('#ring').isHidden());
  await isAccessible(page, 'a node that serves nothing');
  await go(page, 'Keys');
  await go(page, 'Slow log');
  await go(page, 'Overview');
  closed = false;
  await shows(page, 'All is well');
  await button.waitFor({ state: 'detached' });
  assert.ok(await page.locator('#ring').isVisible());

  // The same where the page is opened meanwhile; it is loaded anew when the node tells where the others are.
  closed = true;
  await page.reload();
  await shows(page, 'This node serves nothing just now.');
  closed = false;
  await shows(page, 'All is well');
  assert.equal(await page.locator('.lane').count(), 3);
});

inPage('what is not protected, and what is wrong with certificates, is told', {}, async (page) => {
  await shows(page, 'All is well');
  assert.ok(await page.locator('#not-protected').isHidden());
  let told = true;
  await withState(page, (status) => {
    if (told) {
      const problem = { name: 'certificate-expires', subject: status.answeredBy, state: 'set', ageMillis: 61_000, text: 'A certificate expires in 3 days.' };
      Object.assign(status, { notProtected: '127.0.0.1:7300: its client ports let everybody in', certificateDays: 3, healthy: false, problems: [problem] });
    }
  });
  await shows(page, 'Every key is served, but not all is well');
  const words = 'NOT PROTECTED: 127.0.0.1:7300: its client ports let everybody in. docs/guide/secure.md says how to mend that.';
  await page.getByText(words).waitFor();
  assert.match(await page.locator('#todo').textContent(), /expires in 3 days\. \(certificate-expires/);
  assert.match(await page.locator('#facts').textContent(), /certificates good for 3 days/);
  await isAccessible(page, 'what is not protected');
  await go(page, 'Keys');
  assert.ok(await page.getByText(words).isVisible());
  told = false;
  await page.locator('#not-protected').waitFor({ state: 'hidden' });
  await shows(page, 'All is well');
});

inPage('other nodes are found where they announce, not where their names say', {}, async (page) => {
  await shows(page, 'All is well');
  const link = page.locator('.node', { hasText: cluster.name(PORTS[1]) }).getByRole('link');
  assert.equal(await link.getAttribute('href'), `${cluster.announced(PORTS[1])}/#overview`);
  await link.click();
  await page.waitForURL((url) => url.origin === cluster.announced(PORTS[1]));
  await shows(page, 'All is well');
  assert.equal(await page.locator('#via').textContent(), cluster.name(PORTS[1]));

  // A node that comes up elsewhere: the page is loaded anew, once, for a policy that lets it ask there.
  await page.evaluate(() => (globalThis.isOld = true));
  await withState(page, ({ nodes }) => (nodes[2].host = '127.0.0.1'));
  await page.waitForFunction(() => globalThis.isOld === undefined && document.getElementById('sentence').textContent.startsWith('All is well'));
  await page.evaluate(() => (globalThis.isOld = true));
  for (let answer = 0; answer < 3; answer++) {
    await page.waitForResponse('**/v1/cluster');
  }
  assert.ok(await page.evaluate(() => globalThis.isOld), 'once is enough');
});

inPage('load is drawn: rates and percentiles', {}, async (page) => {
  await shows(page, 'All is well');
  await underLoad(async () => {
    await page.waitForFunction(() => {
      const [reads, writes] = [...document.querySelectorAll('#rates-now .now')].map((now) => Number.parseFloat(now.textContent.split(' ')[1].replace(',', '')));
      return reads > 1 && writes > 1 && /median [0-9.]+ m?s/.test(document.querySelector('#latency-now').textContent);
    });
    // Something is drawn, in the colour of writes.
    const drawn = await page.evaluate(() => {
      const canvas = document.querySelector('#rates canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value, i) => i % 4 === 3 && value > 200);
    });
    assert.ok(drawn);
  });
});

/**
 * In which columns a chart has ink of a colour, in the upper rows of it: shares of its width between the axes, from 0 to 1.
 */
const inked = (page, id, colour, upper = 1) =>
  page.evaluate(
    ([chart, name, rows]) => {
      const canvas = document.querySelector(`#${chart} canvas`);
      if (!canvas) {
        return [];
      }
      const hex = getComputedStyle(document.body).getPropertyValue(name).trim();
      const wanted = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
      const { width, height } = canvas;
      // A copy is read, made to be read: the browser warns of a canvas that is read again and again.
      const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
      copy.drawImage(canvas, 0, 0);
      const { data } = copy.getImageData(0, 0, width, height);
      const [left, right] = [52 * devicePixelRatio, width - 26 * devicePixelRatio];
      const is = (x, y) => {
        const at = (y * width + x) * 4;
        return data[at + 3] > 150 && wanted.every((value, i) => Math.abs(data[at + i] - value) < 40);
      };
      const columns = [];
      for (let x = Math.ceil(left); x < right; x++) {
        for (let y = 0; y < height * rows; y++) {
          if (is(x, y)) {
            columns.push((x - left) / (right - left));
            break;
          }
        }
      }
      return columns;
    },
    [id, colour, upper],
  );

/** What a node has kept of the last 15 minutes. */
const past = async (port) => (await (await fetch(`${cluster.url(port)}v1/history`, { signal: AbortSignal.timeout(5000) })).json()).points;

inPage('a page that is opened after some load shows what was', { port: PORTS[1] }, async (page) => {
  const busy = (points) => points.filter(({ writes, p50Millis }) => writes > 5 && p50Millis !== null).length;
  await underLoad(async () => {
    await until('the node has kept 15 s of load', async () => busy(await past(PORTS[1])) >= 5);
  });
  // Nothing but the past can be drawn: the load is over.
  await until('the load is over', async () => (await past(PORTS[1])).at(-1).writes === 0);
  await page.reload();
  await until('the past is drawn', async () => (await inked(page, 'rates', '--writes', 0.6)).length >= 5 && (await inked(page, 'latency', '--tail')).length >= 5);
  // And it goes on from there.
  await page.waitForFunction(() => /writes [0-9]/.test(document.querySelector('#rates-now').textContent));
});

inPage('what a node does not know is a gap in its charts, and no zero', { port: PORTS[1] }, async (page) => {
  const known = (millisAgo) => ({ millisAgo, reads: 0, writes: 100, failed: 0, p50Millis: 1, p99Millis: 2 });
  const unknown = (millisAgo) => ({ millisAgo, reads: null, writes: null, failed: null, p50Millis: null, p99Millis: null });
  const every = (from, to, point) => Array.from({ length: (from - to) / 3 + 1 }, (_, i) => point((from - 3 * i) * 1000));
  const points = [...every(600, 303, known), ...every(300, 297, unknown), unknown(153_000), ...every(150, 0, known)];
  await page.route('**/v1/history', (route) => route.fulfill({ json: { everyMillis: 3000, points } }));
  await page.reload();
  const has = (columns, from, to) => columns.some((share) => share > from && share < to);
  for (const [chart, colour] of [['rates', '--writes'], ['latency', '--tail']]) {
    await until(`the past is drawn: ${chart}`, async () => has(await inked(page, chart, colour), 0.8, 0.95));
    const columns = await inked(page, chart, colour);
    assert.ok(has(columns, 0.1, 0.4), `${chart}: what was before`);
    assert.ok(!has(columns, 0.55, 0.7), `${chart}: nothing in the gap`);
  }
});

inPage('a node that stood still says so of its past', { port: PORTS[1], mayBeDown: [PORTS[2]] }, async () => {
  await until('the node has kept something', async () => (await past(PORTS[2])).some(({ reads }) => reads !== null));
  cluster.signal(PORTS[2], 'SIGSTOP');
  const stopped = Date.now();
  try {
    await until('it stood still for long', async () => Date.now() - stopped > 9000);
  } finally {
    cluster.signal(PORTS[2], 'SIGCONT');
  }
  await until('its past has a gap, and goes on after it', async () => {
    const points = await past(PORTS[2]);
    const late = points.findIndex(({ reads, millisAgo }, i) => i > 0 && reads === null && points[i - 1].millisAgo - millisAgo > 7500);
    return late > 0 && points.slice(late).some(({ reads }) => reads !== null);
  });
  await cluster.healthy();
});

inPage('a node is killed and started again: picture and sentence follow', { mayBeDown: [PORTS[2]] }, async (page) => {
  const isWell = ({ well, beads }) => well && beads.includes(2);
  await follows(page, 'all is well, and the node that is killed leads something', isWell);
  const before = (await picture(page)).beads;
  const killed = Date.now();
  await cluster.kill(PORTS[2]);
  const shownDown = await follows(page, 'it is down', ({ up, arcsDown }) => up === 2 && arcsDown === 6);
  assert.match(await page.locator('#todo').textContent(), /Node 127\.0\.0\.1:7302 is down: start it again/);
  const shownLed = await follows(page, 'the others lead what it led', ({ beads }) => beads.every((lane) => lane === 0 || lane === 1));
  await page.getByRole('button', { name: 'Show as table' }).click();
  await isAccessible(page, 'a node is down');

  const started = Date.now();
  cluster.startNode(PORTS[2]);
  const shownUp = await follows(page, 'all is well', ({ well }) => well);
  // Leaders move with nobody's death: it is given back what it led.
  const shownBack = await follows(page, 'it leads again', ({ beads }) => beads.join() === before.join());
  console.log(
    `killed: shown as down after ${shownDown - killed} ms, what it led as led by others after ${shownLed - killed} ms; ` +
      `started: all shown as well after ${shownUp - started} ms, and its partitions as led by it after ${shownBack - started} ms`,
  );
  await cluster.healthy();
});

inPage('a key is edited; a stale edit is refused and shows the other value', { mayAnswer: [404, 412] }, async (page) => {
  await cluster.key(PORTS[1], 'edit-me', { method: 'PUT', body: 'first' });
  await openKey(page, 'edit', 'edit-me');
  const field = page.getByLabel('Value', { exact: true });
  assert.equal(await field.inputValue(), 'first');
  await field.fill('second');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('#editor-note', { hasText: 'Saved.' }).waitFor();
  assert.equal(await (await cluster.key(PORTS[2], 'edit-me')).text(), 'second');

  await field.fill('mine');
  await cluster.key(PORTS[1], 'edit-me', { method: 'PUT', body: 'of somebody else' });
  await page.getByRole('button', { name: 'Save' }).click();
  const conflict = page.getByRole('alert', { name: /Not saved: somebody changed this key meanwhile/ });
  await conflict.waitFor();
  assert.equal(await conflict.locator('pre').textContent(), 'of somebody else');
  assert.equal(await (await cluster.key(PORTS[2], 'edit-me')).text(), 'of somebody else');

  await page.getByRole('button', { name: 'Go on with mine' }).click();
  assert.equal(await field.inputValue(), 'mine');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('#editor-note', { hasText: 'Saved.' }).waitFor();
  assert.equal(await (await cluster.key(PORTS[2], 'edit-me')).text(), 'mine');

  // A key that was deleted meanwhile is not brought back unasked.
  await field.fill('late');
  await cluster.key(PORTS[1], 'edit-me', { method: 'DELETE' });
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert', { name: 'Not saved: this key was deleted meanwhile.' }).waitFor();
  assert.equal((await cluster.key(PORTS[2], 'edit-me')).status, 404);
  await page.getByRole('button', { name: 'Create it again' }).click();
  await page.locator('#editor-note', { hasText: 'Saved.' }).waitFor();
  assert.equal(await (await cluster.key(PORTS[2], 'edit-me')).text(), 'late');
});

inPage('keys and values of any bytes come back as they were', {}, async (page) => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  await cluster.key(PORTS[1], '%00%FF%2F', { method: 'PUT', body: bytes });
  await openKey(page, '\\x00\\xff', '\\x00\\xff/');
  const field = page.getByLabel('Value', { exact: true });
  assert.equal(await page.getByRole('radio', { name: 'Hex' }).isChecked(), true);
  assert.ok(await page.getByRole('radio', { name: 'Text' }).isDisabled());
  await field.fill((await field.inputValue()).replace('00 01 02', 'ff 0 1 02').replace('ff 0 1', 'ff 01'));
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('#editor-note', { hasText: 'Saved.' }).waitFor();
  const stored = new Uint8Array(await (await cluster.key(PORTS[2], '%00%FF%2F')).arrayBuffer());
  assert.deepEqual(stored, Uint8Array.from([0xff, ...bytes.slice(1)]));
  await field.fill('0');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Hex has two digits a byte; one is missing').waitFor();

  // JSON is shown with line breaks and saved unchanged where nobody touched it, long numbers included.
  await cluster.key(PORTS[1], 'json-one', { method: 'PUT', body: '{"n":12345678901234567890,"a":[1.0]}' });
  await page.getByRole('button', { name: 'Read again' }).click();
  await page.getByRole('button', { name: 'Discard' }).click();
  await openKey(page, 'json', 'json-one');
  assert.equal(await field.inputValue(), '{\n  "n": 12345678901234567890,\n  "a": [\n    1.0\n  ]\n}');
  await page.getByLabel('Expires in').fill('900');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('#editor-note', { hasText: 'Saved.' }).waitFor();
  await page.getByText(/in 1[45] min/).waitFor();
  assert.equal(await (await cluster.key(PORTS[2], 'json-one')).text(), '{"n":12345678901234567890,"a":[1.0]}');
  await page.getByLabel('never expires').check();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('#editor-note', { hasText: 'Saved.' }).waitFor();
  await page.locator('.facts', { hasText: 'never' }).waitFor();
});

inPage('a key is made, and deleted only after a question', { mayAnswer: [412] }, async (page) => {
  await go(page, 'Keys');
  await page.getByRole('button', { name: 'New key' }).click();
  await page.getByLabel('Key', { exact: true }).fill('made here');
  await page.getByLabel('Value', { exact: true }).fill('of text');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.locator('#editor-note', { hasText: 'Created.' }).waitFor();
  assert.equal(await (await cluster.key(PORTS[2], 'made%20here')).text(), 'of text');

  await page.getByRole('button', { name: 'New key' }).click();
  await page.getByLabel('Key', { exact: true }).fill('made here');
  await page.getByLabel('Value', { exact: true }).fill('another');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('alert', { name: 'Not created: there is a key of this name already.' }).waitFor();
  await page.getByRole('button', { name: 'Take that one' }).click();

  const question = page.getByRole('dialog', { name: 'Delete this key?' });
  for (const answer of ['Keep it', 'Escape']) {
    await page.getByRole('button', { name: 'Delete …' }).click();
    await question.waitFor();
    await (answer === 'Escape' ? page.keyboard.press('Escape') : question.getByRole('button', { name: answer }).click());
    await question.waitFor({ state: 'hidden' });
    assert.equal((await cluster.key(PORTS[2], 'made%20here')).status, 200);
  }
  await page.getByRole('button', { name: 'Delete …' }).click();
  await question.getByRole('button', { name: 'Delete' }).click();
  await page.getByText('made here was deleted.').waitFor();
  assert.equal((await cluster.key(PORTS[2], 'made%20here')).status, 404);
});

inPage('by keyboard alone: from the first Tab to a saved value', {}, async (page) => {
  await cluster.key(PORTS[1], 'by-keyboard', { method: 'PUT', body: 'old' });
  await shows(page, 'All is well');
  const focused = () => page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.id);
  const tabTo = async (name) => {
    for (let i = 0; i < 60 && (await focused()) !== name; i++) {
      await page.keyboard.press('Tab');
    }
    assert.equal(await focused(), name);
  };
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'Skip to the content');
  await tabTo('Keys');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement.id === 'keys-title');
  await tabTo('prefix');
  await page.keyboard.type('by-key');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'by-keyboard' }).waitFor();
  await tabTo('by-keyboard');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement.id === 'editor-title');
  await page.keyboard.press('Tab');
  await tabTo('value');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('new');
  await tabTo('Save');
  await page.keyboard.press('Enter');
  await page.locator('#editor-note', { hasText: 'Saved.' }).waitFor();
  assert.equal(await (await cluster.key(PORTS[2], 'by-keyboard')).text(), 'new');
});

inPage('the slow log shows what took long', { port: PORTS[1] }, async (page) => {
  await cluster.command(PORTS[0], 'CONFIG SET slowlog-log-slower-than 0');
  try {
    await cluster.command(PORTS[0], 'SET slow-one "\\xff"');
  } finally {
    await cluster.command(PORTS[0], 'CONFIG SET slowlog-log-slower-than 10000');
  }
  await go(page, 'Slow log');
  const row = page.getByRole('row', { name: /SET slow-one \(1 byte\)/i });
  await row.waitFor();
  assert.match(await row.textContent(), /[0-9.]+ m?s/);
});

inPage('no motion for who wants none', { reducedMotion: 'reduce' }, async (page) => {
  await shows(page, 'All is well');
  assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector('.bead')).transitionDuration), '0s');
});

for (const colorScheme of ['light', 'dark']) {
  for (const viewport of [DESKTOP, PHONE]) {
    inPage(`axe finds no serious fault: ${colorScheme}, ${viewport.width} px`, { colorScheme, viewport, reducedMotion: 'reduce', mayAnswer: [412] }, async (page) => {
      await cluster.key(PORTS[1], 'axe', { method: 'PUT', body: 'value' });
      await shows(page, 'All is well');
      await page.getByRole('button', { name: 'Show as table' }).click();
      await isAccessible(page, 'overview');
      await openKey(page, 'axe', 'axe');
      await page.getByLabel('Value', { exact: true }).fill('changed');
      await cluster.key(PORTS[1], 'axe', { method: 'PUT', body: 'other' });
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByRole('alert').filter({ hasText: 'Not saved' }).waitFor();
      await isAccessible(page, 'keys, with a conflict');
      await page.getByRole('button', { name: 'Delete …' }).click();
      await isAccessible(page, 'the question');
      await page.keyboard.press('Escape');
      await go(page, 'Slow log');
      await isAccessible(page, 'slow log');
    });
  }
}

inPage("the console's own node is killed: it goes on through another, and shows the same", { mayBeDown: [PORTS[0]] }, async (page) => {
  await cluster.key(PORTS[1], 'carried', { method: 'PUT', body: 'along' });
  await openKey(page, 'carr', 'carried');
  await cluster.kill(PORTS[0]);
  await page.waitForURL(isAtAnother(PORTS[0]));
  await page.getByText('Node 127.0.0.1:7300 did not answer, so the console went on through').waitFor();
  await shows(page, '2 of 3 nodes are up');
  assert.equal(await page.getByLabel('Keys that begin with').inputValue(), 'carr');
  await page.getByRole('heading', { name: 'carried', exact: true }).waitFor();
  assert.equal(await page.getByLabel('Value', { exact: true }).inputValue(), 'along');
  await isAccessible(page, 'gone on through another node');
  cluster.startNode(PORTS[0]);
  await shows(page, 'All is well', 120);
  await cluster.healthy();
});

inPage('what was typed is not lost when the node is gone', { mayBeDown: [PORTS[0]] }, async (page) => {
  await openKey(page, 'carr', 'carried');
  await page.getByLabel('Value', { exact: true }).fill('typed');
  cluster.signal(PORTS[0], 'SIGSTOP');
  try {
    await page.getByText('What you typed is not saved and stays here').waitFor();
    assert.ok(isAt(PORTS[0])(new URL(page.url())));
    assert.equal(await page.getByLabel('Value', { exact: true }).inputValue(), 'typed');
    await isAccessible(page, 'the node is gone');
    await page.getByRole('button', { name: /Go on through 127\.0\.0\.1:730[12]/ }).click();
    await page.waitForURL(isAtAnother(PORTS[0]));
  } finally {
    cluster.signal(PORTS[0], 'SIGCONT');
  }
  await cluster.healthy();
});

test('the figures that the console works out', async () => {
  const page = await browser.newPage();
  try {
    await page.goto(cluster.url(PORTS[0]));
    const results = await page.evaluate(async () => {
      const [bytes, { quantile }, { health, standing }, format] = await Promise.all(
        ['bytes', 'charts', 'health', 'format'].map((name) => import(`/console/${name}.js`)),
      );
      const refused = (act) => {
        try {
          act();
          return false;
        } catch (mistake) {
          return mistake instanceof bytes.Mistake;
        }
      };
      const random = Uint8Array.from({ length: 2000 }, () => Math.floor(Math.random() * 256));
      const awkward = [random, bytes.utf8('a\\b ÄÖ \u2028\u00a0日本\u202e'), bytes.utf8('\ufeffbom'), Uint8Array.of(0), Uint8Array.of(0xc3), bytes.utf8('\\x41')];
      const problem = (state, text) => ({ name: 'node-down', subject: 'h:2', state, ageMillis: 61500, text });
      const partition = (index, leader, canLose) => ({ index, leader, canLose, replicas: [{ node: 'h:1', up: true }], witness: null });
      const state = (more) => ({ nodes: [{ name: 'h:1', up: true }], problems: [], healthy: true, partitionList: [partition(0, 'h:1', 0)], ...more });
      return {
        keys: awkward.every((key) => bytes.same(bytes.unescaped(bytes.escaped(key)), key)),
        hex: awkward.every((value) => bytes.same(bytes.unhex(bytes.hex(value)), value)),
        percent: bytes.percent(Uint8Array.of(0, 0x2f, 0x41, 0xff)),
        refused: [refused(() => bytes.unescaped('\\x4')), refused(() => bytes.unhex('0g')), refused(() => bytes.unhex('0'))],
        editable: [bytes.editableText(bytes.utf8('a\nb')), bytes.editableText(bytes.utf8('a\r\nb')), bytes.editableText(Uint8Array.of(0xff))],
        indented: bytes.indentedJson('{"a":{},"b":[1e400,"x,\\"{"],"a":1}'),
        quantiles: [
          quantile([{ seconds: 1, count: 10 }, { seconds: 2, count: 20 }, { seconds: Infinity, count: 20 }], 0.5),
          quantile([{ seconds: 1, count: 10 }, { seconds: 2, count: 20 }, { seconds: Infinity, count: 20 }], 0.75),
          quantile([{ seconds: 1, count: 0 }, { seconds: Infinity, count: 5 }], 0.5),
          quantile([{ seconds: 1, count: 0 }], 0.5),
          quantile([], 0.5),
        ],
        standings: [[true, true], [true, false], [false, true], [false, false]].map(([heard, reached]) => standing({ up: heard && reached, heard, reached })),
        levels: [
          health(state({})).level,
          health(state({ healthy: false, problems: [problem('pending', 'Node h:2 is down: start it again.')] })).level,
          health(state({ healthy: false, partitionList: [partition(0, null, 0)] })).level,
          health({ clusterId: '', healthy: false, problems: [problem('set', 'The cluster has not formed: x.')] }).level,
        ],
        lines: health(state({ healthy: false, problems: ['pending', 'set', 'clearing'].map((one) => problem(one, 'It is so.')) })).todo,
        formats: [format.bytes(1536), format.bytes(999), format.age(90061), format.age(0), format.duration(0.0004), format.duration(2), format.several(1, 'node'), [...format.shortNames(['a:1', 'a:2']).values()].join(), [...format.shortNames(['a:1', 'b:1']).values()].join(), format.authority({ host: 'db', clientPort: 1 }), format.authority({ host: '::1', clientPort: 1 })],
      };
    });
    assert.deepEqual(results, {
      keys: true,
      hex: true,
      percent: '%00%2FA%FF',
      refused: [true, true, true],
      editable: ['a\nb', null, null],
      indented: '{\n  "a": {},\n  "b": [\n    1e400,\n    "x,\\"{"\n  ],\n  "a": 1\n}',
      quantiles: [1, 1.5, 1, null, null],
      standings: ['up', 'not reached', 'not heard', 'down'],
      levels: ['ok', 'warn', 'bad', 'bad'],
      lines: ['It is so. (node-down for 1 min 1 s, pending)', 'It is so. (node-down for 1 min 1 s)', 'It is so. (node-down for 1 min 1 s, and over: clearing)'],
      formats: ['1.5 KiB', '999 B', '1 d 1 h', '0 s', '0.40 ms', '2 s', '1 node', '1,2', 'a:1,b:1', 'db:1', '[::1]:1'],
    });
  } finally {
    await page.close();
  }
});

if (process.env.SCREENSHOTS) {
  const folder = process.env.SCREENSHOTS;
  const secondsOfLoad = Number(process.env.SCREENSHOT_SECONDS ?? 30); // a picture without load is an empty chart
  mkdirSync(folder, { recursive: true });

  test('keys for the pictures', async () => {
    for (const [user, name] of ['Ada', 'Barbara', 'Edsger', 'Grace', 'Leslie', 'Nancy', 'Tony'].entries()) {
      const body = JSON.stringify({ name, roles: user % 3 === 0 ? ['admin', 'author'] : ['reader'], visits: 17 * user + 4 });
      await cluster.key(PORTS[0], `user:${1001 + user}`, { method: 'PUT', body, query: '?ttl=86400' });
    }
  });

  for (const colorScheme of ['light', 'dark']) {
    for (const [where, viewport] of [['', DESKTOP], ['-phone', PHONE]]) {
      inPage(`pictures: ${colorScheme}${where}`, { colorScheme, viewport, deviceScaleFactor: 1 }, async (page) => {
        const shoot = (view, fullPage) => page.screenshot({ path: `${folder}/console-${view}-${colorScheme}${where}.png`, fullPage });
        await shows(page, 'All is well');
        await underLoad(async () => {
          await new Promise((resolve) => setTimeout(resolve, secondsOfLoad * 1000));
          await shoot('overview', true);
        });
        await openKey(page, 'user:', 'user:1001');
        await shoot('keys', false);
        await go(page, 'Slow log');
        await page.locator('#slowlog-table tbody tr').first().waitFor();
        await shoot('slowlog', false);
      });
    }
  }
}

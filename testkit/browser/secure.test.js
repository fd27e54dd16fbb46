// SPDX-License-Identifier: Apache-2.0
// The console of nodes with TLS and users, in a real browser. One cluster serves all tests, in the order in which they
// stand; after the last one a node is down.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DESKTOP, PHONE, faultsOf, isAccessible, launch } from './browser.js';
import { until } from './cluster.js';
import { SecureCluster } from './secure-cluster.js';

const PORTS = [7400, 7401, 7402];
const PASSWORDS = { root: 'root-3f9c', reader: 'reader-81d2', writer: 'writer-5b7e', leaver: 'leaver-c04a', narrow: 'narrow-66f1' };
const SEES = '+cairn|status +info';
const USERS = {
  reader: `~* +@read ${SEES}`,
  writer: `~app:* +@read +@write ${SEES}`,
  leaver: `~* +@read +@write ${SEES}`,
  narrow: `~* +@read ${SEES}`,
};

let cluster;
let browser;

before(async () => {
  const lines = Object.entries(USERS).map(([user, rules]) => `user ${user} on >${PASSWORDS[user]} ${rules}`);
  cluster = new SecureCluster(PORTS, { user: 'root', password: PASSWORDS.root }, lines);
  const started = cluster.start();
  browser = await launch(`--ignore-certificate-errors-spki-list=${cluster.fingerprint()}`);
  await started;
  for (const key of ['app:1', 'other']) {
    await cluster.asAdmin(PORTS[1], `v1/kv/${key}`, { method: 'PUT', body: `of ${key}` });
  }
});

after(async () => {
  await browser?.close();
  await cluster?.stop();
});

const origins = (port) => [new URL(cluster.url(port)).origin, cluster.announced(port)];

/**
 * A test with a page of its own, which begins at a fragment. Fails on faults of it, and where a password is in what was
 * asked for: an address stands in logs, in histories and on screens.
 */
function inPage(name, { fragment = '', mayBeDown = [], ...options }, body) {
  test(name, { timeout: 120_000 }, async () => {
    const context = await browser.newContext({ viewport: DESKTOP, colorScheme: 'light', ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const down = (url) => mayBeDown.flatMap(origins).some((origin) => url.startsWith(`${origin}/`));
    const faults = faultsOf(page, PORTS.flatMap(origins), { down, mayAnswer: [401, 403] });
    const addresses = [];
    page.on('request', (request) => addresses.push(request.url()));
    page.on('framenavigated', (frame) => addresses.push(frame.url()));
    try {
      await page.goto(cluster.url(PORTS[0]) + fragment);
      await body(page, context);
      assert.deepEqual(faults, []);
      assert.ok(addresses.length > 3);
      assert.deepEqual(addresses.filter((address) => Object.values(PASSWORDS).some((password) => address.includes(password))), []);
    } finally {
      await context.close();
    }
  });
}

async function fill(page, user, password) {
  await page.getByLabel('User').fill(user);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

async function logIn(page, user) {
  await fill(page, user, PASSWORDS[user]);
  await page.locator('#user', { hasText: user }).waitFor();
}

const shows = (page, text) => page.locator('#sentence', { hasText: text }).waitFor();
const key = (page, name) => page.getByRole('button', { name, exact: true });
const value = (page) => page.getByLabel('Value', { exact: true });
const stored = async (name) => (await cluster.asAdmin(PORTS[2], `v1/kv/${name}`)).text;

/** The session that a page has at a node. */
const cookieOf = async (context, port) => (await context.cookies()).find(({ name }) => name === `cairn_session_${port}`);

inPage('one logs in by the form, not with a wrong password, and sees the same view', { fragment: '#keys?prefix=app:' }, async (page, context) => {
  for (const viewport of [DESKTOP, PHONE]) {
    await page.setViewportSize(viewport);
    await isAccessible(page, `the form, ${viewport.width} px`);
  }
  for (const [user, password] of [['reader', 'wrong'], ['nobody', 'wrong']]) {
    await fill(page, user, password);
    await page.getByRole('alert').filter({ hasText: 'The user, the password or both are wrong' }).waitFor();
  }
  assert.deepEqual(await context.cookies(), []);
  await logIn(page, 'reader');
  await key(page, 'app:1').waitFor();
  assert.equal(await key(page, 'other').count(), 0);
  await shows(page, 'All is well');
  const { httpOnly, secure, sameSite, expires } = await cookieOf(context, PORTS[0]);
  assert.deepEqual({ httpOnly, secure, sameSite, expires }, { httpOnly: true, secure: true, sameSite: 'Strict', expires: -1 });
  assert.equal(await page.evaluate(() => document.cookie), '');
  await isAccessible(page, 'logged in, on a phone');
});

inPage('who may only read is offered no write', { fragment: '#keys?key=app:1' }, async (page) => {
  await logIn(page, 'reader');
  assert.equal(await value(page).inputValue(), 'of app:1');
  for (const [name, right] of [['Save', '+set'], ['Delete …', '+del'], ['New key', '+set']]) {
    const button = page.getByRole('button', { name });
    assert.ok(await button.isDisabled(), name);
    assert.equal(await button.getAttribute('title'), `The user reader may not do this: it takes the right ${right}.`);
  }
  assert.ok(!(await value(page).isEditable()));
  assert.ok(!(await page.getByLabel('Expires in').isEditable()));
  for (const name of ['List', 'Read again']) {
    assert.ok(await page.getByRole('button', { name }).isEnabled(), name);
  }
  const slowLog = page.getByRole('navigation').getByRole('link', { name: 'Slow log' });
  assert.equal(await slowLog.getAttribute('href'), null);
  assert.match(await slowLog.getAttribute('title'), /\+slowlog\|get/);
  await isAccessible(page, 'who may only read');
  // The node does not rely on what the page offers.
  const status = await page.evaluate(async () => (await fetch('/v1/kv/app:1', { method: 'PUT', body: 'x' })).status);
  assert.equal(status, 403);
  assert.equal(await stored('app:1'), 'of app:1');
  await page.goto(`${cluster.url(PORTS[0])}#slowlog`);
  await page.reload();
  await page.locator('#view-overview').waitFor();
});

inPage('who may write writes its own keys, and is told of others', { fragment: '#keys' }, async (page) => {
  await logIn(page, 'writer');
  for (const [name, words] of [['app:new', 'Created.'], ['elsewhere', 'Nothing was done: this user has no permissions to access this key']]) {
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByLabel('Key', { exact: true }).fill(name);
    await value(page).fill('written');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.locator('#editor-note', { hasText: words }).waitFor();
  }
  assert.equal(await stored('app:new'), 'written');
  assert.equal((await cluster.asAdmin(PORTS[2], 'v1/kv/elsewhere')).status, 404);
  assert.equal(await key(page, 'other').count(), 0, 'it may not read that one');
});

inPage('two nodes of one host, and each has its own log-out, which ends the session at the node', {}, async (page, context) => {
  await logIn(page, 'reader');
  const other = await context.newPage();
  await other.goto(cluster.url(PORTS[1]));
  await logIn(other, 'writer');
  const { name, value: token } = await cookieOf(context, PORTS[0]);
  const asSession = () => cluster.ask(PORTS[0], 'v1/session', { headers: { Cookie: `${name}=${token}` } });
  assert.match((await asSession()).text, /"user":"reader"/);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('button', { name: 'Log in' }).waitFor();
  assert.equal(await page.getByRole('alert').textContent(), '');
  assert.equal(await cookieOf(context, PORTS[0]), undefined);
  assert.equal((await asSession()).status, 401);
  await other.reload();
  await other.locator('#user', { hasText: 'writer' }).waitFor();
});

inPage('a user that is off is logged out, and what was typed stays until one goes', { fragment: '#keys?key=app:1' }, async (page) => {
  await logIn(page, 'leaver');
  await value(page).fill('typed');
  await cluster.command(PORTS[1], 'ACL SETUSER leaver off');
  await page.getByText('You are logged out. What you typed is not saved and stays here').waitFor();
  assert.equal(await value(page).inputValue(), 'typed');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('#editor-note', { hasText: 'Nothing was done: you are logged out.' }).waitFor();
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('You were logged out: the user leaver is off.').waitFor();
  await cluster.command(PORTS[1], 'ACL SETUSER leaver on');
  assert.equal(await stored('app:1'), 'of app:1');
});

inPage('a user that is deleted is led to the form, which says so', {}, async (page) => {
  await logIn(page, 'leaver');
  await shows(page, 'All is well');
  await cluster.command(PORTS[1], 'ACL DELUSER leaver');
  await page.getByText('You were logged out: there is no user leaver any more.').waitFor();
  await page.getByRole('button', { name: 'Log in' }).waitFor();
});

inPage('a right that is taken away closes a view, and one that is given opens it', {}, async (page) => {
  await logIn(page, 'narrow');
  await shows(page, 'All is well');
  await cluster.command(PORTS[1], 'ACL SETUSER narrow -cairn|status');
  await shows(page, 'The user narrow may not do this: it takes the right +cairn|status.');
  await page.locator('#view-keys').waitFor();
  await key(page, 'other').click();
  await page.getByRole('heading', { name: 'other', exact: true }).waitFor();
  await isAccessible(page, 'who may not see the cluster');
  await cluster.command(PORTS[1], 'ACL SETUSER narrow +cairn|status');
  await shows(page, 'All is well');
});

inPage('the node is killed: over TLS it goes on through another, and shows the same to who logs in there', { fragment: '#keys?key=app:1', mayBeDown: [PORTS[0]] }, async (page) => {
  await logIn(page, 'reader');
  await shows(page, 'All is well');
  await cluster.kill(PORTS[0]);
  await page.waitForURL((url) => PORTS.slice(1).some((port) => url.origin === cluster.announced(port)));
  await logIn(page, 'reader');
  await until('the key is shown', async () => (await value(page).inputValue()) === 'of app:1');
  await page.getByText('Node 127.0.0.1:7400 did not answer, so the console went on through').waitFor();
});

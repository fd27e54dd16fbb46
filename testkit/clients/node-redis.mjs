// SPDX-License-Identifier: Apache-2.0

// node-redis against Cairn: node node-redis.mjs HOST PORT [CA USER PASSWORD], as docs/guide/clients.md has it.
import assert from 'node:assert/strict';
import { WatchError, createClient, createCluster } from 'redis';
import { KEYS, met, serve, told } from './steps.mjs';

const { host, port, account } = told();
const url = `${account ? 'rediss' : 'redis'}://${host}:${port}`;

function options(password, socket) {
  return account ? { username: account.username, password, socket: { tls: true, ca: account.ca, ...socket } } : {};
}

const one = createClient({ url, ...options(account?.password) });
const cluster = createCluster({ rootNodes: [{ url }], defaults: options(account?.password) });
// Without a listener an error of a connection ends the process.
one.on('error', () => {});
cluster.on('error', () => {});
await one.connect();
await cluster.connect();

async function expiry(client) {
  await client.set('short', 'lived', { EX: 100 });
  const ttl = await client.ttl('short');
  assert.ok(ttl >= 90 && ttl <= 100, `ttl ${ttl}`);
  assert.equal(await client.persist('short'), 1);
  assert.equal(await client.ttl('short'), -1);
}

async function transaction(client) {
  const answers = await client.multi().set('{user7}name', 'ada').incr('{user7}visits').exec();
  assert.deepEqual(answers, ['OK', 1]);
  assert.equal(await client.del(['{user7}name', '{user7}visits']), 2);
}

async function watched() {
  const other = await one.duplicate().connect();
  await other.set('visits', '1');
  await other.watch('visits');
  await one.set('visits', '7');
  await assert.rejects(other.multi().incr('visits').exec(), WatchError);
  assert.equal(await one.get('visits'), '7');
  assert.equal(await one.del('visits'), 1);
  other.destroy();
}

const NAMES = Array.from({ length: KEYS }, (_, i) => 'key' + i).sort();

async function scan(client) {
  const scanned = [];
  for await (const keys of client.scanIterator({ MATCH: 'key*', COUNT: 5 })) {
    scanned.push(...keys);
  }
  return scanned;
}

/** node-redis sends what is asked in one turn as one pipeline. */
async function pipeline(client) {
  const answers = await Promise.all(
    Array.from({ length: KEYS }, (_, i) => [client.set('key' + i, 'value' + i), client.get('key' + i)]).flat(),
  );
  for (let i = 0; i < KEYS; i++) {
    assert.equal(answers[2 * i + 1], 'value' + i);
  }
}

await serve({
  name: 'node-redis',
  one,
  cluster,
  async clientPort() {
    await pipeline(one);
    await transaction(one);
    await watched();
    await expiry(one);
    assert.equal(await one.dbSize(), KEYS + 1);
    assert.deepEqual((await scan(one)).sort(), NAMES);
  },
  async clusterMode() {
    await pipeline(cluster);
    await transaction(cluster);
    await expiry(cluster);
    let count = 0;
    const scanned = [];
    for (const master of cluster.masters) {
      const client = await cluster.nodeClient(master);
      count += await client.dbSize();
      scanned.push(...(await scan(client)));
    }
    assert.equal(count, KEYS + 1);
    assert.deepEqual(scanned.sort(), NAMES);
  },
  async comingWith(password) {
    const heard = [];
    const hears = (error) => heard.push(error);
    const once = options(password, { reconnectStrategy: false });
    const refused = createClient({ url, ...once }).on('error', hears);
    const byOne = await met(() => refused.connect(), heard);
    const refusedToo = createCluster({ rootNodes: [{ url }], defaults: once }).on('error', hears);
    return [byOne, await met(() => refusedToo.connect(), heard)];
  },
  close() {
    one.destroy();
    cluster.destroy();
  },
});

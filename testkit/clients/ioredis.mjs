// SPDX-License-Identifier: Apache-2.0

// ioredis against Cairn: node ioredis.mjs HOST PORT [CA USER PASSWORD], as docs/guide/clients.md has it.
import assert from 'node:assert/strict';
import { Cluster, Redis } from 'ioredis';
import { KEYS, met, serve, told } from './steps.mjs';

const { host, port, account } = told();

function options(password) {
  return account ? { username: account.username, password, tls: { ca: account.ca } } : {};
}

const one = new Redis({ host, port, ...options(account?.password) });
const cluster = new Cluster([{ host, port }], { redisOptions: options(account?.password) });
// Without a listener each error of a connection is printed.
one.on('error', () => {});
cluster.on('error', () => {});
await one.ping();
await cluster.ping();

async function expiry(client) {
  await client.set('short', 'lived', 'EX', 100);
  const ttl = await client.ttl('short');
  assert.ok(ttl >= 90 && ttl <= 100, `ttl ${ttl}`);
  assert.equal(await client.persist('short'), 1);
  assert.equal(await client.ttl('short'), -1);
}

const NAMES = Array.from({ length: KEYS }, (_, i) => 'key' + i).sort();

async function scan(node) {
  const scanned = [];
  for await (const keys of node.scanStream({ match: 'key*', count: 5 })) {
    scanned.push(...keys);
  }
  return scanned;
}

async function transaction(client) {
  const answers = await client.multi().set('{user7}name', 'ada').incr('{user7}visits').exec();
  assert.deepEqual(answers, [
    [null, 'OK'],
    [null, 1],
  ]);
  assert.equal(await client.del('{user7}name', '{user7}visits'), 2);
}

async function watched() {
  const other = one.duplicate();
  await other.set('visits', '1');
  await other.watch('visits');
  await one.set('visits', '7');
  assert.equal(await other.multi().incr('visits').exec(), null);
  assert.equal(await one.get('visits'), '7');
  assert.equal(await one.del('visits'), 1);
  other.disconnect();
}

await serve({
  name: 'ioredis',
  one,
  cluster,
  async clientPort() {
    const pipeline = one.pipeline();
    for (let i = 0; i < KEYS; i++) {
      pipeline.set('key' + i, 'value' + i).get('key' + i);
    }
    const answers = await pipeline.exec();
    for (let i = 0; i < KEYS; i++) {
      assert.deepEqual(answers[2 * i + 1], [null, 'value' + i]);
    }
    await transaction(one);
    await watched();
    await expiry(one);
    assert.equal(await one.dbsize(), KEYS + 1);
    assert.deepEqual((await scan(one)).sort(), NAMES);
  },
  async clusterMode() {
    // Its pipelines in cluster mode are for keys of one node.
    const answers = await cluster
      .pipeline()
      .set('{user7}name', 'ada')
      .set('{user7}mail', 'ada@example')
      .get('{user7}name')
      .exec();
    assert.deepEqual(answers[2], [null, 'ada']);
    assert.equal(await cluster.del('{user7}name', '{user7}mail'), 2);
    await transaction(cluster);
    await expiry(cluster);
    await Promise.all(NAMES.map((name) => cluster.set(name, 'value')));
    let count = 0;
    const scanned = [];
    for (const node of cluster.nodes('master')) {
      count += await node.dbsize();
      scanned.push(...(await scan(node)));
    }
    assert.equal(count, KEYS + 1);
    assert.deepEqual(scanned.sort(), NAMES);
  },
  async comingWith(password) {
    const heard = [];
    const hears = (error) => heard.push(error);
    const refused = new Redis({ host, port, ...options(password), retryStrategy: () => null });
    refused.on('error', hears);
    const byOne = await met(() => refused.get('key'), heard);
    const refusedToo = new Cluster([{ host, port }], {
      redisOptions: options(password),
      clusterRetryStrategy: () => null,
    });
    refusedToo.on('error', hears);
    refusedToo.on('node error', hears);
    const byCluster = await met(() => refusedToo.get('key'), heard);
    refused.disconnect();
    refusedToo.disconnect();
    return [byOne, byCluster];
  },
  close() {
    one.disconnect();
    cluster.disconnect();
  },
});

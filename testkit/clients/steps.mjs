// SPDX-License-Identifier: Apache-2.0

// What testkit's OtherLibrariesTest asks of a client of Node.js: a word a line on standard input, an answer in
// JSON a line on standard output.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import readline from 'node:readline';
import { inspect } from 'node:util';

/** Enough for keys of every partition. */
export const KEYS = 24;

/** What the script is told: where to connect, and for TLS the CA, the user and the password. */
export function told() {
  const [host, port, ca, username, password] = process.argv.slice(2);
  return { host, port: Number(port), account: ca && { ca: readFileSync(ca), username, password } };
}

/** What an attempt fails with, all that it heard of meanwhile included. */
export async function met(attempt, heard = []) {
  try {
    await attempt();
    return 'nothing';
  } catch (error) {
    return inspect([error, heard], { depth: 6 });
  }
}

/** Sets and gets all keys until told to stop; counts rounds without an error, and errors by kind. */
class Work {
  rounds = 0;
  errors = {};
  #finished = false;
  #unsure = new Map(); // by key: values whose write may yet take effect

  constructor(client, prefix) {
    this.ended = this.#run(client, prefix);
  }

  async #run(client, prefix) {
    for (let round = 0; !this.#finished; round++) {
      let clean = true;
      for (let i = 0; i < KEYS && !this.#finished; i++) {
        clean = (await this.#setAndGet(client, prefix + i, 'value' + round)) && clean;
      }
      if (clean) {
        this.rounds++;
      }
    }
  }

  async #setAndGet(client, key, value) {
    let acknowledged = false;
    try {
      await client.set(key, value);
      acknowledged = true;
      const found = await client.get(key);
      if (found !== value && !this.#unsure.get(key)?.has(found)) {
        throw new Error(`WRONG VALUE: ${key} holds ${found}, ${value} was written`);
      }
      return true;
    } catch (error) {
      if (!acknowledged) {
        this.#unsure.set(key, (this.#unsure.get(key) ?? new Set()).add(value));
      }
      const kind = `${error.constructor.name}: ${error.code ?? error.message}`.replaceAll(/\d+/g, 'N');
      this.errors[kind] = (this.errors[kind] ?? 0) + 1;
      await new Promise((resolve) => setImmediate(resolve));
      return false;
    }
  }

  finish() {
    this.#finished = true;
    return this.ended;
  }
}

/**
 * Serves the steps until standard input ends.
 *
 * @param library what the library is told: name, one (a client of the client port), cluster (one of the cluster),
 *     clientPort() and clusterMode() (throw when something is not as it should be), comingWith(password) (what each
 *     port's client met with another password), close()
 */
export async function serve(library) {
  let works = [];
  const steps = {
    'client-port': () => library.clientPort(),
    'cluster-mode': () => library.clusterMode(),
    requests: async (count) => {
      for (let i = 0; i < count / 2; i++) {
        const key = library.name + (i % KEYS);
        await library.cluster.set(key, 'value' + i);
        assert.equal(await library.cluster.get(key), 'value' + i);
      }
    },
    reading: async (key) => [await met(() => library.one.get(key)), await met(() => library.cluster.get(key))],
    'coming-with': (password) => library.comingWith(password),
    begin: () => {
      works = [
        new Work(library.one, library.name + ':port'),
        new Work(library.cluster, library.name + ':cluster'),
      ];
    },
    rounds: () => Math.min(...works.map((work) => work.rounds)),
    finish: async () => {
      await Promise.all(works.map((work) => work.finish()));
      return works.reduce((errors, work) => {
        for (const [kind, count] of Object.entries(work.errors)) {
          errors[kind] = (errors[kind] ?? 0) + count;
        }
        return errors;
      }, {});
    },
  };
  const answer = (value) => process.stdout.write(JSON.stringify(value) + '\n');
  answer({ ok: 'connected' });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [step, argument] = line.split(' ');
    try {
      answer({ ok: (await steps[step](argument)) ?? null });
    } catch (error) {
      answer({ error: error.stack ?? String(error) });
    }
  }
  await library.close();
  process.exit(0);
}

// SPDX-License-Identifier: Apache-2.0
// Three nodes as processes, for the browser's tests. Only processes that were started here are ended, by
// their ids. Each announces another place than its name says (--announce-host, --announce-port), as behind a
// published port: what goes there is forwarded here.

import { spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ANNOUNCED_ABOVE = 10; // a node's port is announced as one so much higher

export const CAIRN = fileURLToPath(new URL('../../cairn', import.meta.url));

/** Until a condition holds; fails with its last error, or what it was for. */
export async function until(what, condition, { seconds = 120 } = {}) {
  const end = Date.now() + seconds * 1000;
  let last;
  do {
    try {
      if (await condition()) {
        return;
      }
      last = undefined;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  } while (Date.now() < end);
  throw new Error(`not within ${seconds} s: ${what}`, { cause: last });
}

export class Cluster {
  folder = mkdtempSync(join(tmpdir(), 'cairn-browser-'));
  #processes = new Map();
  #forwarders = [];
  #sockets = new Set();
  ports;

  constructor(ports) {
    this.ports = ports;
  }

  name = (port) => `127.0.0.1:${port}`;
  url = (port) => `http://${this.name(port)}/`;
  announced = (port) => `http://localhost:${port + ANNOUNCED_ABOVE}`;
  options = []; // of each node

  async start() {
    for (const port of this.ports) {
      if (await this.status(port).then(() => true, () => false)) {
        throw new Error(`somebody listens on port ${port} already: end that first`);
      }
    }
    for (const port of this.ports) {
      await this.#forward(port);
      this.startNode(port);
    }
    try {
      await this.healthy();
    } catch (error) {
      for (const port of this.ports) {
        console.error(`--- the end of node ${port}'s log`);
        console.error(readFileSync(join(this.folder, `${port}.log`), 'utf8').split('\n').slice(-20).join('\n'));
      }
      throw error;
    }
  }

  /** Whatever comes to where a node is announced goes to the node; while that is down, it is cut off. */
  async #forward(port) {
    const server = createServer((from) => {
      const to = connect(port, '127.0.0.1');
      for (const [socket, other] of [[from, to], [to, from]]) {
        this.#sockets.add(socket);
        socket.on('error', () => {}); // told as close
        socket.once('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
    this.#forwarders.push(server);
    await new Promise((resolve, reject) => server.once('error', reject).listen(port + ANNOUNCED_ABOVE, '127.0.0.1', resolve));
  }

  startNode(port) {
    const log = createWriteStream(join(this.folder, `${port}.log`), { flags: 'a' });
    const child = spawn(
      CAIRN,
      ['node', port, '--cluster', this.ports.map(this.name).join(','), '--data', join(this.folder, String(port)), '--announce-host', 'localhost', '--announce-port', port + ANNOUNCED_ABOVE, ...this.options].map(String),
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, CAIRN_JAVA_OPTS: '-Xmx256m -XX:TieredStopAtLevel=1' } },
    );
    child.stdout.pipe(log);
    child.stderr.pipe(log);
    this.#processes.set(port, child);
  }

  signal(port, signal) {
    this.#processes.get(port).kill(signal);
  }

  /** Ends a node at once, and waits until its process is gone. */
  async kill(port) {
    const child = this.#processes.get(port);
    this.#processes.delete(port);
    if (child && child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    }
  }

  async healthy() {
    for (const port of this.ports) {
      await until(`node ${port} says that the cluster is healthy`, async () => (await this.status(port)).healthy, { seconds: 240 });
    }
  }

  /** The state as a node tells it. */
  async status(port) {
    const response = await fetch(`${this.url(port)}v1/cluster`, { signal: AbortSignal.timeout(2000) });
    return response.json();
  }

  /** A request for a key, through a node. */
  async key(port, key, options = {}) {
    const { query = '', ...rest } = options;
    return fetch(`${this.url(port)}v1/kv/${key}${query}`, { signal: AbortSignal.timeout(10_000), ...rest });
  }

  /** A command in Redis' protocol, typed as a line; resolves to the first line of its reply. */
  command(port, line) {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(`${line}\r\n`));
      socket.setTimeout(10_000, () => socket.destroy(new Error(`no reply to ${line}`)));
      socket.once('data', (reply) => {
        socket.destroy();
        const [first] = reply.toString('latin1').split('\r\n');
        return first.startsWith('-') ? reject(new Error(first)) : resolve(first);
      });
      socket.once('error', reject);
    });
  }

  async stop() {
    await Promise.all([...this.#processes.keys()].map((port) => this.kill(port)));
    this.#forwarders.forEach((server) => server.close());
    this.#sockets.forEach((socket) => socket.destroy());
    rmSync(this.folder, { recursive: true, force: true });
  }
}

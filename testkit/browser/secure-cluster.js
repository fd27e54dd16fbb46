// SPDX-License-Identifier: Apache-2.0
// Three nodes with TLS and users: certificates of ./cairn cert, and a file of users.

import { spawnSync } from 'node:child_process';
import { X509Certificate, createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { CAIRN, Cluster } from './cluster.js';

export class SecureCluster extends Cluster {
  #admin;
  #authority;

  /**
   * @param {number[]} ports of the nodes
   * @param {{user: string, password: string}} admin who may do everything
   * @param {string[]} users lines of a users' file, but for default, who is off, and the admin
   */
  constructor(ports, admin, users) {
    super(ports);
    this.#admin = admin;
    for (const words of [['ca'], ['node']]) {
      const { status, stderr } = spawnSync(CAIRN, ['cert', ...words, '--dir', this.folder], { encoding: 'utf8' });
      if (status !== 0) {
        throw new Error(`cairn cert ${words}: ${stderr}`);
      }
    }
    this.#authority = readFileSync(join(this.folder, 'ca.crt'));
    const file = join(this.folder, 'users.acl');
    const lines = ['user default off', `user ${admin.user} on >${admin.password} ~* &* +@all`, ...users];
    writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
    this.options = [
      ...['--tls', 'required', '--tls-cert', join(this.folder, 'node.crt'), '--tls-key', join(this.folder, 'node.key')],
      ...['--tls-ca', join(this.folder, 'ca.crt'), '--tls-clients', 'none', '--peer-name', 'cairn-node', '--users-file', file],
    ];
  }

  url = (port) => `https://${this.name(port)}/`;
  announced = ((plain) => (port) => plain(port).replace('http:', 'https:'))(this.announced);

  /** By which a browser knows the nodes' certificate, and takes no other: the SHA-256 of its key. */
  fingerprint() {
    const { publicKey } = new X509Certificate(readFileSync(join(this.folder, 'node.crt')));
    return createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' })).digest('base64');
  }

  /** A request; resolves to its status and text. */
  ask(port, path, { method = 'GET', headers = {}, body = '' } = {}) {
    return new Promise((resolve, reject) => {
      const asked = request(`${this.url(port)}${path}`, { method, headers, ca: this.#authority, timeout: 10_000 }, (answer) => {
        const parts = [];
        answer.on('data', (part) => parts.push(part));
        answer.once('end', () => resolve({ status: answer.statusCode, text: Buffer.concat(parts).toString() }));
        answer.once('error', reject);
      });
      asked.once('timeout', () => asked.destroy(new Error(`no answer to ${path}`)));
      asked.once('error', reject);
      asked.end(body);
    });
  }

  /** The same, by who may do everything. */
  asAdmin(port, path, options = {}) {
    const pair = Buffer.from(`${this.#admin.user}:${this.#admin.password}`).toString('base64');
    return this.ask(port, path, { ...options, headers: { Authorization: `Basic ${pair}` } });
  }

  async status(port) {
    const { status, text } = await this.asAdmin(port, 'v1/cluster');
    if (status !== 200) {
      throw new Error(`${status}: ${text}`);
    }
    return JSON.parse(text);
  }

  /** A command, by who may do everything; resolves to the first line of its reply. */
  command(port, line) {
    return new Promise((resolve, reject) => {
      const { user, password } = this.#admin;
      const socket = connect({ port, host: '127.0.0.1', ca: this.#authority }, () => socket.write(`AUTH ${user} ${password}\r\n${line}\r\n`));
      let replies = '';
      socket.setTimeout(10_000, () => socket.destroy(new Error(`no reply to ${line}`)));
      socket.on('data', (part) => {
        replies += part.toString('latin1');
        const [authenticated, reply, ...rest] = replies.split('\r\n');
        const wrong = [authenticated, reply].find((one) => one?.startsWith('-'));
        if (wrong !== undefined && replies.endsWith('\r\n')) {
          socket.destroy();
          reject(new Error(wrong));
        } else if (rest.length > 0) {
          socket.destroy();
          resolve(reply);
        }
      });
      socket.once('error', reject);
    });
  }
}
